"""Whose fault it is that an image or an environment was not made in time.

What fetches and unpacks waits for a registry, an index, the network or the disk: that
is the machine's fault. Only a step of the cube's own that runs is the cube's, such as
a RUN line, a %post section or the build of a package that it requires.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from mlcube_conformance.base.errors import MachineError, Message, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Progress", "images_fetched"]

Tool = Literal["docker", "buildkit", "singularity", "pip"]


@dataclass(frozen=True, slots=True)
class _Marks:
    """Lines of a tool that tell what it begins."""

    own: re.Pattern[str]
    """A step of the cube's own."""
    other: re.Pattern[str]
    """Something else, such as to fetch a base image; or the end of such a step."""


#: Instructions of Docker by which an image is fetched.
_FETCHES = r"(FROM|COPY\s+--from=\S+)\s"
_MARKS: dict[Tool, _Marks] = {
    "docker": _Marks(
        re.compile(rf"Step \d+/\d+ : (?!{_FETCHES})", re.IGNORECASE),
        re.compile(rf"Step \d+/\d+ : {_FETCHES}", re.IGNORECASE),
    ),
    # What a step says itself has its time before it: `#7 0.12 …`.
    "buildkit": _Marks(
        re.compile(rf"#\d+ \[[^\]]*\d+/\d+\] (?!{_FETCHES})", re.IGNORECASE),
        re.compile(
            rf"#\d+ (\[[^\]]*\d+/\d+\] {_FETCHES}|\[internal\]|sha256:\w+ \S+B /"
            r"|resolve |extracting |exporting )",
            re.IGNORECASE,
        ),
    ),
    "singularity": _Marks(
        re.compile(
            r"(\x1b\[\d+m)?INFO:\s+(Running \w+ ?script(let)?\b|Copying .+ to )"
        ),
        re.compile(r"(\x1b\[\d+m)?INFO:\s+Fetching OCI image"),
    ),
    # What a build itself says is not shown.
    "pip": _Marks(
        re.compile(
            r"\s*(Getting requirements to build|Preparing (editable )?metadata"
            r"|Building (editable )?wheel for|Running setup\.py) .*: started"
        ),
        re.compile(r"\s*.*: finished with status"),
    ),
}


def images_fetched(dockerfile: str) -> int:
    """Return how often the recipe of an image of Docker may fetch one."""
    lines = dockerfile.splitlines()
    return sum(bool(re.match(rf"\s*{_FETCHES}", each, re.IGNORECASE)) for each in lines)


@dataclass(slots=True, kw_only=True)
class Progress:
    """What is at work while an image or an environment is made."""

    tool: Tool
    bases: int | None = None
    """Base images that are fetched at most: what a step of the cube says may look like
    more. None where that cannot be."""
    _own: bool = field(default=False, init=False)

    def hear(self, lines: Iterable[str]) -> None:
        """Take further lines that the tool says."""
        marks = _MARKS[self.tool]
        for line in lines:
            if marks.own.match(line):
                self._own = True
            elif self.bases != 0 and marks.other.match(line):
                self._own = False
                self.bases = None if self.bases is None else self.bases - 1

    def too_late(self, message: Message, timeout: float) -> Violation | MachineError:
        """Return the error of what was ended at its deadline.

        Args:
            message: What was made, where, and the end of its log.
            timeout: Seconds that it had.
        """
        found = "it was stopped at its deadline, in "
        expected = f"an end within {timeout:g} s"
        if self._own:
            return Violation(
                replace(
                    message,
                    found=f"{found}a step of the cube's own",
                    expected=expected,
                    do="speed it up, or raise --configure-timeout",
                )
            )
        return MachineError(
            replace(
                message,
                found=f"{found}no step of the cube's own",
                expected=expected,
                do="check the network, the proxy and the disk, or raise "
                "--configure-timeout",
            )
        )
