"""Reads which program of an engine a cube asks for, and which flags of its `run`.

A flag that the runner does not give is refused: to leave it out in silence would
run a task otherwise than its author means.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located

__all__ = [
    "DOCKER",
    "SINGULARITY",
    "Flags",
    "read_docker_program",
    "read_flag",
    "read_flags",
    "read_singularity_program",
    "split_words",
]

#: Signs of a text of flags.
_MAX_LENGTH = 10_000
_NO_VALUE = re.compile("")
_SIZE = re.compile(r"[1-9]\d*[bkmgBKMG]?")
_SINGULARITY_PROGRAMS = ("singularity", "apptainer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags of an engine's `run` that a platform file may ask for."""

    command: str
    options: Mapping[str, str]
    """Option that each flag sets."""
    values: Mapping[str, re.Pattern[str]]
    """What an option may be."""
    words: Mapping[str, str] = field(default_factory=dict)
    """What a flag without a value means."""
    ignored: frozenset[str] = frozenset()
    """What is done whether it is asked or not."""


DOCKER = Flags(
    command="docker run",
    options={
        "--net": "network",
        "--network": "network",
        "--gpus": "gpus",
        "--shm-size": "shm_size",
        "--memory": "memory",
        "-m": "memory",
        "--ipc": "ipc",
        "--cpuset-cpus": "cpuset_cpus",
        "--security-opt": "security_opt",
    },
    values={
        "network": re.compile(r"none|host|bridge|default|[\w][\w.-]*"),
        "gpus": re.compile(r"all|\d+|device=[\w,-]+"),
        "shm_size": _SIZE,
        "memory": _SIZE,
        "ipc": re.compile(r"none|host|private|shareable"),
        "cpuset_cpus": re.compile(r"\d[\d,-]*"),
        "security_opt": re.compile(r"no-new-privileges(:(true|false))?|label[=:].+"),
    },
    ignored=frozenset({"--rm"}),
)
SINGULARITY = Flags(
    command="singularity run",
    options={
        "--network": "network",
        "--nv": "gpus",
        "--writable-tmpfs": "writable_tmpfs",
    },
    values={"network": re.compile(r"none|host")},
    words={"--nv": "all", "--writable-tmpfs": "yes"},
    ignored=frozenset(
        {
            *("-c", "--contain", "-C", "--containall", "-e", "--cleanenv"),
            *("-n", "--net", "--no-home"),
        }
    ),
)


def split_words(at: Located, problems: Problems) -> list[str]:
    """Split a text as a shell would, and run nothing; add a problem where it cannot."""
    if len(at.text()) > _MAX_LENGTH:
        problems.add(
            f"{_key(at)} is too long",
            at,
            expected=f"at most {_MAX_LENGTH} signs",
            do="write fewer flags",
        )
        return []
    try:
        return shlex.split(at.text())
    except ValueError as error:
        problems.add(
            f"{_key(at)} is no list of flags",
            at,
            expected="flags, such as --network=none",
            found=f"{at.text()} ({error})",
            do="close the quote",
        )
        return []


def _key(at: Located) -> str:
    return at.source.key.rpartition(".")[2]


def read_flags(
    at: Located, options: dict[str, str], problems: Problems, flags: Flags
) -> None:
    """Read flags of a command line into options; add a problem where it cannot be."""
    if not at.text():
        problems.add(
            f"{_key(at)!r} is no text",
            at,
            expected=f"flags of {flags.command}, such as --network=none",
            do="write the flags as one text",
        )
        return
    waiting = iter(split_words(at, problems))
    for word in waiting:
        flag, equals, value = word.partition("=")
        if flag in flags.ignored:
            continue
        if flag in flags.words and not equals:
            options[flags.options[flag]] = flags.words[flag]
            continue
        if flag in flags.options and not equals:
            value = next(waiting, "")
        if not read_flag(flag, value, at, options, problems, flags=flags):
            return


def read_flag(  # noqa: PLR0913 - a flag, its value, and where they stand
    flag: str,
    value: str,
    at: Located,
    options: dict[str, str],
    problems: Problems,
    *,
    flags: Flags,
) -> bool:
    """Read one flag into options; add a problem and return False where it cannot be."""
    known = (*flags.options, *sorted(flags.ignored))
    if flag not in flags.options:
        problems.add(
            f"{_key(at)} asks for what this runner does not give",
            at,
            found=f"{flag}={value}" if value else flag,
            expected=f"one of {', '.join(known)}",
            do=did_you_mean(flag, known) or "remove it",
        )
        return False
    option = flags.options[flag]
    allowed = flags.values.get(option, _NO_VALUE)
    if not allowed.fullmatch(value):
        problems.add(
            f"{_key(at)} gives {flag} a value that it does not take",
            at,
            found=f"{flag} {value}".strip(),
            expected=allowed.pattern or "no value",
            do="mend the value",
        )
        return False
    options[option] = value
    return True


def read_docker_program(
    name: str, at: Located, options: dict[str, str], problems: Problems
) -> None:
    """Read which program stands for Docker; its API is spoken to in any case."""
    if name == "nvidia-docker":
        options["gpus"] = "all"
    elif name and name != "docker":
        problems.add(
            f"{at.source.file.name} asks for another executable than docker",
            at,
            found=name,
            expected="docker or nvidia-docker",
            do="write docker; DOCKER_HOST says which daemon is spoken to",
        )


def read_singularity_program(
    name: str, at: Located, options: dict[str, str], problems: Problems
) -> None:
    """Read which program stands for Singularity."""
    options["command"] = name
    if name not in _SINGULARITY_PROGRAMS:
        problems.add(
            f"{at.source.file.name} asks for another executable than singularity",
            at,
            found=name,
            expected=" or ".join(_SINGULARITY_PROGRAMS),
            do="write one of these, or leave it out",
        )
