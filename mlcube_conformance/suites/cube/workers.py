"""What the controller of pytest-xdist and its workers tell each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlcube_conformance.plan.selection import Selection
    from mlcube_conformance.suites.cube.unseen import Unseen

__all__ = ["Workers"]

_DESELECTED = "mlcube_deselected"


@dataclass(slots=True, kw_only=True)
class Workers:
    """The workers of a session, if it has some."""

    config: pytest.Config
    selection: Selection
    platforms: Sequence[str]
    run_id: str
    unseen: Unseen
    deselected: int = 0
    """Tests that an option such as `-k` left out."""

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Count what an option such as `-k` left out."""
        self.deselected += len(items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - of xdist
        """Tell a worker of pytest-xdist the name of the run."""
        node.workerinput["mlcube_run_id"] = self.run_id
        node.workerinput["mlcube_platforms"] = list(self.platforms)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - of xdist
        """Take what a worker counted."""
        output = getattr(node, "workeroutput", {})
        self.unseen.take(output)
        self.deselected += output.get(_DESELECTED, 0)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:  # noqa: ANN401 - of xdist
        """Deal tests out so that those of a cube on a platform share a worker."""
        from mlcube_conformance.suites.cube.scheduling import PlacementScheduling  # noqa: PLC0415

        return PlacementScheduling(
            config,
            log,
            [each.id for each in self.selection.placements],
            {
                comparison.id: [each.placement_id for each in comparison.cases]
                for comparison in self.selection.comparisons
            },
        )

    def send(self) -> None:
        """Tell the controller, at the end of a worker."""
        output: dict[str, int] = getattr(self.config, "workeroutput", {})
        output[_DESELECTED] = self.deselected
        self.unseen.send(self.config)
