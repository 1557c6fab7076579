"""Marks by which `-m` selects tests: their level, and their clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.clauses import CUBE_CLAUSES
from mlcube_conformance.clauses.others import clauses_of_others
from mlcube_conformance.suites.cube.depth import LEVELS
from mlcube_conformance.suites.hooks import clause_id

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from mlcube_conformance.clauses import Clause

__all__ = ["ClauseMarks"]


class ClauseMarks:
    """Marks each test of a clause: `L3`, `must` or `should`, `clause_EXIT_1`."""

    def __init__(
        self, config: pytest.Config, find: Callable[[str], Clause | None]
    ) -> None:
        """Declare the marks, since a project may allow only those it knows.

        Args:
            config: The session's.
            find: Returns the clause with an id, if there is one.
        """
        self._find = find
        self._config = config
        self._declared: set[str] = set()
        for level, words in LEVELS.items():
            config.addinivalue_line("markers", f"{level}: level of a cube: {words}")
        for level in ("must", "should"):
            line = f"{level}: clauses that a cube {level.upper()} meet"
            config.addinivalue_line("markers", line)
        for each in (*CUBE_CLAUSES, *clauses_of_others()):
            self._declare(each)

    def _declare(self, known: Clause) -> str:
        """Return the mark of a clause, which pytest knows from now on."""
        mark = _mark(known.id)
        if mark not in self._declared:
            self._declared.add(mark)
            self._config.addinivalue_line("markers", f"{mark}: {known.sentence}")
        return mark

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Mark a test by its clause, where tests are selected by marks."""
        if not self._config.option.markexpr:
            return  # There may be very many.
        known = self._find(clause_id(item))
        if known is not None:
            for each in (known.depth, known.level.lower(), self._declare(known)):
                item.add_marker(each)


def _mark(clause_name: str) -> str:
    """Return the mark of a clause: an expression of `-m` knows no hyphen."""
    return f"clause_{clause_name.replace('-', '_')}"
