"""What a task makes on another host is there, and comes back whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.checks.remote import outputs_are_on_host
from mlcube_conformance.errors import require

if TYPE_CHECKING:
    from mlcube_conformance.execution import TaskRun


@pytest.mark.clause("REMOTE-1")
def test_outputs_are_on_the_host(remote_run: TaskRun) -> None:
    """Each output lies on the host where the task ran, and the same here."""
    require(outputs_are_on_host(remote_run.outputs, remote_run.ended.remote or {}))
