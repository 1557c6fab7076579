"""Why a task fails, by the words of its log: one table, in which the first row counts.

A row is for words of one program, or of many; to add one, add an example to its test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CAUSES", "DO_WITH_SHELL_FORM", "Cause", "Facts", "cause_of"]

_FOUND, _CANNOT_RUN, _KILLED = 127, 126, 137


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a run beside its log."""

    exit_code: int
    network_off: bool = False
    has_workdir: bool = True
    """Whether the platform keeps the working folder of an image."""
    shell_form: bool = False
    """Whether the ENTRYPOINT is a line of a shell."""
    platform: str = ""
    """What a person calls the platform."""
    host: str = ""
    """Where the task ran; "" for this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause, the words by which it is known, and what to do."""

    name: str
    words: str = ""
    """Expression that a line of the log has; "" where the exit code says enough."""
    do: str
    """With `{0}`, the first group of the words, `{platform}` and `{machine}`."""
    exit_codes: tuple[int, ...] = ()
    """None where any will do."""
    network_off: bool | None = None
    """What this fact has to be, as the next ones; None where it does not matter."""
    has_workdir: bool | None = None
    shell_form: bool | None = None


_ASKED = ("network_off", "has_workdir", "shell_form")
_NO_NAME = (
    r"(?i)temporary failure in name resolution|name or service not known"
    r"|could not resolve (?:host|proxy)|network is unreachable|bad address"
    r"|no route to host|name resolution|getaddrinfo|nodename nor servname"
)
_NOT_THERE = r"(?i)no such file or directory|can't open|cannot open|FileNotFoundError"

#: What to do where a line of a shell starts a task.
DO_WITH_SHELL_FORM = (
    "write ENTRYPOINT as JSON, with brackets and double quotes: a line of a\n"
    "shell (shell form) drops the arguments"
)
#: Lines that tell of no failure.
_HARMLESS = re.compile(
    r"\b(?:WARNING|Warning|warning|WARN|INFO)\b|^[IW]\d{4}\b|\w+Warning:"
)

