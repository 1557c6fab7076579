"""Paths of the host reach the task as they were meant."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance_tests.runner.cubes import SEED
from conformance_tests.runner.runs import traces, what_is_at
from mlcube_conformance.suites.runner.probe.cube import (
    ProbeCube,
    ProbeTask,
    file_in,
    file_out,
    folder_out,
)

if TYPE_CHECKING:
    from conformance_tests.runner.runs import Overridden
    from mlcube_conformance.suites.runner.trial import Trial

_COMMAND = "$(touch hacked)"
#: A name that a shell would make much of; what it would make is called `hacked`.
_SHELL = "a;touch hacked;$(touch hacked)`touch hacked`&'b\".txt"
_LETTERS = "données/файл-漢字.txt"


@pytest.mark.clause("PATH-1")
def test_spaces(trial: Trial) -> None:
    """Blanks in the path of the cube, of the workspace and in a value do no harm."""
    placed = trial.place(
        ProbeCube(
            folder="a cube",
            tasks=(
                ProbeTask(
                    parameters=(
                        file_in("seed", "my seeds/the seed.txt"),
                        folder_out("made", "what was made"),
                    )
                ),
            ),
            plan="write made\n",
            workspace={"my seeds/the seed.txt": "seed\n"},
        )
    )
    workspace = None
    if "workspace" in trial.description.features:
        workspace = placed.folder / "a workspace"
        shutil.copytree(placed.workspace, workspace)
    run = trial.run(placed, workspace=workspace)
    record = run.ends_well()
    run.gets(record, "seed", "seed\n")
    made = run.workspace / "what was made/made"
    run.expect(made.is_file(), f"the task's output is in {made}", what_is_at(made))


@pytest.mark.clause("PATH-2")
def test_shell_characters(trial: Trial) -> None:
    """Special characters of a shell stay text, and nothing is executed."""
    for name in (_COMMAND, _SHELL):
        run = trial.run(
            ProbeCube(
                tasks=(ProbeTask(parameters=(file_in("seed", f"seeds/{name}"),)),),
                workspace={f"seeds/{name}": "seed\n"},
            )
        )
        executed = traces(run.placed.folder, "hacked")
        run.expect(not executed, f"nothing in the value {name} is executed", executed)
        record = run.ends_well()
        value = record.value("seed")
        run.expect(value.endswith(f"/{name}"), f"an argument ends with {name}", value)
        run.gets(record, "seed", "seed\n")


@pytest.mark.clause("PATH-3")
def test_unicode(trial: Trial) -> None:
    """Letters beyond ASCII in the path of the cube and in a value do no harm."""
    run = trial.run(
        ProbeCube(
            folder="cübe-漢字",
            tasks=(ProbeTask(parameters=(file_in("seed", _LETTERS),)),),
            workspace={_LETTERS: "seed\n"},
        )
    )
    record = run.ends_well()
    value, name = record.value("seed"), Path(_LETTERS).name
    run.expect(value.endswith(f"/{name}"), f"the argument ends with /{name}", value)
    run.gets(record, "seed", "seed\n")


@pytest.mark.clause("PATH-4")
def test_equals_sign(trial: Trial) -> None:
    """A value that has equals signs in it is kept whole."""
    placed = trial.place(SEED)
    given = placed.folder / "given/a=b=c.txt"
    given.parent.mkdir()
    given.write_text("given\n", encoding="utf-8")
    run = trial.run(placed, parameters={"seed": str(given)})
    record = run.ends_well()
    value = record.value("seed")
    run.expect(value.endswith("/a=b=c.txt"), "the argument ends with a=b=c.txt", value)
    run.gets(record, "seed", "given\n")


@pytest.mark.clause("PATH-5")
def test_colon(trial: Trial) -> None:
    """A colon in a path of the host works, or is refused by a message with the path."""
    run = trial.run(replace(SEED, folder="a:b"))
    if run.called.exit_code:
        run.refuses("a:b")
    else:
        content = run.ends_well().content("seed")
        run.expect(content == "seed\n", "the task reads its input", content)


@pytest.mark.clause("PATH-6")
def test_relative_value(trial: Trial) -> None:
    """A relative value is below the workspace, and nothing appears elsewhere."""
    run = trial.run(
        ProbeCube(
            tasks=(
                ProbeTask(
                    parameters=(
                        file_in("seed", "deep/er/seed.txt", raw=True),
                        folder_out("made", "made/here", raw=True),
                    )
                ),
            ),
            plan="write made\n",
            workspace={"deep/er/seed.txt": "seed\n"},
        )
    )
    run.leaves_folder_empty()
    record = run.ends_well()
    run.gets(record, "seed", "seed\n")
    made = run.workspace / "made/here/made"
    run.expect(made.is_file(), f"the task's output is in {made}", what_is_at(made))


@pytest.mark.clause("PATH-7")
def test_bare_file_name(trial: Trial) -> None:
    """A value that is a file name alone is a file in the workspace."""
    run = trial.run(
        ProbeCube(
            tasks=(
                ProbeTask(
                    parameters=(
                        file_in("seed", "seed.txt", raw=True),
                        file_out("result", "result.txt", raw=True),
                    )
                ),
            ),
            plan="write result\n",
            workspace={"seed.txt": "seed\n"},
        )
    )
    record = run.ends_well()
    run.gets(record, "seed", "seed\n")
    result = run.workspace / "result.txt"
    run.expect(result.is_file(), f"the task's output is {result}", what_is_at(result))


@pytest.mark.clause("PATH-8")
def test_absolute_value(overridden: Overridden) -> None:
    """An absolute value outside of the cube is used unchanged."""
    run = overridden.run
    record = run.ends_well()
    run.gets(record, "seed", "given\n")
    made = overridden.outside / "made/made"
    run.expect(made.is_file(), f"the task's output is {made}", what_is_at(made))


@pytest.mark.clause("PATH-9")
def test_no_concatenation(overridden: Overridden) -> None:
    """An absolute value is not put behind the path of the workspace."""
    run = overridden.run
    run.starts()
    wrong = run.workspace / str(overridden.outside).lstrip("/")
    run.expect(not wrong.exists(), f"no {wrong}", what_is_at(wrong))


@pytest.mark.clause("PATH-10")
def test_home(trial: Trial) -> None:
    """A leading ~ stands for the home of the user, and is not a folder of that name."""
    placed = trial.place(
        replace(
            SEED,
            tasks=(
                ProbeTask(
                    parameters=(
                        file_in("seed", "seeds/seed.txt"),
                        folder_out("made", "made"),
                    )
                ),
            ),
            plan="write made\n",
        )
    )
    home = placed.folder / "home"
    home.mkdir()
    (home / "seed.txt").write_text("at home\n", encoding="utf-8")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    run = trial.run(
        placed,
        parameters={"seed": "~/seed.txt", "made": "~/made"},
        environment={"HOME": str(home), "XDG_CACHE_HOME": cache},
    )
    made = traces(placed.folder, "~")
    run.expect(not made, "no folder is called ~", made)
    record = run.ends_well()
    run.gets(record, "seed", "at home\n")
    run.expect(
        (home / "made/made").is_file(),
        f"its output is in {home / 'made'}",
        what_is_at(home / "made/made"),
    )


@pytest.mark.clause("PATH-11")
def test_workspace_variable(trial: Trial) -> None:
    """$WORKSPACE is replaced wherever it stands; ${WORKSPACE} too, or it is refused."""
    if not trial.is_elsewhere:  # the workspace is another folder there
        placed = trial.place(_with_seed("$WORKSPACE/twice$WORKSPACE/seed.txt"))
        twice = Path(f"{placed.workspace}/twice{placed.workspace}/seed.txt")
        twice.parent.mkdir(parents=True)
        twice.write_text("seed\n", encoding="utf-8")
        run = trial.run(placed)
        content = run.ends_well().content("seed")
        run.expect(content == "seed\n", "the task reads its input", content)

    braces = trial.run(_with_seed("${WORKSPACE}/seeds/seed.txt"))
    if braces.called.exit_code:
        braces.refuses("WORKSPACE")
    else:
        content = braces.ends_well().content("seed")
        braces.expect(content == "seed\n", "the task reads its input", content)


def _with_seed(value: str) -> ProbeCube:
    seed = file_in("seed", value, raw=True)
    return replace(SEED, tasks=(ProbeTask(parameters=(seed,)),))


@pytest.mark.clause("PATH-12")
def test_ways_to_name_the_cube(trial: Trial) -> None:
    """A cube given as ., relative or absolute gives the task the same arguments."""
    placed = trial.place(SEED)
    found = []
    for named, cwd in (
        (".", placed.root),
        (placed.root.name, placed.folder),
        (str(placed.root), None),
    ):
        run = trial.run(placed, named=named, cwd=cwd)
        found.append(run.ends_well().arguments)
        run.expect(found[-1] == found[0], f"the arguments {found[0]}", found[-1])


@pytest.mark.clause("PATH-13")
def test_links_and_parent_folders(trial: Trial) -> None:
    """A link to a folder of the workspace, and .. in a value, point to one place."""
    placed = trial.place(
        replace(
            SEED,
            tasks=(
                ProbeTask(
                    parameters=(
                        file_in("seed", "seeds/seed.txt"),
                        file_in("linked", "link/seed.txt"),
                        file_in("around", "plan-look/../seeds/seed.txt"),
                    )
                ),
            ),
        )
    )
    (placed.workspace / "link").symlink_to("seeds")
    run = trial.run(placed)
    record = run.ends_well()
    for name in ("seed", "linked", "around"):
        content = record.content(name)
        run.expect(content == "seed\n", f"the task reads {name!r}", content)
