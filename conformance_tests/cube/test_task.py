"""The task runs, on inputs that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import require
from mlcube_conformance.checks.run import exits_zero

if TYPE_CHECKING:
    from mlcube_conformance.suites.cube.execution import TaskRun


@pytest.mark.clause("INPUT-1")
def test_inputs_are_there(attempt: TaskRun) -> None:
    """Each input is there before the task runs, of its declared type."""
    if attempt.not_ready is not None:
        raise attempt.not_ready


@pytest.mark.clause("EXIT-1")
def test_exits_zero(task_run: TaskRun) -> None:
    """The task starts and ends by itself, within its time, with exit code 0."""
    if task_run.not_started is not None:
        raise task_run.not_started
    require(exits_zero(task_run.case, task_run.ended))
