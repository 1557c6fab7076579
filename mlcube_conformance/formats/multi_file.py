"""Reads a cube that is laid out in several files.

The layout and its rules are those of MLCube in 2020: `mlcube.yaml`, `tasks/`,
`run/`, `build/`, `workspace/`. The older spelling `mlbox` is read too.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, did_you_mean
from mlcube_conformance.base.files import below, is_plain_file, is_there
from mlcube_conformance.formats.loaded import LoadedCube, check_path, leaves, loaded
from mlcube_conformance.formats.main_files import (
    cube_place,
    folder_and_name,
    main_file,
)
from mlcube_conformance.formats.problems import Problems
from mlcube_conformance.formats.promises import with_promises
from mlcube_conformance.formats.run_files import is_for_cluster, load_run
from mlcube_conformance.formats.task_files import load_task, task_files
from mlcube_conformance.model import Build, Cube, Task

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.formats.given import Given
    from mlcube_conformance.formats.reading import Reading
    from mlcube_conformance.formats.yaml import Located

__all__ = ["OLD_SPEC", "ROOT_KEYS", "ROOT_TYPES", "load_multi_file", "load_run_file"]

ROOT_TYPES = ("mlcube_root", "mlbox_root")
ROOT_KEYS = (
    "schema_type",
    "schema_version",
    "name",
    "author",
    "version",
    "mlcube_spec_version",
    "tasks",
)
#: Key that stands for `mlcube_spec_version` in older files.
OLD_SPEC = "mlbox_spec_version"
#: What a main file must be, where it is nothing that tells its format.
_EXPECTED = (
    "a mapping, with docker or singularity, and tasks; or with the keys of a cube of\n"
    f"several files: {', '.join(ROOT_KEYS)}"
)


def load_multi_file(
    place: Path, cube_id: str, reading: Reading, given: Given
) -> LoadedCube:
    """Read every file of a cube; what is broken is reported and left out."""
    problems = Problems(reading)
    root, _ = folder_and_name(place)
    document = _read_root(place, problems)
    cube = _cube(document, place, cube_id, problems, given)
    if document is None or not _may_be_built(cube, problems):
        return loaded(cube, problems)
    tasks = _listed_task_files(document, root, problems)
    invocations = []
    for file in _run_files(root, problems):
        if is_for_cluster(file, root, problems):
            continue
        invocation = load_run(file, root, tasks, problems)
        if invocation is not None:
            invocations.append(invocation)
    listed = _listed_tasks(document)
    invocations.sort(key=lambda each: listed.get(each.task.name, len(listed)))
    if not invocations and not problems.messages:
        problems.messages.append(
            Message(
                what="the cube has no run file: no task can run",
                where=str(root / "run"),
                found="no *.yaml",
                expected="one file for each invocation, such as run/train.yaml",
                do="add run files that bind the parameters of the tasks",
            )
        )
    cube = replace(cube, invocations=tuple(invocations))
    return loaded(with_promises(cube, problems), problems)


def _run_files(root: Path, problems: Problems) -> list[Path]:
    folder = root / "run"
    if is_there(folder) and not problems.reading.is_inside(root, folder):
        problems.messages.append(leaves(folder, "run/"))
        return []
    try:
        found = sorted(each for each in below(folder) if each.suffix == ".yaml")
    except OSError as error:
        message = Message(
            what="the run files cannot be listed",
            where=str(folder),
            found=str(error.strerror),
            expected="a folder of run files",
            do="move the run files to the top of run/",
        )
        problems.messages.append(message)
        return []
    inside = []
    for each in found:
        if problems.reading.is_inside(root, each):
            inside.append(each)
        else:
            problems.messages.append(leaves(each, f"run file {each.name}"))
    return inside


def load_run_file(place: Path, run_file: Path | None, given: Given) -> LoadedCube:
    """Read the main file of a cube, and at most one run file, wherever that is."""
    problems = Problems()
    root, _ = folder_and_name(place)
    document = _read_root(place, problems)
    cube = _cube(document, place, root.name, problems, given)
    invocation = load_run(run_file, root, {}, problems) if run_file else None
    cube = replace(cube, invocations=(invocation,) if invocation else ())
    return loaded(with_promises(cube, problems, whole=False), problems)


def _cube(
    document: Located | None,
    place: Path,
    cube_id: str,
    problems: Problems,
    given: Given,
) -> Cube:
    name = version = ""
    if document is not None:
        name, version = _check_root(document, problems)
    root, definition = folder_and_name(place)
    cube = Cube(
        id=cube_id,
        root=root,
        definition=definition,
        name=name or root.name,
        version=version or "0.0.0",
        invocations=(),
    )
    context = given.build_context
    if context is not None:
        build = Build(file=context / "Dockerfile", context=context, given=True)
        return replace(cube, docker_build=build)
    if not _may_be_built(cube, problems):
        problems.messages.append(leaves(root / "build", "build/"))
    return cube


def _may_be_built(cube: Cube, problems: Problems) -> bool:
    """Say whether an image is built in the cube, or where the user says."""
    build = cube.docker
    return build.given or problems.reading.is_inside(cube.root, build.context)


def _read_root(place: Path, problems: Problems) -> Located | None:
    root, _ = folder_and_name(place)
    file = main_file(place)
    if file is not None:
        return problems.read(file, "root file", _EXPECTED, root)
    problems.messages.append(
        Message(
            what="mlcube.yaml is missing",
            where=str(root / "mlcube.yaml"),
            found=_what_lies_in(root),
            expected="the main definition file of the cube",
            do=_other_definition(root)
            or "give the folder that holds mlcube.yaml, or write one there;\n"
            "`mlcube-conformance list` shows the cubes below a folder",
        )
    )
    return None


def _other_definition(folder: Path) -> str:
    """Say which file to give where the main file has another name."""
    try:
        names = sorted(each.name for each in folder.iterdir())
    except OSError:
        return ""
    near = [x for x in names if x.startswith("mlcube") and cube_place(folder / x)]
    files = [each for each in near if folder_and_name(folder / each)[1]]
    return f"give the file itself: {folder / files[0]}" if files else ""


def _what_lies_in(folder: Path) -> str:
    try:
        names = sorted(each.name for each in folder.iterdir())
    except OSError as error:
        return f"a folder that cannot be listed: {error.strerror}"
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")  # noqa: PLR2004
    return shown or "an empty folder"


def _check_root(document: Located, problems: Problems) -> tuple[str, str]:
    problems.schema_type(document, ROOT_TYPES)
    problems.unknown_keys(document, (*ROOT_KEYS, OLD_SPEC))
    problems.text(document, "author")
    old = document.get(OLD_SPEC)
    problems.version(document, OLD_SPEC if old else "mlcube_spec_version")
    return problems.text(document, "name"), problems.version(document, "version")


def _listed_tasks(document: Located | None) -> dict[str, int]:
    """Return the place of each task in the root file's list."""
    at = document.get("tasks") if document is not None else None
    if at is None or not isinstance(at.value, list):
        return {}
    paths = [each.text() for each in at.value]
    return {PurePosixPath(path).stem: index for index, path in enumerate(paths)}


