"""What a run prints, needs and leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance_tests.runner.cubes import SEED
from conformance_tests.runner.runs import what_is_at
from mlcube_conformance.suites.runner.probe.cube import (
    ProbeCube,
    ProbeTask,
    file_in,
    folder_out,
)

if TYPE_CHECKING:
    from mlcube_conformance.suites.runner.probe.run import ProbeRun
    from mlcube_conformance.suites.runner.trial import Trial


@pytest.mark.clause("RUN-1")
def test_nothing_left_behind(trial: Trial) -> None:
    """No container is left after a run."""
    image = trial.image("left")
    cube = ProbeCube(image=image, recipe="LABEL probe=left\n")
    before = trial.left_behind(image)
    run = trial.run(cube)
    left = trial.left_behind(image) - before
    trial.remove(left)
    trial.remove_image(image)
    run.starts()
    run.expect(not left, "no container is left behind", f"{len(left)} of them")


@pytest.mark.clause("RUN-2")
def test_streams(look: ProbeRun) -> None:
    """What the task writes to its streams reaches the caller, byte by byte."""
    out, err = b"probe out \xff\xfe\n", b"probe err \xff\xfe\n"
    look.expect(out in look.called.stdout, f"{out!r} on the standard output")
    look.expect(err in look.called.stderr, f"{err!r} on the standard error")


@pytest.mark.clause("RUN-3")
def test_help(trial: Trial) -> None:
    """The runner tells how a task is run."""
    run = trial.ask_for_help()
    run.exits_with(0)
    run.shows_no_traceback()
    run.expect(run.called.said.strip(), "some help")


@pytest.mark.clause("RUN-4")
def test_mandatory_options_alone(trial: Trial) -> None:
    """With no option but the mandatory ones, the task runs in the cube's workspace."""
    record = (run := trial.run(SEED)).ends_well()
    run.gets(record, "seed", "seed\n")
    run.leaves_folder_empty()


@pytest.mark.clause("RUN-5")
def test_custom_workspace(trial: Trial) -> None:
    """Inputs of the cube are copied once into another workspace, outputs never."""
    placed = trial.place(
        ProbeCube(
            tasks=(
                ProbeTask(
                    parameters=(
                        file_in("seed", "seeds/seed.txt"),
                        folder_out("made", "made"),
                    )
                ),
            ),
            workspace={"seeds/seed.txt": "seed\n", "made/old.txt": "old\n"},
        )
    )
    workspace = placed.folder / "workspace"
    run = trial.run(placed, workspace=workspace)
    content = run.ends_well().content("seed")
    run.expect(content == "seed\n", "the input of the cube", content)
    old = workspace / "made/old.txt"
    run.expect(not old.exists(), f"no {old}", what_is_at(old))

    copy = workspace / "seeds/seed.txt"
    run.expect(copy.is_file(), f"a copy of the input is {copy}", what_is_at(copy))
    copy.write_text("mine\n", encoding="utf-8")
    again = trial.run(placed, workspace=workspace)
    content = again.ends_well().content("seed")
    again.expect(content == "mine\n", "the input that already existed", content)


@pytest.mark.clause("RUN-6")
def test_interrupt(trial: Trial) -> None:
    """An interrupt ends the command, its task, and what the task started."""
    run = trial.run(ProbeCube(plan="fork\nhang\n"), interrupt_at=b"probe hangs")
    run.fails()
    run.starts()
    if trial.is_elsewhere:
        return  # What goes on there is not seen from here.
    before = _beats(run)
    run.expect(before, "the task writes until it is stopped")
    run.let_beats_pass()
    more = len(_beats(run)) - len(before)
    run.expect(not more, "nothing is written after the end", f"{more} bytes")


def _beats(run: ProbeRun) -> str:
    file = run.workspace / "report-look/beats"
    return file.read_text(encoding="utf-8") if file.is_file() else ""
