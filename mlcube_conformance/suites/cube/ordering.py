"""The order of tests by their subjects, without a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.clauses import CLAUSES

if TYPE_CHECKING:
    from mlcube_conformance.model import Case
    from mlcube_conformance.plan.order import Placement
    from mlcube_conformance.plan.selection import Selection

__all__ = ["Ordering"]

_CLAUSES = {each.id: place for place, each in enumerate(CLAUSES)}


class Ordering:
    """By cube, then platform, then case; the cube itself comes first."""

    def __init__(self, selection: Selection) -> None:
        """Give each subject of a selection its place.

        A subject is known by the object that it is: there is one of each.
        """
        cubes = {each.cube.root: place for place, each in enumerate(selection.cubes)}
        platforms = {each.key: place for place, each in enumerate(selection.platforms)}
        self._placements = {each.key: each for each in selection.placements}
        self._places: dict[int, tuple[int, ...]] = {
            id(each): (cubes[each.cube.root], -1, -1) for each in selection.cubes
        }
        for checked in selection.platforms:
            cube, platform = cubes[checked.key[0]], platforms[checked.key]
            self._places[id(checked)] = (cube, platform, -2)
        for placement in selection.placements:
            cube, platform = cubes[placement.cube.root], platforms[placement.key]
            self._places[id(placement)] = (cube, platform, -1)
            for place, case in enumerate(placement.cases):
                self._places[id(case)] = (cube, platform, place)
        for compared in selection.comparisons:
            cube = cubes[compared.cube.root]
            self._places[id(compared)] = (cube, len(platforms), -1)

    def place_of(self, subject: object) -> tuple[int, ...]:
        """Return the place of a subject, to sort by."""
        return self._places[id(subject)]

    def placement_of(self, case: Case) -> Placement:
        """Return the placement that a case belongs to."""
        return self._placements[case.placement_key]

    @staticmethod
    def place_of_clause(name: str | None) -> int:
        """Return the place of a clause among all; an unknown one comes last."""
        return _CLAUSES.get(name or "", len(_CLAUSES))
