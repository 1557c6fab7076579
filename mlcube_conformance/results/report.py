"""What a report is written from, and where in files its failures point to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message
from mlcube_conformance.base.source import Source, Where, source_of
from mlcube_conformance.results.flaw import Flaw, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from mlcube_conformance.results.changes import Change
    from mlcube_conformance.results.overview import Check, Overview, Part

__all__ = ["Report"]

_LEVELS: Mapping[str, Level] = {
    "failed": "error",
    "unexpected pass": "error",
    "warning": "warning",
    "unsupported": "note",
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """A record, compared with another one where there is one."""

    overview: Overview
    folder: Path
    """The current one: paths in it are written relative to it."""
    changes: tuple[Change, ...] | None = None
    """None where there is no baseline."""

    @property
    def regressions(self) -> list[Change]:
        """What got worse since the baseline."""
        return [each for each in self.changes or () if each.is_regression]

    @cached_property
    def flaws(self) -> list[Flaw]:
        """What is wrong, each at a line of a file of its cube."""
        return [
            Flaw(
                clause=check.clause,
                message=self._placed(message, part, check),
                level=_LEVELS[check.state],
            )
            for part, check in self.overview.checks
            if check.state in _LEVELS
            for message in _messages(check)
        ]

    @property
    def faults(self) -> list[Message]:
        """What kept cubes from being tested, by no fault of a cube."""
        return [
            message
            for _, check in self.overview.checks
            if check.state == "error"
            for message in _messages(check)
        ]

    def _placed(self, message: Message, part: Part, check: Check) -> Message:
        """Return a message that points to a file of the cube, so it can be shown."""
        cube = self._cubes.get((check.finding.get("run", ""), part.cube))
        if cube is None:
            return message
        source = source_of(message.where)
        if source is not None and source.file.is_relative_to(cube["root"]):
            return message
        file = cube.get("tasks", {}).get(part.title) or cube.get("file")
        if file is None:
            return message
        where = Where(message.where, Source(file=Path(file), line=0))
        return replace(message, where=where)

    @cached_property
    def _cubes(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        cubes = self.overview.record["cubes"]
        return {(each.get("run", ""), each["id"]): each for each in cubes}


def _messages(check: Check) -> Iterator[Message]:
    if check.messages:
        yield from check.messages
    elif check.state != "unsupported":  # What does not apply needs no place.
        reason = str(check.finding["reason"]) or check.state
        yield Message(what=reason, where=check.test)
