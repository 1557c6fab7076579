"""Whose fault an engine means: one table of the words of all engines.

An engine says in its own words why it made no image or started no task. The first words
that a row knows decide; what no row knows is decided by the runner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ROWS", "Row", "cannot_start", "lacks_ids", "machine_fault"]

#: `runscript` is the shell that starts a task in an image of Singularity.
Tool = Literal["docker", "singularity", "runscript", "pip"]
Fault = Literal["machine", "step", "start", "ids"]


@dataclass(frozen=True, slots=True)
class Row:
    """Words, and what they mean when one of some tools says them."""

    fault: Fault
    """`machine`: the network, a registry, an index or the disk. `step`: a step of the
    cube's own failed, whatever it said itself. `start`: the image cannot start a task.
    `ids`: a user may not be several users."""
    tools: tuple[Tool, ...]
    words: re.Pattern[str]


_ENGINES: tuple[Tool, ...] = ("docker", "singularity")
_ALL: tuple[Tool, ...] = (*_ENGINES, "pip")


def _rows(fault: Fault, tools: tuple[Tool, ...], *words: str) -> Iterator[Row]:
    for each in words:
        yield Row(fault, tools, re.compile(each))


ROWS = (
    *_rows(
        "machine",
        _ALL,
        r"(?i)no space left on device",
        r"(?i)connection (refused|reset)",
    ),
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
        r"(?i)disk quota exceeded",
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
    *_rows("step", ("docker",), r"returned a non-zero code"),
    *_rows(
        "step",
        ("singularity",),
        r"%(post|test|files|appinstall)\b",
        r"while copying files",
    ),
    *_rows(
        "start",
        ("docker",),
        r"executable file not found",
        r"No command specified",
        # The path of a program may hold any character.
        r"(?s)exec: .*(no such file or directory|permission denied)",
        r"exec format error",
    ),
    *_rows(
        "start",
        ("singularity",),
        r"^exec .* failed",
        r"^\"[^\"]*\": executable file not found",
    ),
    *_rows(
        "start",
        ("runscript",),
        r"(?i)^/\.singularity\.d/(runscript|actions/run): .*"
        r"(not found|permission denied|cannot execute|exec format error)",
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


def machine_fault(tool: Tool, said: str, *, last: str = "") -> str:
    """Return the words by which a tool says that the machine is at fault, or "".

    Args:
        tool: Who says it.
        said: All that it says.
        last: What it says of the end. Where that names a step of the cube's own, the
            cube is at fault, whatever words the step used.
    """
    return "" if _first("step", tool, last) else _first("machine", tool, said)


def cannot_start(tool: Tool, said: str) -> bool:
    """Say whether a tool means that the image cannot start the task."""
    return bool(_first("start", tool, said))


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
