"""The outputs of a task on another host are there, and come back complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import require

if TYPE_CHECKING:
    from mlcube_conformance.suites.cube.task_run import TaskRun


@pytest.mark.clause("REMOTE-1")
def test_outputs_are_on_the_host(remote_run: TaskRun) -> None:
    """The outputs are on the host where the task ran, and the same here."""
    require(remote_run.judgement.of("REMOTE-1"))
