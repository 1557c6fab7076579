"""Deals tests out to the workers of pytest-xdist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

__all__ = ["PlacementScheduling"]


class PlacementScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps the tests of one cube on one platform together, and in order.

    A case runs once for all the tests that look at it, which they can only do
    in the process that ran it. A test that compares platforms looks at the runs of
    all of them, so these share a worker too. Every other test goes where there
    is room.
    """

    def __init__(
        self,
        config: pytest.Config,
        log: Any,  # noqa: ANN401 - xdist's own
        placement_ids: Sequence[str],
        comparisons: Mapping[str, Sequence[str]],
    ) -> None:
        """Remember the placements, and which of them tests compare."""
        super().__init__(config, log)
        self._ids = [_as_in_id(each) for each in placement_ids]
        self._compared = {
            _as_in_id(name): [_as_in_id(each) for each in ids]
            for name, ids in comparisons.items()
        }
        self._groups = {each: each for each in self._ids}

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:  # noqa: ANN401
        """Take the tests that a worker found; xdist's way to tell them."""
        for nodeid in collection:
            named = self._named(nodeid)
            # Where ids look alike, their placements go to one worker.
            for each in named[1:]:
                one, other = self._groups[named[0]], self._groups[each]
                self._groups = {
                    name: one if group == other else group
                    for name, group in self._groups.items()
                }
        super().add_node_collection(node, collection)

    def _named(self, nodeid: str) -> list[str]:
        """Return the placements whose runs a test looks at."""
        parameters = nodeid.partition("[")[2]
        named = [each for each in self._ids if each in parameters]
        for name, compared in self._compared.items():
            if name in parameters:
                named += compared
        return named

    def _split_scope(self, nodeid: str) -> str:
        """Return what a test shares a worker with: xdist's way to choose it."""
        named = self._named(nodeid)
        return self._groups[named[0]] if named else nodeid


def _as_in_id(name: str) -> str:
    """Return a name as pytest writes it into an id."""
    return name.encode("unicode_escape").decode()
