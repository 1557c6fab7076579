"""Tasks run on another host as they run here."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance_tests.runner.cubes import SEED
from conformance_tests.runner.runs import files_of, what_is_at
from mlcube_conformance.suites.runner.probe.cube import ProbeCube, ProbeTask, file_in
from mlcube_conformance.suites.runner.probe.keys import make_key
from mlcube_conformance.suites.runner.probe.platform_files import variant_of

if TYPE_CHECKING:
    from conformance_tests.runner.runs import Sent
    from mlcube_conformance.suites.runner.trial import Trial


@pytest.mark.clause("REMOTE-2")
def test_nested_output_comes_back(sent: Sent) -> None:
    """Outputs come back however deep they are, and nothing but the workspace does."""
    sent.run.ends_well()
    result = sent.run.workspace / "results/deep/er/result.txt"
    sent.run.expect(
        result.is_file(), f"the task's output is {result}", what_is_at(result)
    )
    after = files_of(sent.run.placed.root, without="workspace")
    changed = {k for k, v in sent.before.items() if after.get(k) != v}
    sent.run.expect(not changed, "no other file of the cube changes", changed)


@pytest.mark.clause("REMOTE-3")
def test_identity_file(sent: Sent) -> None:
    """A key serves to log in and to copy, wherever it is."""
    sent.run.ends_well()
    made = sent.run.workspace / "made/made"
    sent.run.expect(made.is_file(), f"the task's output is {made}", what_is_at(made))


@pytest.mark.clause("REMOTE-4")
def test_wrong_identity_file(trial: Trial) -> None:
    """A rejected key makes the run fail."""
    placed = trial.place(ProbeCube())
    platform = variant_of(
        trial.another_host,
        placed.folder / "place",
        identity=lambda _, key: make_key(key),
    )
    run = trial.run(placed, platform=str(platform))
    run.fails()
    run.starts_nothing()


@pytest.mark.clause("REMOTE-5")
def test_second_configure(trial: Trial) -> None:
    """Configuring a cube again does no harm, with what is on the host already."""
    placed = trial.place(SEED)
    for _ in range(2):
        trial.configure(placed).exits_with(0)


@pytest.mark.clause("REMOTE-6")
def test_run_file_in_folder(trial: Trial) -> None:
    """A run file in a sub-folder, and a value of the command line, are forwarded."""
    seed = file_in("seed", "seeds/seed.txt")
    multi = trial.description.has("multi-file")
    cube = replace(
        SEED,
        tasks=(ProbeTask(parameters=(seed,), run_file="deep/look" if multi else ""),),
    )
    placed = trial.place(cube, form="multi-file" if multi else None)
    given = placed.folder / "given.txt"
    given.write_text("given\n", encoding="utf-8")
    run = trial.run(
        placed,
        task="deep/look" if multi else "look",
        parameters={"seed": str(given)} if trial.description.has("override") else {},
    )
    content = run.ends_well().content("seed")
    run.expect(content == "given\n", "the content of the file that was given", content)


@pytest.mark.clause("REMOTE-7")
def test_singularity_on_host(trial: Trial) -> None:
    """The other host may have Singularity instead of Docker."""
    run = trial.run(SEED, platform=str(trial.another_host_with_singularity))
    content = run.ends_well().content("seed")
    run.expect(content == "seed\n", "the task reads its input", content)


@pytest.mark.clause("REMOTE-8")
def test_variables(sent: Sent) -> None:
    """Variables of the platform file reach the task."""
    name, value = sent.VARIABLE
    found = sent.run.ends_well().environment.get(name)
    sent.run.expect(found == value, f"{name}={value}", found)


@pytest.mark.clause("REMOTE-9")
def test_local_files_stay(sent: Sent) -> None:
    """Files that are beside outputs here stay, with their modes."""
    sent.run.starts()
    sent.run.expect(sent.mine.is_file(), f"{sent.mine} stays", what_is_at(sent.mine))
    mode = stat.S_IMODE(sent.mine.stat().st_mode)
    sent.run.expect(mode == sent.MODE, f"its mode stays {sent.MODE:o}", f"{mode:o}")


@pytest.mark.clause("REMOTE-10")
def test_equal_folder_names(trial: Trial) -> None:
    """Two cubes in folders of one name do not meet."""
    found = []
    for content in ("one\n", "two\n"):
        cube = replace(SEED, folder="twin", workspace={"seeds/seed.txt": content})
        run = trial.run(cube)
        found.append(run.ends_well().content("seed"))
        run.expect(found[-1] == content, f"`seed` holds {content!r}", found)
