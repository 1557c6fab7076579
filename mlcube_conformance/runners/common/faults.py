"""Whose fault an engine means: one table of the words of all engines.

An engine says in its own words why it made no image or started no task. The first words
that a row knows decide; what no row knows is decided by the runner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "ROWS",
    "Fault",
    "Row",
    "Tool",
    "cannot_start",
    "disk_fault",
    "lacks_ids",
    "machine_fault",
    "start_fault",
]

#: `runscript` is the shell that starts a task in an image of Singularity.
Tool = Literal["docker", "singularity", "runscript", "pip"]
Fault = Literal[
    "machine", "disk", "step", "start", "ids", "gpus", "place", "mount", "value"
]
#: Faults that keep a container from starting; the first that words mean decides.
_AT_START: tuple[Fault, ...] = ("gpus", "place", "mount", "value", "start")


@dataclass(frozen=True, slots=True)
class Row:
    """Words, and what they mean when one of some tools says them."""

    fault: Fault
    """`machine`: the network, a registry or an index. `disk`: it is full or broken,
    whoever says so. `step`: a step of the cube's own failed, whatever else it said.
    `start`: the image cannot start a task. `ids`: a user may not be several users.
    `gpus`: there are none to give. `place`: a daemon does not see a folder of this
    machine. `mount`: the image has something where a folder must be mounted. `value`:
    one of the platform file's is refused."""
    tools: tuple[Tool, ...]
    words: re.Pattern[str]


_ENGINES: tuple[Tool, ...] = ("docker", "singularity")
_ALL: tuple[Tool, ...] = (*_ENGINES, "pip")


def _rows(fault: Fault, tools: tuple[Tool, ...], *words: str) -> Iterator[Row]:
    for each in words:
        yield Row(fault, tools, re.compile(each))


