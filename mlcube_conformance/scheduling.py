"""Deals tests out to the workers of pytest-xdist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

__all__ = ["PlacementScheduling"]


class PlacementScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps the tests of one cube on one platform together, and in order.

    A case runs once for all the tests that look at it, which they can only do
    in the process that ran it. Every other test goes where there is room.
    """

    def __init__(
        self,
        config: pytest.Config,
        log: Any,  # noqa: ANN401 - xdist's own
        placement_ids: Sequence[str],
    ) -> None:
        """Remember the placements, the longest name first."""
        super().__init__(config, log)
        self._ids = sorted(placement_ids, key=len, reverse=True)

    def _split_scope(self, nodeid: str) -> str:
        """Return what a test shares a worker with: xdist's way to choose it."""
        parameters = nodeid.partition("[")[2]
        for each in self._ids:
            # As pytest writes a name into an id.
            if each.encode("unicode_escape").decode() in parameters:
                return each
        return nodeid
