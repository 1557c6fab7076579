"""Every way in which the files of a cube can be wrong has its message."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.plan.definitions import check_definitions

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlcube_conformance.formats.loaded import LoadedCube
    from tests.cube_folders import CubeFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A change to a sound cube, and the message for it."""

    id: str
    change: Callable[[CubeFolder], object]
    message: str
    """With {root} for the cube's folder."""


def _edit(path: str, old: str, new: str) -> Callable[[CubeFolder], object]:
    return lambda cube: cube.edit(path, old, new)


def _write(path: str, text: str) -> Callable[[CubeFolder], object]:
    return lambda cube: cube.write(path, text)


def _circle(cube: CubeFolder) -> None:
    """Make `make` read what a third run file makes of the output of `use`."""
    use = (cube.root / "run/use.yaml").read_text()
    third = use.replace("$WORKSPACE/data", "a").replace("$WORKSPACE/out", "b")
    cube.write("run/third.yaml", third)
    cube.edit("run/use.yaml", "$WORKSPACE/out", "a")
    cube.edit("run/make.yaml", "$WORKSPACE/seed.txt", "b/result.txt")


WRONG = (
    Wrong(
        id="root-missing",
        change=lambda cube: (cube.root / "mlcube.yaml").unlink(),
        message="""\
mlcube.yaml is missing
  where:    {root}/mlcube.yaml
  found:    build, run, tasks, workspace
  expected: the main definition file of the cube
  do:       give the folder that holds mlcube.yaml, or write one there;
            `mlcube-conformance list` shows the cubes below a folder""",
    ),
    Wrong(
        id="root-not-yaml",
        change=_edit("mlcube.yaml", "author: Someone", "author: Some: one"),
        message="""\
mlcube.yaml is not YAML
  where:    {root}/mlcube.yaml, line 4, column 13
  found:    a second colon: quote the value
            author: Some: one
                        ^
  expected: valid YAML
  do:       fix the line (tabs, an unclosed quote or bracket, a missing colon?)""",
    ),
    Wrong(
        id="root-empty",
        change=_write("mlcube.yaml", ""),
        message="""\
root file mlcube.yaml is not a mapping
  where:    {root}/mlcube.yaml, line 1
  found:    nothing (null)
  expected: a mapping, with docker or singularity, and tasks; or with the keys of a \
cube of
            several files: schema_type, schema_version, name, author, version, \
mlcube_spec_version, tasks
  do:       write the keys at the left margin, each followed by a colon""",
    ),
    Wrong(
        id="root-with-object",
        change=_edit("mlcube.yaml", "Someone", "!!python/object/apply:os.abort []"),
        message="""\
mlcube.yaml holds a value that is not plain data
  where:    {root}/mlcube.yaml, line 4, key author
  found:    a list with the tag !!python/object/apply:os.abort
  expected: mappings, lists, text, numbers, truth values or nothing
  do:       remove the tag, or quote the value""",
    ),
    Wrong(
        id="root-wrong-schema-type",
        change=_edit("mlcube.yaml", "mlcube_root", "mlcube_inputs"),
        message="""\
mlcube.yaml has the wrong schema_type
  where:    {root}/mlcube.yaml, line 1, key schema_type
  found:    mlcube_inputs
  expected: mlcube_root (the main file of a cube)
  do:       write schema_type: mlcube_root""",
    ),
    Wrong(
        id="root-unknown-key",
        change=_edit("mlcube.yaml", "author:", "autor: x\nauthor:"),
        message="""\
mlcube.yaml has the unknown key 'autor'
  where:    {root}/mlcube.yaml, line 4, key autor
  found:    autor
  expected: one of schema_type, schema_version, name, author, version, \
mlcube_spec_version, tasks, mlbox_spec_version
  do:       did you mean 'author'?""",
    ),
    Wrong(
        id="root-version-is-a-number",
        change=_edit("mlcube.yaml", "\nversion: 0.1.0", "\nversion: 0.1"),
        message="""\
'version' is not a version
  where:    {root}/mlcube.yaml, line 5, key version
  found:    a number (0.1)
  expected: MAJOR.MINOR.PATCH, such as 1.0.0
  do:       write three numbers with dots""",
    ),
    Wrong(
        id="root-no-tasks",
        change=_edit("mlcube.yaml", "tasks: [tasks/make.yaml, tasks/use.yaml]\n", ""),
        message="""\
mlcube.yaml lists no tasks
  where:    {root}/mlcube.yaml, line 1
  found:    no key 'tasks'
  expected: a list of paths, such as [tasks/train.yaml]
  do:       write the key 'tasks' with a list""",
    ),
    Wrong(
        id="task-file-missing",
        change=_edit("mlcube.yaml", "tasks/use.yaml", "tasks/used.yaml"),
        message="""\
the task file tasks/used.yaml is missing
  where:    {root}/mlcube.yaml, line 7, key tasks[1]
  found:    tasks/make.yaml, tasks/use.yaml
  expected: {root}/tasks/used.yaml
  do:       did you mean 'tasks/use.yaml'?""",
    ),
    Wrong(
        id="task-file-outside",
        change=_edit("mlcube.yaml", "tasks/use.yaml", "../use.yaml"),
        message="""\
a task file is outside the cube
  where:    {root}/mlcube.yaml, line 7, key tasks[1]
  found:    ../use.yaml
  expected: a path below the cube
  do:       move the task file into tasks/""",
    ),
    Wrong(
        id="task-unknown-type",
        change=_edit("tasks/make.yaml", "type: directory", "type: dir"),
        message="""\
the output 'data' has an unknown type
  where:    {root}/tasks/make.yaml, line 6, key outputs[0].type
  found:    dir
  expected: file or directory
  do:       write type: file or type: directory""",
    ),
    Wrong(
        id="task-without-inputs",
        change=_edit("tasks/make.yaml", "inputs:\n  - {name: seed, type: file}\n", ""),
        message="""\
task 'make' has no list of inputs
  where:    {root}/tasks/make.yaml, line 1
  found:    no key 'inputs'
  expected: inputs: a list (it may be empty: [])
  do:       write a list of mappings with 'name' and 'type'""",
    ),
    Wrong(
        id="task-declares-twice",
        change=_edit(
            "tasks/make.yaml",
            "outputs:\n",
            "outputs:\n  - {name: data, type: directory}\n",
        ),
        message="""\
the output 'data' is declared twice
  where:    {root}/tasks/make.yaml, line 7, key outputs[1]
  found:    data
  expected: a name once in each list
  do:       remove one, or rename it""",
    ),
    Wrong(
        id="run-unknown-task",
        change=_edit("run/make.yaml", "task_name: make", "task_name: mak"),
        message="""\
run file make.yaml names the unknown task 'mak'
  where:    {root}/run/make.yaml, line 3, key task_name
  found:    mak
  expected: one of make, use
  do:       did you mean 'make'?""",
    ),
    Wrong(
        id="run-task-elsewhere",
        change=_edit("run/make.yaml", "task_name: make", "task_name: ../run/use"),
        message="""\
run file make.yaml names the unknown task '../run/use'
  where:    {root}/run/make.yaml, line 3, key task_name
  found:    ../run/use
  expected: one of make, use
  do:       write the name of a file in tasks/""",
    ),
    Wrong(
        id="run-unknown-parameter",
        change=_edit("run/make.yaml", "{data:", "{dta: $WORKSPACE/x, data:"),
        message="""\
task 'make' has no output 'dta'
  where:    {root}/run/make.yaml, line 5, key output_binding.dta
  found:    dta
  expected: one of data
  do:       did you mean 'data'?""",
    ),
    Wrong(
        id="run-unbound-parameter",
        change=_edit("run/make.yaml", "{data: $WORKSPACE/data}", "{}"),
        message="""\
the output 'data' of task 'make' has no value
  where:    {root}/run/make.yaml, line 5, key output_binding
  found:    values for nothing
  expected: a value for 'data'
  do:       add data: $WORKSPACE/data""",
    ),
    Wrong(
        id="run-null-value",
        change=_edit("run/make.yaml", "{data: $WORKSPACE/data}", "{data: null}"),
        message="""\
the value of 'data' is not a path
  where:    {root}/run/make.yaml, line 5, key output_binding.data
  found:    nothing (null)
  expected: the path of a directory, as text
  do:       write data: $WORKSPACE/data""",
    ),
    Wrong(
        id="run-list-value",
        change=_edit("run/make.yaml", "{data: $WORKSPACE/data}", "{data: [a]}"),
        message="""\
the value of 'data' is not a path
  where:    {root}/run/make.yaml, line 5, key output_binding.data
  found:    a list
  expected: the path of a directory, as text
  do:       write data: $WORKSPACE/data""",
    ),
    Wrong(
        id="run-no-binding",
        change=_edit("run/make.yaml", "input_binding: {seed: $WORKSPACE/seed.txt}", ""),
        message="""\
run file make.yaml has no mapping 'input_binding'
  where:    {root}/run/make.yaml, line 1
  found:    no key 'input_binding'
  expected: input_binding: a mapping (it may be empty: {{}})
  do:       write a value for each parameter of the task""",
    ),
    Wrong(
        id="run-other-variable",
        change=_edit("run/make.yaml", "$WORKSPACE/data", "$NO_SUCH_PLACE/data"),
        message="""\
the value of 'data' has a variable that cubes do not get
  where:    {root}/run/make.yaml, line 5, key output_binding.data
  found:    $NO_SUCH_PLACE in $NO_SUCH_PLACE/data
  expected: $WORKSPACE or $HOME: others may be secrets
  do:       write $WORKSPACE, or give the value on the command line: \
--parameter data=PATH""",
    ),
    Wrong(
        id="run-in-a-circle",
        change=_circle,
        message="""\
the run files depend on each other in a circle
  where:    {root}/run
  found:    make → use → third → make
  expected: each run file reads what earlier ones write
  do:       give one of them another input or output folder""",
    ),
)


