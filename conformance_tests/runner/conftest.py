"""Runs that several clauses look at: each takes place once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance_tests.runner.cubes import LOOK, OVERRIDDEN, REMOTE
from conformance_tests.runner.runs import Overridden, Sent

if TYPE_CHECKING:
    from mlcube_conformance.suites.runner.probe.run import ProbeRun
    from mlcube_conformance.suites.runner.trial import Trial


@pytest.fixture(scope="session")
def look(trial: Trial) -> ProbeRun:
    """Return a run of a task with files and folders, in and out."""
    return trial.run(LOOK)


@pytest.fixture(scope="session")
def overridden(trial: Trial) -> Overridden:
    """Return a run with an input and an output that the command line gives."""
    return Overridden.of(trial, OVERRIDDEN)


@pytest.fixture(scope="session")
def sent(trial: Trial) -> Sent:
    """Return a run on another host, of a cube with files beside its outputs."""
    return Sent.of(trial, REMOTE)