ROWS = (
    *_rows(
        "disk",
        _ALL,
        r"(?i)no space left on device",
        r"(?i)disk quota exceeded",
        # So busybox and glibc name EIO, which a full disk of a container may give.
        r"(?im)(?<=: )(?:i/o|input/output) error$",
    ),
    *_rows("machine", _ALL, r"(?i)connection (refused|reset)"),
    *_rows(
        "machine",
        _ENGINES,
        r"(?i)dial tcp",
        r"(?i)no such host",
        r"(?i)i/o timeout",
        r"(?i)TLS handshake",
        r"(?i)x509:",
        r"(?i)toomanyrequests",
        r"(?i)unexpected EOF",
        # So end the words of a daemon that was killed.
        r"server did not provide an image ID",
        r"error reading from server: EOF|transport is closing",
        r"(?i)5\d\d (Internal|Bad|Service|Gateway)",
    ),
    *_rows(
        "machine",
        ("docker",),
        r"(?i)Client\.Timeout",
        r"(?i)server gave HTTP response",
    ),
    *_rows(
        "machine",
        ("singularity", "pip"),
        r"(?i)name resolution",
    ),
    *_rows(
        "machine",
        ("pip",),
        r"(?i)NewConnectionError",
        r"(?i)ConnectTimeout",
        r"(?i)ReadTimeout",
        r"(?i)Max retries exceeded",
        r"(?i)ProxyError",
        r"(?i)SSLError",
        r"(?i)CERTIFICATE_VERIFY_FAILED",
        r"(?i)\[Errno 28\]",
        r"(?i)HTTP error 5\d\d",
    ),
    *_rows(
        "step",
        ("docker",),
        r"returned a non-zero code",
        r"did not complete successfully",
        r"executor failed running",
    ),
    *_rows(
        "step",
        ("singularity",),
        r"%(post|test|files|appinstall)\b",
        r"while copying files",
    ),
    *_rows(
        "start",
        ("docker",),
        r"(?s)executable file .*not found",
        r"(?i)no command (or entrypoint )?(specified|provided)",
        # The path of a program may hold any character.
        r"(?is)\bexec(utable)?\b.*(no such file or directory|permission denied"
        r"|not a directory|is a directory|too many levels|name too long"
        r"|invalid argument)",
        r"(?i)exec format error",
    ),
    *_rows(
        "gpus",
        ("docker",),
        r"could not select device driver .*gpu",
        r"nvidia-container-cli",
        r"(?i)unknown (or invalid )?runtime\b.*nvidia",
        r"(?i)CDI device|GPU vendor",
    ),
    *_rows(
        "place",
        ("docker",),
        r"bind source path does not exist",
        r"statfs .*no such file",
    ),
    *_rows(
        "mount",
        ("docker",),
        r"(?is)\bmount(ing)?\b.*(not a directory|is a directory|too many levels"
        r"|read-only file system|outside of rootfs|path escapes|invalid argument)",
        r"(?i)duplicate mount point|mount target: destination",
    ),
    *_rows(
        "mount",
        ("singularity",),
        r"->/mlcube_io\d+.*(not a directory|too many levels of symbolic links)",
    ),
    *_rows(
        "value",
        ("docker",),
        r"(?i)minimum memory limit",
        r"(?i)memory ?swap",
        r"(?i)shm ?size",
        r"(?i)\bipc\b",
        r"(?i)security[- ]opt",
        r"(?i)invalid runtime|unknown runtime",
        r"(?i)cpuset|requested cpus|range of cpus",
        r"(?i)ulimit|rlimit",
        r"(?i)\bnetwork \S+ not found",
        r"(?i)(?:invalid|unknown).*\bcapabilit",
        r"(?i)seccomp|apparmor",
    ),
    *_rows(
        "start",
        ("singularity",),
        r"^exec .* failed",
        r"^\"[^\"]*\": executable file not found",
        # Of a program that a path names.
        r"^stat /.*: no such file or directory$",
        r"^permission denied$",
    ),
    *_rows(
        "start",
        ("runscript",),
        r"(?i)^/\.singularity\.d/(runscript|actions/run): .*"
        r"(not found|permission denied|cannot execute|exec format error|too many levels"
        r"|not a directory|is a directory|no such file|name too long)",
    ),
    *_rows(
        "ids",
        ("singularity",),
        r"Invalid argument",
        r"Operation not permitted",
        r"subuid",
        r"subgid",
        r"newuidmap",
        r"user namespace",
    ),
)


def machine_fault(
    tool: Tool, said: str, *, last: str = "", log: Iterable[str] = ()
) -> str:
    """Return the words by which a tool says that the machine is at fault, or "".

    Args:
        tool: Who says it.
        said: All that it says.
        last: What it says of the end. Where that names a step of the cube's own, the
            cube is at fault, whatever words the step used, except those on a disk.
        log: Lines that the steps of the cube wrote, too.
    """
    disk = disk_fault(tool, "\n".join((*log, said)))
    return disk or ("" if _first("step", tool, last) else _first("machine", tool, said))


def disk_fault(tool: Tool, said: str) -> str:
    """Return the words by which a disk is said to be full or broken, or ""."""
    return _first("disk", tool, said)


def cannot_start(tool: Tool, said: str) -> bool:
    """Say whether a tool means that the image cannot start the task."""
    return bool(_first("start", tool, said))


def start_fault(tool: Tool, said: str) -> Fault | None:
    """Return what a tool says that keeps a container from starting, if a row knows."""
    return next((each for each in _AT_START if _first(each, tool, said)), None)


def lacks_ids(tool: Tool, said: str) -> bool:
    """Say whether a tool means that the user may not be several users."""
    return bool(_first("ids", tool, said))


def _first(fault: Fault, tool: Tool, said: str) -> str:
    """Return the first words of a text that mean some fault, or ""."""
    found = [
        match
        for row in ROWS
        if row.fault == fault
        and tool in row.tools
        and (match := row.words.search(said))
    ]
    return min(found, key=lambda each: each.start())[0] if found else ""
