"""Tasks get their arguments, and invalid ones are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance_tests.runner.cubes import LOOK, SEED
from conformance_tests.runner.runs import files_of
from mlcube_conformance.suites.runner.probe.cube import (
    ProbeCube,
    ProbeParameter,
    ProbeTask,
    file_in,
    folder_in,
    folder_out,
)

if TYPE_CHECKING:
    from conformance_tests.runner.runs import Overridden
    from mlcube_conformance.suites.runner.probe.run import ProbeRun
    from mlcube_conformance.suites.runner.trial import Trial

_TWO = ProbeCube(tasks=(ProbeTask(name="first"), ProbeTask(name="second")))


@pytest.mark.clause("ARG-1")
def test_argv(look: ProbeRun) -> None:
    """A task gets its name, then --name=value of each input, then of each output."""
    names = [f"--{each.name}" for each in LOOK.tasks[0].all_parameters]
    found = [each.partition("=")[0] for each in look.ends_well().arguments]
    look.expect(found == ["look", *names], f"the arguments look {names}", found)


@pytest.mark.clause("ARG-3")
def test_unknown_task(trial: Trial) -> None:
    """A task that does not exist is refused, and those that are there are named."""
    trial.run(ProbeCube(tasks=(ProbeTask(name="inspect"),)), task="lok").refuses(
        "inspect"
    )


@pytest.mark.clause("ARG-4")
def test_unlisted_task_file(trial: Trial) -> None:
    """A task file that the main file does not list runs, or is refused by name."""
    run = trial.run(
        ProbeCube(tasks=(ProbeTask(), ProbeTask(name="hidden", listed=False))),
        task="hidden",
        form="multi-file",
    )
    if run.called.exit_code:
        run.refuses("hidden")
    else:
        run.ends_well("hidden")


@pytest.mark.clause("ARG-5")
def test_undeclared_binding(trial: Trial) -> None:
    """A value for a parameter that the task lacks is refused by its name."""
    more = file_in("surplus", "seeds/seed.txt", declared=False)
    cube = replace(SEED, tasks=(ProbeTask(parameters=(more,)),))
    trial.run(cube, form="multi-file").refuses("surplus")


@pytest.mark.clause("ARG-6")
def test_unbound_parameter(trial: Trial) -> None:
    """A parameter without a value is refused by name, or left out."""
    spare = ProbeParameter(name="spare", role="input", kind="file", value=None)
    run = trial.run(
        ProbeCube(tasks=(ProbeTask(parameters=(spare,)),)), form="multi-file"
    )
    if run.called.exit_code:
        run.refuses("spare")
    else:
        found = run.ends_well().values("spare")
        run.expect(not found, "no argument for `spare`", found)


@pytest.mark.clause("ARG-7")
def test_same_name_in_and_out(trial: Trial) -> None:
    """A name that is an input and an output is passed twice."""
    run = trial.run(
        ProbeCube(
            tasks=(
                ProbeTask(
                    parameters=(folder_in("data", "data"), folder_out("data", "made"))
                ),
            ),
            workspace={"data/part.txt": "part\n"},
        )
    )
    found = run.ends_well().values("data")
    run.expect(len(found) == len({"in", "out"}), "`data` twice", found)


@pytest.mark.clause("ARG-8")
def test_task_names(trial: Trial) -> None:
    """The name of a task keeps what looks like a suffix."""
    cube = trial.place(
        ProbeCube(tasks=(ProbeTask(name="play"), ProbeTask(name="eval")))
    )
    for name in ("play", "eval"):
        run = trial.run(cube, task=name)
        found = run.ends_well(name).arguments[0]
        run.expect(found == name, f"the task {name!r}", found)


@pytest.mark.clause("ARG-9")
def test_override_wins(overridden: Overridden) -> None:
    """A value on the command line wins, and the cube's files stay as they were."""
    run = overridden.run
    content = run.ends_well().content("seed")
    run.expect(content == "given\n", "the content of the file that was given", content)
    after = files_of(run.placed.root, without="workspace")
    changed = {k for k, v in overridden.before.items() if after.get(k) != v}
    run.expect(not changed, "no file of the cube changes", changed)


@pytest.mark.clause("ARG-10")
def test_unknown_override(trial: Trial) -> None:
    """A value for a parameter that the task lacks is refused."""
    placed = trial.place(SEED)
    given = placed.workspace / "seeds/seed.txt"
    run = trial.run(placed, parameters={"seeed": str(given)})
    run.fails()
    run.starts_nothing()