def _listed_task_files(
    document: Located, root: Path, problems: Problems
) -> dict[str, Task | None]:
    """Return the tasks that the main file lists, by the names of their files."""
    tasks: dict[str, Task | None] = {}
    at = document.get("tasks")
    if at is None or not isinstance(at.value, list):
        problems.add(
            f"{document.source.file.name} lists no tasks",
            at or document,
            found=at.kind if at else "no key 'tasks'",
            expected="a list of paths, such as [tasks/train.yaml]",
            do="write the key 'tasks' with a list",
        )
        return tasks
    folder = root / "tasks"
    for each in at.value:
        if not each.text():
            problems.add(
                "an entry of 'tasks' is not a path",
                each,
                expected="a path such as tasks/train.yaml",
                do="write the path of a task file",
            )
        elif not check_path(each.text(), "an entry of 'tasks'", each, problems):
            continue
        elif not problems.reading.is_inside(root, file := root / each.text()):
            problems.add(
                "a task file is outside the cube",
                each,
                found=each.text(),
                expected="a path below the cube",
                do="move the task file into tasks/",
            )
        elif not is_plain_file(file):
            problems.add(
                f"the task file {each.text()} is missing",
                each,
                found=task_files(root),
                expected=str(file),
                do=did_you_mean(each.text(), task_files(root).split(", "))
                or "write the file, or remove the entry",
            )
        else:
            task = load_task(file, root, problems)
            if file == folder / f"{file.stem}.yaml":
                tasks[file.stem] = task
    return tasks
