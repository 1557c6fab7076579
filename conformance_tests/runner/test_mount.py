"""Folders of the host are where the arguments of the task say."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import pytest

from conformance_tests.runner.runs import what_is_at
from mlcube_conformance.suites.runner.probe.cube import (
    ProbeCube,
    ProbeTask,
    file_in,
    file_out,
    folder_in,
    folder_out,
)

if TYPE_CHECKING:
    from mlcube_conformance.suites.runner.probe.run import ProbeRun
    from mlcube_conformance.suites.runner.trial import Trial


@pytest.mark.clause("MOUNT-1")
def test_parent_of_output_file(look: ProbeRun) -> None:
    """The folder of an output file is made."""
    look.ends_well()
    result = look.workspace / "results/result.txt"
    look.expect(result.is_file(), f"the task's output is {result}", what_is_at(result))


@pytest.mark.clause("MOUNT-2")
def test_output_file_is_no_directory(look: ProbeRun) -> None:
    """An output file that does not exist yet is not made a folder."""
    look.ends_well()
    beside = look.workspace / "there/beside.txt"
    look.expect(beside.is_file(), f"{beside} is a file", what_is_at(beside))


@pytest.mark.clause("MOUNT-3")
def test_file_argument(look: ProbeRun) -> None:
    """The argument of a file ends with its name and points to its content."""
    record = look.ends_well()
    value = record.value("seed")
    look.expect(value.endswith("/seed.txt"), "an argument ends with /seed.txt", value)
    content = record.content("seed")
    look.expect(content == "seed\n", f"{value} holds 'seed'", repr(content))


@pytest.mark.clause("MOUNT-4")
def test_two_files_in_a_folder(look: ProbeRun) -> None:
    """Two files of one folder are seen in one folder."""
    record = look.ends_well()
    values = record.value("seed"), record.value("other")
    folders = {posixpath.dirname(each) for each in values}
    look.expect(len(folders) == 1, "`seed` and `other` are in one folder", values)
    content = record.content("other")
    look.expect(content == "other\n", f"{values[1]} holds 'other'", repr(content))


@pytest.mark.clause("MOUNT-5")
def test_same_folder_in_and_out(trial: Trial) -> None:
    """A folder that goes in and out is mounted once, and can be written to."""
    run = trial.run(
        ProbeCube(
            tasks=(
                ProbeTask(
                    parameters=(folder_in("old", "both"), folder_out("new", "both"))
                ),
            ),
            plan="write new\n",
            workspace={"both/part.txt": "part\n"},
        )
    )
    record = run.ends_well()
    values = record.value("old"), record.value("new")
    run.expect(values[0] == values[1], "`old` and `new` are the same folder", values)
    made = run.workspace / "both/made"
    run.expect(made.is_file(), f"the task's output is {made}", what_is_at(made))


@pytest.mark.clause("MOUNT-6")
def test_trailing_slash(trial: Trial) -> None:
    """A folder is mounted once, with a slash at its end or without."""
    run = trial.run(
        ProbeCube(
            tasks=(
                ProbeTask(
                    parameters=(folder_in("one", "data"), folder_in("two", "data/"))
                ),
            ),
            workspace={"data/part.txt": "part\n"},
        )
    )
    record = run.ends_well()
    values = record.value("one"), record.value("two")
    run.expect(values[0] == values[1], "`one` and `two` are the same folder", values)
    listing = record.listing("two")
    run.expect(listing == ("part.txt",), "it holds part.txt", listing)


@pytest.mark.clause("MOUNT-7")
def test_nested_folders(trial: Trial) -> None:
    """A folder, one inside it and one inside that can all be parameters."""
    run = trial.run(
        ProbeCube(
            tasks=(
                ProbeTask(
                    parameters=(
                        folder_in("outer", "tree"),
                        folder_in("inner", "tree/inner"),
                        folder_out("made", "tree/inner/made"),
                    )
                ),
            ),
            plan="write made\n",
            workspace={"tree/one.txt": "one\n", "tree/inner/two.txt": "two\n"},
        )
    )
    record = run.ends_well()
    values = [record.value(each) for each in ("outer", "inner", "made")]
    run.expect(len(set(values)) == len(values), "three places", values)
    outer, inner = record.listing("outer") or (), record.listing("inner") or ()
    run.expect("one.txt" in outer and "inner" in outer, "all of `outer`", outer)
    run.expect("two.txt" in inner, "all of `inner`", inner)
    made = run.workspace / "tree/inner/made/made"
    run.expect(made.is_file(), f"the task's output is {made}", what_is_at(made))


@pytest.mark.clause("MOUNT-8")
def test_no_host_path(look: ProbeRun) -> None:
    """No path of the host is in the arguments of the task."""
    record = look.ends_well()
    host = str(look.placed.root)
    found = [each for each in record.arguments if host in each]
    look.expect(not found, f"no argument holds {host}", found)


@pytest.mark.clause("MOUNT-9")
def test_implementation_is_not_hidden(look: ProbeRun) -> None:
    """Nothing is mounted over the folder of the implementation in the image."""
    record = look.ends_well()
    found = [each for each in record.mounts if each == "/workspace"]
    look.expect(not found, "nothing is mounted at /workspace", record.mounts)


@pytest.mark.clause("MOUNT-10")
def test_read_only_input(trial: Trial) -> None:
    """A task cannot write to an input that is marked as read-only."""
    run = trial.run(
        ProbeCube(
            tasks=(ProbeTask(parameters=(folder_in("data", "data", opts="ro"),)),),
            plan="write data\n",
            workspace={"data/part.txt": "part\n"},
        ),
        form="single-file",
    )
    record = run.ends_well()
    wrote = record.writes.get("data")
    run.expect(not wrote, "`data` cannot be written to", "it can be" if wrote else "")
    made = run.workspace / "data/made"
    run.expect(not made.exists(), f"no {made}", what_is_at(made))


@pytest.mark.clause("MOUNT-11")
def test_read_only_input_beside_output(trial: Trial) -> None:
    """An output beside an input that is marked as read-only can be written."""
    run = trial.run(
        ProbeCube(
            tasks=(
                ProbeTask(
                    parameters=(
                        file_in("seed", "both/seed.txt", opts="ro"),
                        file_out("result", "both/result.txt"),
                    )
                ),
            ),
            plan="write result\n",
            workspace={"both/seed.txt": "seed\n"},
        ),
        form="single-file",
    )
    run.ends_well()
    result = run.workspace / "both/result.txt"
    run.expect(result.is_file(), f"the task's output is {result}", what_is_at(result))


@pytest.mark.clause("MOUNT-12")
def test_conflicting_modes(trial: Trial) -> None:
    """A folder that is read-only and writable at once is writable, with a warning."""
    run = trial.run(
        ProbeCube(
            tasks=(
                ProbeTask(
                    parameters=(
                        folder_in("one", "data", opts="ro"),
                        folder_in("two", "data", opts="rw"),
                    )
                ),
            ),
            plan="write two\n",
            workspace={"data/part.txt": "part\n"},
        ),
        form="single-file",
    )
    record = run.ends_well()
    run.expect(record.writes.get("two"), "`two` can be written to")
    run.warns_of("one", "two")
