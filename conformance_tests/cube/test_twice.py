"""The task makes the same when it runs again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import require
from mlcube_conformance.suites.fixtures import SESSION

if TYPE_CHECKING:
    from mlcube_conformance.suites.cube.task_run import TaskRun


@pytest.mark.clause("TWICE-1")
def test_second_run_on_outputs_works(
    request: pytest.FixtureRequest, sound: TaskRun
) -> None:
    """The task runs again where its outputs are, and makes the same ones."""
    require(request.config.stash[SESSION].further.on_own_outputs(sound))


@pytest.mark.clause("TWICE-2")
def test_deterministic_outputs_are_the_same_twice(
    request: pytest.FixtureRequest, sound: TaskRun
) -> None:
    """The task makes the promised bytes in a fresh workspace, too."""
    require(request.config.stash[SESSION].further.once_more(sound))
