"""The task writes its declared outputs, and touches nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import require

if TYPE_CHECKING:
    from mlcube_conformance.suites.cube.task_run import TaskRun


@pytest.mark.clause("OUTPUT-1")
def test_outputs_appear(finished: TaskRun) -> None:
    """Each declared output is made by this run."""
    require(finished.judgement.of("OUTPUT-1"))


@pytest.mark.clause("OUTPUT-2")
def test_outputs_are_of_their_type(finished: TaskRun) -> None:
    """A file is a file, and a directory a directory, whole and without danger."""
    require(finished.judgement.of("OUTPUT-2"))


@pytest.mark.clause("OUTPUT-3")
def test_outputs_are_not_empty(finished: TaskRun) -> None:
    """Each output that appeared holds something."""
    require(finished.judgement.of("OUTPUT-3"))


@pytest.mark.clause("INPUT-2")
def test_inputs_are_unchanged(ended: TaskRun) -> None:
    """The task leaves its inputs and the files of other tasks unchanged."""
    require(ended.judgement.of("INPUT-2"))


@pytest.mark.clause("OWNER-1")
def test_outputs_belong_to_the_user(ended: TaskRun) -> None:
    """The invoking user owns the outputs."""
    require(ended.judgement.of("OWNER-1"))
