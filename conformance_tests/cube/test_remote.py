"""What a task makes on another host is there, and comes back whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import require

if TYPE_CHECKING:
    from mlcube_conformance.suites.cube.task_run import TaskRun


@pytest.mark.clause("REMOTE-1")
def test_outputs_are_on_the_host(remote_run: TaskRun) -> None:
    """What the task made is on the host where it ran, and the same here."""
    require(remote_run.judgement.of("REMOTE-1"))
