"""The order of tests by their subjects, without a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.clauses import CLAUSES
from mlcube_conformance.model import Case
from mlcube_conformance.plan.order import Placement
from mlcube_conformance.suites.cube.subjects import subject_of_item
from mlcube_conformance.suites.hooks import clause_id

if TYPE_CHECKING:
    import pytest

    from mlcube_conformance.plan.selection import Selection

__all__ = ["Ordering"]

_CLAUSES = {each.id: place for place, each in enumerate(CLAUSES)}


class Ordering:
    """By cube, then platform, then case; the cube itself comes first."""

    def __init__(self, selection: Selection) -> None:
        """Give each subject of a selection its place.

        A subject is known by the object that it is: there is one of each.
        """
        cubes = {each.cube.place: place for place, each in enumerate(selection.cubes)}
        platforms = {each.key: place for place, each in enumerate(selection.platforms)}
        self._placements = {each.key: each for each in selection.placements}
        self._places: dict[int, tuple[int, ...]] = {
            id(each): (cubes[each.cube.place], -1, -1) for each in selection.cubes
        }
        for checked in selection.platforms:
            cube, platform = cubes[checked.key[0]], platforms[checked.key]
            self._places[id(checked)] = (cube, platform, -2)
        for placement in selection.placements:
            # What stands for no platform has no file.
            platform = platforms.get(placement.key, 0)
            cube = cubes[placement.cube.place]
            self._places[id(placement)] = (cube, platform, -1)
            for place, case in enumerate(placement.cases):
                self._places[id(case)] = (cube, platform, place)
        for compared in selection.comparisons:
            cube = cubes[compared.cube.place]
            self._places[id(compared)] = (cube, len(platforms), -1)

    def sort(self, items: list[pytest.Item]) -> None:
        """Order the tests that have a subject; others stay where they are."""
        ours = {
            index: self._place(item, subject)
            for index, item in enumerate(items)
            if (subject := subject_of_item(item)) is not None
        }
        ordered = [items[index] for index in sorted(ours, key=ours.__getitem__)]
        for index, item in zip(ours, ordered, strict=True):
            items[index] = item

    def _place(self, item: pytest.Item, subject: object) -> tuple[int, ...]:
        """Return the place of a test: that of its subject, then that of its clause."""
        place = self._places[id(subject)]
        if not isinstance(subject, (Case, Placement)):
            return place
        # An unknown clause comes last.
        return (*place, _CLAUSES.get(clause_id(item), len(_CLAUSES)))

    def placement_of(self, case: Case) -> Placement:
        """Return the placement that a case belongs to."""
        return self._placements[case.placement_key]