@pytest.mark.clause("ARG-11")
def test_misspelt_option(trial: Trial) -> None:
    """A misspelt option is refused."""
    run = trial.run(SEED, words=("--networg=none",))
    run.fails()
    run.starts_nothing()


@pytest.mark.clause("ARG-12")
def test_override_without_equals(trial: Trial) -> None:
    """An override without an equals sign is refused with a message."""
    run = trial.run(SEED, words=trial.override_without_value("seed"))
    run.refuses()


@pytest.mark.clause("ARG-13")
def test_task_list(trial: Trial) -> None:
    """A list of tasks means the same with and without blanks after its commas."""
    for tasks in ("first,second", "first, second"):
        run = trial.run(_TWO, task=tasks)
        run.ends_well("first")
        run.ends_well("second")


@pytest.mark.clause("ARG-14")
def test_default_task(trial: Trial) -> None:
    """Without a task, the only one is run; where there are several, they are listed."""
    trial.run(ProbeCube(), task=None).ends_well()
    trial.run(_TWO, task=None).refuses("first", "second")


@pytest.mark.clause("ARG-15")
def test_integer_value(trial: Trial) -> None:
    """A value that is a number, or a list, is refused by the name of its parameter."""
    for value in (3, ["3"]):
        count = ProbeParameter(name="count", role="input", kind="file", value=value)
        cube = ProbeCube(
            tasks=(ProbeTask(parameters=(count,)),), workspace={"3": "a file\n"}
        )
        trial.run(cube).refuses("count")


@pytest.mark.clause("ARG-16")
def test_text_null(trial: Trial) -> None:
    """A value that is the text null stays text."""
    run = trial.run(
        ProbeCube(
            tasks=(ProbeTask(parameters=(folder_in("data", "null", raw=True),)),),
            workspace={"null/part.txt": "part\n"},
        )
    )
    listing = run.ends_well().listing("data")
    run.expect(listing == ("part.txt",), "`data` is the folder null", listing)


@pytest.mark.clause("ARG-17")
def test_type_by_value(trial: Trial) -> None:
    """Without a type, the value or the existing file decides what a parameter is."""
    run = trial.run(
        _untyped(
            ("a", "input", "here"),
            ("b", "input", "f"),
            ("c", "output", "made/"),
            ("d", "output", "other\\"),
        ),
        form="single-file",
    )
    record = run.ends_well()
    run.expect(
        record.listing("a") == ("part.txt",), "`a` is a folder", record.listing("a")
    )
    run.expect(record.content("b") == "file\n", "`b` is a file", record.content("b"))
    run.expect(record.listing("c") == (), "`c` is a folder", record.listing("c"))
    run.expect(record.listing("d") == (), "`d` is a folder", record.listing("d"))
    unknown = trial.run(_untyped(("made", "output", "what")), form="single-file")
    unknown.refuses("made")


def _untyped(*parameters: tuple[str, str, str]) -> ProbeCube:
    found = tuple(
        ProbeParameter(
            name=name, role="input" if role == "input" else "output", kind="", value=at
        )
        for name, role, at in parameters
    )
    return ProbeCube(
        tasks=(ProbeTask(parameters=found),),
        workspace={"here/part.txt": "part\n", "f": "file\n"},
    )


@pytest.mark.clause("ARG-18")
def test_entrypoint(trial: Trial) -> None:
    """An entrypoint of one word or several gets the parameters, and no task."""
    placed = trial.place(
        ProbeCube(
            tasks=(
                ProbeTask(name="several", entrypoint="/bin/sh /workspace/probe.sh"),
                ProbeTask(name="one", entrypoint="/workspace/probe"),
            )
        ),
        form="single-file",
    )
    for name in ("several", "one"):
        run = trial.run(placed, task=name)
        found = [each.partition("=")[0] for each in run.ends_well(name).arguments]
        run.expect(found == ["--plan", "--report"], "--plan and --report alone", found)


@pytest.mark.clause("ARG-19")
def test_null_entrypoint(trial: Trial) -> None:
    """An entrypoint of null means that of the image."""
    run = trial.run(ProbeCube(tasks=(ProbeTask(entrypoint=None),)), form="single-file")
    found = run.ends_well().arguments[0]
    run.expect(found == "look", "the name of the task comes first", found)


@pytest.mark.clause("ARG-20")
def test_no_parameters(trial: Trial) -> None:
    """A task without parameters runs."""
    run = trial.run(ProbeCube(tasks=(ProbeTask(bare=True),)))
    run.exits_with(0)
    run.says("probe ran look")