def _load(cube: CubeFolder) -> LoadedCube:
    return check_definitions(load_cube(cube.root, "tiny"))


def test_sound_cube_has_no_problem(cube_folder: CubeFolder) -> None:
    loaded = _load(cube_folder)

    assert loaded.problems == ()
    assert [each.name for each in loaded.cube.invocations] == ["make", "use"]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.id)
def test_message(wrong: Wrong, cube_folder: CubeFolder) -> None:
    wrong.change(cube_folder)

    messages = [str(each) for each in _load(cube_folder).problems]

    assert wrong.message.format(root=cube_folder.root) in messages


def test_file_of_another_kind_gets_one_message(cube_folder: CubeFolder) -> None:
    text = (cube_folder.root / "tasks/make.yaml").read_text()
    cube_folder.write("run/make.yaml", text)

    (problem,) = _load(cube_folder).problems

    assert "found:    mlcube_task (a task file, of tasks/)" in str(problem)
    assert "expected: mlcube_invoke (a run file, of run/)" in str(problem)


def test_all_problems_are_told_at_once(cube_folder: CubeFolder) -> None:
    cube_folder.edit("mlcube.yaml", "author", "autor")
    cube_folder.edit("run/make.yaml", "task_name: make", "task_name: mak")
    cube_folder.edit("tasks/use.yaml", "type: file", "type: fil")

    problems = "\n".join(str(each) for each in _load(cube_folder).problems)

    for part in ("lacks the key 'author'", "unknown task 'mak'", "found:    fil"):
        assert problems.count(part) == 1


