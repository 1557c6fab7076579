"""Reads a cube, whichever format it was written in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError, did_you_mean
from mlcube_conformance.base.files import is_folder, is_plain_file, is_there
from mlcube_conformance.base.homes import given_path, is_written_as_path
from mlcube_conformance.formats.loaded import LoadedCube
from mlcube_conformance.formats.main_files import MAIN_FILES, main_file
from mlcube_conformance.formats.multi_file import load_multi_file, load_run_file
from mlcube_conformance.formats.problems import Problems, TooManyProblemsError
from mlcube_conformance.formats.reading import Reading
from mlcube_conformance.formats.single_file import is_single_file, load_single_file
from mlcube_conformance.model import Cube

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Invocation

__all__ = ["cube_folder", "load_cube", "load_cube_for", "load_for_configure"]

_NO_VARIABLES: Mapping[str, str] = {}


def cube_folder(given: Path) -> Path | None:
    """Return the folder of a cube that is named by it or by its main file, if any."""
    if is_there(given) and given.name in MAIN_FILES and not is_folder(given):
        return given.parent
    return given if is_folder(given) else None


def load_cube(
    root: Path, cube_id: str, variables: Mapping[str, str] = _NO_VARIABLES
) -> LoadedCube:
    """Read every file of a cube; what is broken is reported and left out.

    Args:
        root: Folder of the cube.
        cube_id: Name of the cube in test ids.
        variables: What the command line gives for `${oc.env:NAME}`.
    """
    reading = Reading()
    document = _single_file(root, reading)
    if document is not None:
        return _as_far_as_it_goes(
            root, lambda: load_single_file(document, root, cube_id, variables), cube_id
        )
    return _as_far_as_it_goes(
        root, lambda: load_multi_file(root, cube_id, reading), cube_id
    )


def _as_far_as_it_goes(
    root: Path, load: Callable[[], LoadedCube], cube_id: str = ""
) -> LoadedCube:
    """Return the cube, or an empty one where too much of it is wrong."""
    try:
        return load()
    except TooManyProblemsError as error:
        name = cube_id or root.name
        cube = Cube(id=name, root=root, name=name, version="0.0.0", invocations=())
        return LoadedCube(cube=cube, problems=error.messages)


def load_for_configure(
    root: Path, variables: Mapping[str, str] = _NO_VARIABLES
) -> LoadedCube:
    """Read how the image of a cube is made; its run files may be broken.

    Args:
        root: Folder of the cube.
        variables: What the command line gives for `${oc.env:NAME}`.
    """
    document = _single_file(root)
    if document is not None:
        return _as_far_as_it_goes(
            root,
            lambda: load_single_file(document, root, root.name, variables, only=()),
        )
    return _as_far_as_it_goes(root, lambda: load_run_file(root, None))


def load_cube_for(
    root: Path, task: str | None, variables: Mapping[str, str] = _NO_VARIABLES
) -> LoadedCube:
    """Read a cube with the one invocation that is to run.

    Args:
        root: Folder of the cube.
        task: Name of a task or of a run file, or the path of a run file, wherever it
            is; None for the only one there is.
        variables: What the command line gives for `${oc.env:NAME}`.

    Raises:
        UsageError: No such task, or several and none is named.
    """
    document = _single_file(root)
    if task is not None and document is not None:
        tasks = document.get("tasks")
        if tasks is not None and tasks.get(task) is not None:
            return _as_far_as_it_goes(
                root,
                lambda: load_single_file(
                    document, root, root.name, variables, only=(task,)
                ),
            )
    elif task is not None:
        file = _run_file(root, task)
        if file is not None:
            return _as_far_as_it_goes(root, lambda: load_run_file(root, file))
    found = load_cube(root, root.name, variables)
    if found.problems:
        return found
    invocation = _only(found) if task is None else _named(task, found)
    return replace(found, cube=replace(found.cube, invocations=(invocation,)))


def _run_file(root: Path, task: str) -> Path | None:
    """Return the run file that a word means; a name never means a file elsewhere."""
    if is_written_as_path(task):
        file = given_path(task, "--task")
        if is_plain_file(file):
            return file
    file = root / "run" / f"{task}.yaml"
    return file if is_there(file) else None


def _single_file(root: Path, reading: Reading | None = None) -> Located | None:
    file = main_file(root)
    if file is None:
        return None
    problems = Problems(reading)
    document = problems.read(file, "main file", (), root)
    return document if document is not None and is_single_file(document) else None


def _named(name: str, found: LoadedCube) -> Invocation:
    known = {each.name: each for each in found.cube.invocations}
    tasks: dict[str, list[Invocation]] = {}
    for each in found.cube.invocations:
        tasks.setdefault(each.task.name, []).append(each)
    if name in known:
        return known[name]
    if len(tasks.get(name, ())) == 1:
        return tasks[name][0]
    raise UsageError(
        Message(
            what=f"the cube {found.cube.id!r} has no task {name!r}"
            if name not in tasks
            else f"the task {name!r} has several run files",
            where="--task",
            found=name,
            expected=f"one of {', '.join(known)}, or the path of a run file",
            do=did_you_mean(name, known) or _how_to_name(name),
        )
    )


def _how_to_name(name: str) -> str:
    if is_plain_file(given_path(name, "--task")):
        return f"write ./{name} to name the file in the current folder"
    return "fix the name"


def _only(found: LoadedCube) -> Invocation:
    invocations: Sequence[Invocation] = found.cube.invocations
    if len(invocations) == 1:
        return invocations[0]
    raise UsageError(
        Message(
            what=f"the cube {found.cube.id!r} has several tasks, and --task is missing",
            where="--task",
            found="no --task",
            expected=f"one of {', '.join(each.name for each in invocations)}",
            do="name one: --task NAME",
        )
    )
