"""Reads the flags of an engine that a platform file asks for, as `run_args`.

A flag that the runner does not give is refused: to leave it out in silence would
run a task otherwise than its author means.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlcube_conformance.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.loader.fields import Problems
    from mlcube_conformance.loader.yaml import Located

__all__ = ["DOCKER", "SINGULARITY", "Flags", "read_run_args"]

_NO_VALUE = re.compile("")
_SIZE = re.compile(r"[1-9]\d*[bkmgBKMG]?")


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
    },
    values={
        "network": re.compile(r"none|host|bridge|default|[\w][\w.-]*"),
        "gpus": re.compile(r"all|\d+|device=[\w,-]+"),
        "shm_size": _SIZE,
        "memory": _SIZE,
        "ipc": re.compile(r"none|host|private|shareable"),
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


def read_run_args(
    container: Located, options: dict[str, str], problems: Problems, flags: Flags
) -> None:
    """Read `run_args` of a container into options; add a problem where it cannot be."""
    at = container.get("run_args")
    if at is None or at.value is None:
        return
    try:
        words = shlex.split(problems.text(container, "run_args"))
    except ValueError as error:
        problems.add(
            "run_args is no list of flags",
            at,
            expected=f"flags of {flags.command}, such as --network=none",
            found=f"{at.text()} ({error})",
            do="close the quote",
        )
        return
    known = (*flags.options, *sorted(flags.ignored))
    waiting = iter(words)
    for word in waiting:
        flag, equals, value = word.partition("=")
        if flag in flags.ignored:
            continue
        if flag not in flags.options:
            problems.add(
                "run_args asks for what this runner does not give",
                at,
                found=word,
                expected=f"one of {', '.join(known)}",
                do=did_you_mean(flag, known) or "remove it",
            )
            return
        option = flags.options[flag]
        if flag in flags.words and not equals:
            options[option] = flags.words[flag]
            continue
        options[option] = value if equals else next(waiting, "")
        allowed = flags.values.get(option, _NO_VALUE)
        if not allowed.fullmatch(options[option]):
            problems.add(
                f"run_args gives {flag} a value that it does not take",
                at,
                found=f"{flag} {options[option]}".strip(),
                expected=allowed.pattern or "no value",
                do="mend the value",
            )
            return