def test_what_is_valid_still_runs_beside_what_is_not(cube_folder: CubeFolder) -> None:
    cube_folder.edit("run/use.yaml", "task_name: use", "task_name: other")

    loaded = _load(cube_folder)

    assert [each.name for each in loaded.cube.invocations] == ["make"]


def test_key_written_twice_is_a_warning_and_the_last_counts(
    cube_folder: CubeFolder,
) -> None:
    cube_folder.edit(
        "run/make.yaml", "input_binding:", "input_binding: {}\ninput_binding:"
    )

    loaded = _load(cube_folder)

    assert loaded.problems == ()
    assert "'input_binding' is written twice" in str(loaded.warnings[0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &a [x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(3)), None),
        (
            "a0: &a0 [x]\n"
            + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)),
            "more values or deeper nesting",
        ),
        ("a: " + "[" * 200 + "]" * 200, "more values or deeper nesting"),
        ("a: " + "[" * 50_000 + "]" * 50_000, "more values or deeper nesting"),
        ("# " + "x" * 1_100_000, "at most 262144 bytes"),
        ("\xff\xfe", None),
        ("a: !!bool maybe", "not plain data"),
        ("a: !!int ''", "not plain data"),
        ("a: !!timestamp foo", "not plain data"),
        (f"a: 0x{'f' * 6000}", None),
        ("a: 1:59:59:59:59.5", None),
        ("tasks: ['tasks/\\0.yaml']", "is missing"),
        (f"tasks: [tasks/{'x' * 300}.yaml]", "cannot be a path"),
    ],
)
def test_hostile_yaml_is_refused_and_does_no_harm(
    text: str, says: str | None, cube_folder: CubeFolder
) -> None:
    cube_folder.write("mlcube.yaml", text)

    problems = "\n".join(str(each) for each in _load(cube_folder).problems)

    assert problems
    assert says is None or says in problems


