"""Exit codes report the result of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance_tests.runner.runs import what_is_at
from mlcube_conformance.suites.runner.probe.cube import ProbeCube, ProbeTask

if TYPE_CHECKING:
    from mlcube_conformance.suites.runner.trial import Trial


@pytest.mark.clause("EXIT-2")
def test_exit_code_of_task(trial: Trial) -> None:
    """The runner exits with the code that the task exits with."""
    for code in (3, 42, 255):
        run = trial.run(ProbeCube(plan=f"exit {code}\n"))
        run.starts()
        run.exits_with(code)


@pytest.mark.clause("EXIT-3")
def test_failure_is_no_success(trial: Trial) -> None:
    """A task that exits with 1 makes the runner fail."""
    run = trial.run(ProbeCube(plan="exit 1\n"))
    run.starts()
    run.fails()


@pytest.mark.clause("EXIT-6")
def test_killed_task(trial: Trial) -> None:
    """A task that a signal ends makes the runner fail."""
    run = trial.run(ProbeCube(plan="kill\n"))
    run.starts()
    run.fails()


@pytest.mark.clause("EXIT-7")
def test_failed_build(trial: Trial) -> None:
    """An image that cannot be built makes the runner fail, and no task is started."""
    cube = trial.place(
        ProbeCube(
            image=trial.image("broken"), recipe="COPY missing.txt /workspace/other\n"
        )
    )
    trial.configure(cube).fails()
    run = trial.run(cube)
    run.fails()
    run.starts_nothing()


@pytest.mark.clause("EXIT-11")
def test_stops_at_first_failure(trial: Trial) -> None:
    """Of several tasks, none is started after one that failed."""
    run = trial.run(
        ProbeCube(
            tasks=(ProbeTask(name="first"), ProbeTask(name="second")),
            plan={"first": "exit 7\n"},
        ),
        task="first,second",
    )
    run.starts()
    run.fails()
    run.expect(run.record("second") is None, "the second task is not started")


@pytest.mark.clause("EXIT-13")
def test_usage_error(trial: Trial) -> None:
    """A cube that does not exist is refused with exit code 2, and nothing is made."""
    placed = trial.place(ProbeCube())
    nowhere = placed.folder / "nowhere"
    run = trial.run(placed, named=str(nowhere))
    run.exits_with(2)
    run.starts_nothing()
    run.expect(not nowhere.exists(), f"{nowhere} is not made", what_is_at(nowhere))
    run.leaves_folder_empty()


@pytest.mark.clause("EXIT-14")
def test_remote_failure(trial: Trial) -> None:
    """A task that fails on another host makes the runner fail."""
    run = trial.run(ProbeCube(plan="exit 9\n"))
    run.starts()
    run.fails()


@pytest.mark.clause("EXIT-15")
def test_engine_absent(trial: Trial) -> None:
    """Without its engine, the runner fails with a message."""
    run = trial.run(
        ProbeCube(),
        environment=trial.description.engine_absent,
    )
    run.fails()
    run.starts_nothing()
    run.shows_no_traceback()
