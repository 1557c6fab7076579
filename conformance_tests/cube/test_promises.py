"""The task keeps what its cube promises in `conformance.yaml`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import require

if TYPE_CHECKING:
    from mlcube_conformance.base.errors import Message
    from mlcube_conformance.suites.cube.task_run import TaskRun


@pytest.mark.clause("PROMISE-1")
def test_outputs_have_promised_files(finished: TaskRun) -> None:
    """An output folder has the promised files."""
    require(finished.judgement.of("PROMISE-1"))


@pytest.mark.clause("PROMISE-2")
def test_outputs_have_no_unwanted_files(finished: TaskRun) -> None:
    """An output folder has no files that are ruled out."""
    require(finished.judgement.of("PROMISE-2"))


@pytest.mark.clause("PROMISE-3")
def test_outputs_have_promised_size(finished: TaskRun) -> None:
    """An output has the promised size."""
    require(finished.judgement.of("PROMISE-3"))


@pytest.mark.clause("PROMISE-4")
def test_files_have_promised_sha256(finished: TaskRun) -> None:
    """Files have the promised SHA-256."""
    require(finished.judgement.of("PROMISE-4"))


@pytest.mark.clause("PROMISE-5")
def test_files_hold_promised_text(finished: TaskRun) -> None:
    """Files hold the promised text."""
    require(finished.judgement.of("PROMISE-5"))


@pytest.mark.clause("PROMISE-6")
def test_values_are_as_promised(finished: TaskRun) -> None:
    """Values in documents are as promised."""
    require(finished.judgement.of("PROMISE-6"))


@pytest.mark.clause("PROMISE-7")
def test_outputs_are_as_stored(finished: TaskRun) -> None:
    """An output is what the cube stored as expected."""
    require(finished.judgement.of("PROMISE-7"))


@pytest.mark.clause("PROMISE-8")
def test_broken_inputs_are_refused(refused: tuple[Message, ...]) -> None:
    """The task fails on each broken input that its cube names."""
    require(refused)