def test_bytes_that_are_no_text_are_refused(cube_folder: CubeFolder) -> None:
    (cube_folder.root / "mlcube.yaml").write_bytes(b"name: \xff\xfe")

    (problem,) = _load(cube_folder).problems

    assert "byte 6 is not UTF-8" in str(problem)


def test_windows_line_ends_and_a_missing_last_one_are_fine(
    cube_folder: CubeFolder,
) -> None:
    for file in cube_folder.root.rglob("*.yaml"):
        text = file.read_text().rstrip("\n").replace("\n", "\r\n")
        file.write_bytes(text.encode())

    assert _load(cube_folder).problems == ()


def test_the_older_spelling_is_read(cube_folder: CubeFolder) -> None:
    for file in cube_folder.root.rglob("*.yaml"):
        file.write_text(file.read_text().replace("mlcube_", "mlbox_"))
    (cube_folder.root / "mlcube.yaml").rename(cube_folder.root / "mlbox.yaml")

    loaded = _load(cube_folder)

    assert loaded.problems == ()
    assert len(loaded.cube.invocations) == 2


@pytest.mark.parametrize("value", ["a\\0b", "\\ud800", "x" * 300])
def test_value_that_no_file_can_have_is_refused(
    value: str, cube_folder: CubeFolder
) -> None:
    cube_folder.edit("run/make.yaml", "$WORKSPACE/data", f'"{value}"')

    problems = "\n".join(str(each) for each in _load(cube_folder).problems)

    assert "the value of 'data' cannot be a path" in problems or "not YAML" in problems


def test_what_is_no_file_is_not_opened(cube_folder: CubeFolder) -> None:
    os.mkfifo(cube_folder.root / "run/pipe.yaml")
    (cube_folder.root / "run/endless.yaml").symlink_to("/dev/zero")
    (cube_folder.root / "tasks/loop.yaml").symlink_to("loop.yaml")
    cube_folder.edit("mlcube.yaml", "tasks/use.yaml", "tasks/loop.yaml")

    problems = "\n".join(str(each) for each in _load(cube_folder).problems)

    assert "pipe.yaml cannot be read" in problems
    assert "run file endless.yaml is a link that leaves the cube" in problems
    assert "a task file is outside the cube" in problems


def test_build_that_is_a_link_out_of_the_cube_is_not_sent_anywhere(
    cube_folder: CubeFolder,
) -> None:
    outside = cube_folder.root.parent / "outside"
    (cube_folder.root / "build").rename(outside)
    (cube_folder.root / "build").symlink_to(outside)

    loaded = _load(cube_folder)

    assert "build/ is a link that leaves the cube" in str(loaded.problems[0])
    assert loaded.cube.invocations == ()
