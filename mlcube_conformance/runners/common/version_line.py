"""The version of an engine, in what its client says."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["VersionLine", "version_line"]

_LINE = re.compile(r"(?:(\S+) version )?v?(\d+(?:\.\d+)+)(\S*)")


class VersionLine(NamedTuple):
    """A line that gives a version."""

    name: str
    """Of the program; "" where the line has the version alone."""
    number: str
    """As in `1.4.5`."""
    suffix: str
    """What follows at once, as in `-1.el9`."""


def version_line(said: str) -> VersionLine | None:
    """Return the last line that is a version, None for none.

    A client, or a program in its place, may warn before.
    """
    for line in reversed(said.splitlines()):
        if found := _LINE.fullmatch(line.strip()):
            return VersionLine(*found.groups(default=""))
    return None
