"""What a validation found, for every form in which it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.base.paths import shown_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlcube_conformance.results.flaw import Flaw, Level
    from mlcube_conformance.validation.cubes import CheckedCube

__all__ = ["Report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Cubes, and what is wrong with them."""

    cubes: tuple[CheckedCube, ...]
    folder: Path
    """The current one: paths in it are written relative to it."""
    strict: bool = False
    """Whether a warning is a problem, too."""

    def flaws(self) -> Iterator[tuple[CheckedCube, Flaw]]:
        """Yield each flaw with its cube."""
        return ((cube, each) for cube in self.cubes for each in cube.flaws)

    def count(self, level: Level) -> int:
        """Return how many flaws are of a level."""
        return sum(each.level == level for _, each in self.flaws())

    def is_problem(self, flaw: Flaw) -> bool:
        """Say whether a flaw fails the validation."""
        return flaw.level == "error" or (self.strict and flaw.level == "warning")

    @property
    def problems(self) -> int:
        """How many flaws fail the validation."""
        return sum(self.is_problem(each) for _, each in self.flaws())

    @property
    def counts(self) -> str:
        """Everything in numbers, as "3 problems in 2 of 14 cubes, 1 warning"."""
        broken = sum(
            any(self.is_problem(each) for each in cube.flaws) for cube in self.cubes
        )
        cubes = _number(len(self.cubes), "cube")
        found = f"{_number(self.problems, 'problem')} in {broken} of {cubes}"
        parts = [found if broken else f"no problem in {cubes}"]
        warnings, notes = self.count("warning"), self.count("note")
        if warnings and not self.strict:
            parts.append(_number(warnings, "warning"))
        if notes:
            parts.append(f"{notes} unsupported")
        return ", ".join(parts)

    def path(self, path: Path) -> Path:
        """Return a path as it is written: relative to the current folder, if in it."""
        return shown_in(self.folder, path)


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
