"""The task runs, on inputs that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import require

if TYPE_CHECKING:
    from mlcube_conformance.suites.cube.task_run import TaskRun


@pytest.mark.clause("INPUT-1")
def test_inputs_are_there(attempt: TaskRun) -> None:
    """Each input is there before the task runs, of its declared type."""
    require(attempt.judgement.of("INPUT-1"))


@pytest.mark.clause("EXIT-1")
def test_exits_zero(task_run: TaskRun) -> None:
    """The task starts and ends by itself, within its time, with exit code 0."""
    require(task_run.judgement.of("EXIT-1"))
