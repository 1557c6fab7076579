"""What to do about a step of a build that failed, by what its log says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["advice_on_step"]

#: What an engine says of a command that failed, and of a file that is missing.
_STEP = re.compile(
    r"executor failed running|did not complete successfully|non-zero code|%\w+ section"
)
#: A line that shows the command itself, and not what it says.
_COMMAND = re.compile(r"\s*(?:> )?\[[^\]]*\d/\d+\]|Step \d+/\d+ :|\+ ")
_MISSING_FILE = re.compile(
    r"\"/?([^\"]+)\"?:? not found|stat /?(\S+): (?:file does not exist|no such file)"
)
_NO_NETWORK = (
    r"(?i)temporary failure (?:in name resolution|resolving)|could not resolve"
    r"|name or service not known|network is unreachable|bad address"
    r"|connection (?:timed out|refused)|no such host"
)
#: Words of a line, and what to do; the last line that one of them is in counts.
_ROWS = tuple(
    (re.compile(words), do)
    for words, do in (
        (
            _NO_NETWORK,
            "check the network and the proxy that builds have here, or fix the recipe",
        ),
        (r"(?i)no space left on device", "free some disk space, then run again"),
        (
            r"satisfies the requirement (\S+)|No matching distribution found for (\S+)",
            "fix the name or the version of {0}, or check the network and the index",
        ),
        (
            r"(?i)unable to locate package (\S+)",
            "run apt-get update in the same RUN line, or fix the name {0}",
        ),
        (r"No module named '?([\w.]+)", "install {0} in a step before this one"),
        (
            r"(?:^|[\s/:])([\w.+-]+): (?:command )?not found",
            "install {0} in a step before this one, or fix its name",
        ),
        (r"(?i)exec format error", "fix FROM: the base is of another architecture"),
        (r"(?i)\bkilled\b|exit code: 137", "give builds more memory"),
    )
)


def advice_on_step(found: str, said: Sequence[str]) -> str:
    """Return what to do about a build that failed, "" where no row knows.

    Args:
        found: What the engine says of the end.
        said: The last lines of the log.
    """
    missing = _MISSING_FILE.search(found)
    if missing and not _STEP.search(found):
        name = missing[1] or missing[2]
        return (
            f"add {name} to the build context, or fix the line that copies it;\n"
            ".dockerignore may leave it out"
        )
    for line in reversed(said) if _STEP.search(found) else ():
        if _STEP.search(line) or _COMMAND.match(line):
            continue
        for words, do in _ROWS:
            match = words.search(line)
            if match:
                return do.format(*(each for each in match.groups() if each))
    return ""
