"""The runs that the tests of this folder look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.suites.fixtures import SESSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.base.errors import Message
    from mlcube_conformance.suites.cube.task_run import TaskRun


@pytest.fixture
def ended(task_run: TaskRun) -> TaskRun:
    """Return a run whose task was started, however it ended."""
    if task_run.result is None and not task_run.left:
        pytest.skip(
            f"not run: task {task_run.case.invocation.task.name!r} cannot start"
        )
    if task_run.result is not None and task_run.result.over:
        pytest.skip(
            f"not checked: task {task_run.case.invocation.task.name!r} wrote too much"
        )
    return task_run


@pytest.fixture
def finished(ended: TaskRun) -> TaskRun:
    """Return a run that succeeded; the files of a failed task prove nothing."""
    if not (ended.exited_zero or ended.left):
        pytest.skip(f"not checked: task {ended.case.invocation.task.name!r} failed")
    return ended


@pytest.fixture
def sound(finished: TaskRun) -> TaskRun:
    """Return a run that made its outputs; a broken one need not run again."""
    if not finished.succeeded:
        task = finished.case.invocation.task.name
        pytest.skip(f"not run: L2 is not reached by task {task!r}")
    return finished


@pytest.fixture
def conditions(
    request: pytest.FixtureRequest, sound: TaskRun
) -> Mapping[str, tuple[Message, ...]]:
    """Return what is wrong with runs under harder conditions, by clause."""
    return request.config.stash[SESSION].further.under_conditions(sound)


@pytest.fixture
def refused(request: pytest.FixtureRequest, finished: TaskRun) -> tuple[Message, ...]:
    """Return what is wrong with runs on the broken inputs that the cube names."""
    return request.config.stash[SESSION].further.on_broken_inputs(finished)
