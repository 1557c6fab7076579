"""The outputs of the cube are the same on all platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import require
from mlcube_conformance.checks.comparison import same_on_every_platform, same_values

if TYPE_CHECKING:
    from mlcube_conformance.plan.order import Comparison
    from mlcube_conformance.suites.cube.task_run import TaskRun


@pytest.mark.clause("SAME-1")
def test_outputs_are_the_same_on_every_platform(
    comparison: Comparison, compared_runs: dict[str, TaskRun]
) -> None:
    """A task leaves the same names and types, and promised values, wherever it runs."""
    seen = {name: run.outputs for name, run in compared_runs.items()}
    task = comparison.invocation.task.name
    wrong = same_on_every_platform(task, seen)
    require(wrong or same_values(comparison.cases[0], seen))