CAUSES: tuple[Cause, ...] = (
    Cause(
        name="single-quotes",
        words=r"\[\S+,: (?:command )?not found|\['?/\S+,?'?: (?:command )?not found",
        do="write ENTRYPOINT as JSON, with double quotes: single quotes make it a\n"
        "line of a shell (shell form), which drops the arguments",
    ),
    Cause(
        name="windows-lines",
        words=r"\\r[^\s\w\\]?: |\^M|\r|(?i:bad interpreter|required file not found)"
        r"|^[^\s\w]?: (?i:not found|no such file or directory)"
        r"|^: (?i:invalid|illegal) option"
        r"|exec(?: \S+)?(?: user process caused)?: .*no such file or directory",
        do="give the script line ends of Unix: with those of Windows (CRLF), the name\n"
        "in its first line is another; or fix that name, which is not found",
    ),
    Cause(
        name="format",
        words=r"(?i)exec format error|cannot execute binary file|wrong ELF class",
        do="begin the script with #!/bin/sh, or build the program for {machine}",
    ),
    Cause(
        name="python",
        words=r"(?:^|[\s/:\"'`])(python|pip)['\"`]?: (?:command |executable file )?"
        r"(?:not found|No such file)",
        do="call {0}3, or install {0}: the image has no {0}",
    ),
    Cause(
        name="module",
        words=r"No module named '?\"?([\w.]+)",
        do="install {0} in the image, as by requirements.txt: it is not found",
    ),
    Cause(
        name="library",
        words=r"([\w.+-]+\.so[\w.]*): cannot open shared|Library not loaded: (\S+)",
        do="install the package that has {0} in the image",
    ),
    Cause(
        name="network-off",
        words=_NO_NAME,
        network_off=True,
        do="let it work without the network, or turn it on: --network none, or the\n"
        "platform file, turns it off",
    ),
    Cause(
        name="network",
        words=_NO_NAME,
        network_off=False,
        do="check the network and the proxy of {machine}: the task uses them",
    ),
    Cause(
        name="shared-memory",
        words=r"(?i)/dev/shm|bus error|shared memory|unable to (?:open|write) shared",
        do="give it more shared memory: --shm-size in the platform section (64 MB is\n"
        "Docker's default)",
    ),
    Cause(
        name="disk",
        words=r"(?i)no space left on device|disk quota exceeded|\bENOSPC\b",
        do="free some disk space on {machine}, then run again",
    ),
    Cause(
        name="gpu-memory",
        words=r"(?i)CUDA out of memory|CUBLAS_STATUS_ALLOC_FAILED",
        do="use less memory of the GPU, such as a smaller batch",
    ),
    Cause(
        name="processes",
        words=r"(?i)resource temporarily unavailable|can't (?:fork|start new thread)"
        r"|fork: retry",
        do="start fewer processes and threads, or allow more: --pids-limit (8192 on\n"
        "Docker, unless the platform file says more)",
    ),
    Cause(
        name="memory",
        words=r"MemoryError|(?i:cannot allocate memory|std::bad_alloc|out of memory"
        r"|oom-kill)|^(?:\S+: )?Killed$",
        do="use less memory, or give it more (memory in the platform section)",
    ),
    Cause(
        name="gpu",
        words=r"(?i)no nvidia driver|found no NVIDIA|not compiled with CUDA"
        r"|no CUDA-capable device|libcuda\.so|CUDA driver version|CUDA error",
        do="give it a GPU (--gpus all), or let it work on the CPU",
    ),
    Cause(
        name="read-only",
        words=r"(?i)read-only file system",
        do="write to an output: inputs are read-only, on Singularity the image too",
    ),
    Cause(
        name="permission",
        words=r"(?i)permission denied|PermissionError|operation not permitted|EACCES",
        do="write to outputs and /tmp alone, and let everybody read and execute what\n"
        "the image has (chmod -R a+rX): tasks run as the user who calls",
    ),
    Cause(
        name="folder",
        words=r"(?i)is a directory|IsADirectoryError",
        do="write to a file in the folder that the task gets, or declare type: file",
    ),
    Cause(
        name="shell-form",
        shell_form=True,
        do=DO_WITH_SHELL_FORM,
    ),
    Cause(
        name="arguments",
        words=r"(?i)unrecognized arguments|no such option|unknown option"
        r"|following arguments are required|missing (?:option|argument)"
        r"|parameter not set|unbound variable",
        do="let the program take the task's name, then --NAME=VALUE for each parameter",
    ),
    Cause(
        name="program",
        words=r"(?:^|[\s/:\"'`])([\w.+-]+)['\"`]?: (?:command |executable file )?"
        r"not found",
        do="install {0} in the image, or fix its name: it is not found",
    ),
    Cause(
        name="workdir",
        words=_NOT_THERE,
        has_workdir=False,
        do="fix what the log shows, and use absolute paths: {platform} ignores\n"
        "the working folder of an image",
    ),
    Cause(
        name="no-program",
        exit_codes=(_FOUND,),
        do="find what the task calls: exit code 127 says that a program is not found",
    ),
    Cause(
        name="not-executable",
        exit_codes=(_CANNOT_RUN,),
        do="make what the task calls executable (chmod +x): exit code 126 says that\n"
        "it is not",
    ),
    Cause(
        name="killed",
        exit_codes=(_KILLED,),
        do="check its memory use: it was killed, perhaps by the kernel",
    ),
)


def cause_of(facts: Facts, log: Sequence[str]) -> str:
    """Return what to do about a task that failed, "" where no row knows.

    Args:
        facts: What is known of the run.
        log: The last lines of what it said; the last that a row knows counts.
    """
    possible = [each for each in CAUSES if _is_possible(each, facts)]
    without_words = next((each for each in possible if not each.words), None)
    before = possible.index(without_words) if without_words else len(possible)
    for line in reversed(log):
        harmless = _HARMLESS.search(line)
        for each in possible[:before]:
            # What is tried again warns first of a network that fails.
            counts = not harmless or each.name.startswith("network")
            match = re.search(each.words, line) if counts else None
            if match:
                groups = tuple(each for each in match.groups() if each) or ("",)
                return each.do.format(
                    *groups,
                    platform=facts.platform,
                    machine=facts.host or "this machine",
                )
    return without_words.do if without_words else ""


def _is_possible(cause: Cause, facts: Facts) -> bool:
    if cause.exit_codes and facts.exit_code not in cause.exit_codes:
        return False
    return all(getattr(cause, name) in {None, getattr(facts, name)} for name in _ASKED)
