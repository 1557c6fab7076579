"""The parts of an overview as a table: cubes and tasks down, platforms across.

Of runners, the clauses are down and the runners across; where they differ comes first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlcube_conformance.results.finding import passed_failed_errors
from mlcube_conformance.results.overview import BAD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlcube_conformance.results.overview import Check, Overview, Part

__all__ = [
    "DIFFERENT",
    "Row",
    "columns_of",
    "levels_of_cube",
    "name_of",
    "numbers_of",
    "rows_of",
    "seen_of",
]


#: What the rows are called in which runners differ.
DIFFERENT = "verdicts differ"


@dataclass(slots=True, kw_only=True)
class Row:
    """A definition, an image or a task, on each platform; a clause, by each runner."""

    title: str
    group: str = ""
    """The cube, or the family of the clause."""
    parts: dict[str, Part] = field(default_factory=dict)
    """By platform; "" for what all of them share."""

    @property
    def sentence(self) -> str:
        """What the clause says, where the row is of one."""
        part = next(iter(self.parts.values()))
        of_clause = part.checks and part.checks[0].clause == self.title
        return part.checks[0].sentence if of_clause else ""

    @property
    def differs(self) -> bool:
        """Whether the verdict is not the same everywhere."""
        return len({part.state for part in self.parts.values()}) > 1

    @property
    def is_bad(self) -> bool:
        """Whether it fails the run anywhere."""
        return any(part.state in BAD for part in self.parts.values())

    @property
    def text(self) -> str:
        """What a search looks through."""
        words = [self.title, self.group, self.sentence]
        for part in self.parts.values():
            words += [part.cube, part.column]
            for check in part.checks:
                if check.state != "passed":
                    words += [check.clause, str(check.finding["reason"])[:200]]
        return " ".join(dict.fromkeys(words)).lower()


def rows_of(overview: Overview) -> Mapping[str, Sequence[Row]]:
    """Return the rows of each cube, or of each family of clauses."""
    found: dict[str, dict[str, Row]] = {}
    for part in overview.parts:
        group = part.title.partition("-")[0] if overview.runners else part.cube
        rows = found.setdefault(group, {})
        row = rows.setdefault(part.title, Row(title=part.title, group=group))
        row.parts[part.column] = part
    grouped = {group: [*rows.values()] for group, rows in found.items()}
    return _differences_first(grouped) if overview.runners else grouped


def _differences_first(grouped: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """Return the clauses in which runners differ, then each family's others."""
    rows = [row for rows in grouped.values() for row in rows]
    different = [row for row in rows if row.differs]
    found = {DIFFERENT: sorted(different, key=lambda row: not row.is_bad)}
    for group, rows_of_group in grouped.items():
        found[group] = [row for row in rows_of_group if not row.differs]
    return {group: rows for group, rows in found.items() if rows}


def columns_of(overview: Overview) -> list[str]:
    """Return the platforms; one without a name where there is none."""
    return [*overview.columns] or [""]


def levels_of_cube(overview: Overview, cube: str) -> list[Mapping[str, str] | None]:
    """Return the level of a cube for each column; nothing where none is known."""
    found = [overview.levels.get((cube, each)) for each in columns_of(overview)]
    return found if any(found) else []


def numbers_of(overview: Overview, column: str) -> tuple[int, int, int]:
    """Return how many checks of a runner passed, failed, and were errors."""
    checks = (check for part, check in overview.checks if part.column == column)
    return passed_failed_errors(Counter(each.state for each in checks))


def seen_of(check: Check) -> str:
    """Return in one line what was seen of a clause, or why it was not tested."""
    seen = check.finding["facts"].get("seen", "")
    return "; ".join(filter(None, (str(check.finding["reason"]), seen)))


def name_of(part: Part) -> str:
    """Return what a part is called: cube, platform and task, or runner and clause."""
    return " · ".join(filter(None, (part.cube, part.column, part.title)))
