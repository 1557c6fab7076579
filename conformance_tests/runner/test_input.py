"""Inputs are there, of their type, before anything is started."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance_tests.runner.cubes import SEED
from conformance_tests.runner.runs import what_is_at
from mlcube_conformance.suites.runner.probe.cube import (
    ProbeCube,
    ProbeTask,
    file_in,
    folder_in,
)

if TYPE_CHECKING:
    from mlcube_conformance.suites.runner.trial import Trial


@pytest.mark.clause("INPUT-3")
def test_directory_that_is_a_file(trial: Trial) -> None:
    """A file instead of a folder, or a folder of a file, is refused by its name."""
    for data in (folder_in("data", "here/it-is"), file_in("data", "here")):
        cube = ProbeCube(
            tasks=(ProbeTask(parameters=(data,)),),
            workspace={"here/it-is": "a file\n"},
        )
        trial.run(cube).refuses("data")


@pytest.mark.clause("INPUT-4")
def test_missing_input(trial: Trial) -> None:
    """An input that does not exist is refused, and not made."""
    seed = file_in("seed", "nowhere/seed.txt")
    run = trial.run(replace(SEED, tasks=(ProbeTask(parameters=(seed,)),)))
    run.fails()
    run.starts_nothing()
    nowhere = run.workspace / "nowhere"
    run.expect(not nowhere.exists(), f"{nowhere} is not made", what_is_at(nowhere))
