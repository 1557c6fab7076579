"""Reads a cube, whichever format it was written in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError, did_you_mean
from mlcube_conformance.base.files import is_plain_file, is_there
from mlcube_conformance.base.homes import given_path, is_written_as_path
from mlcube_conformance.formats.given import NOTHING, Given
from mlcube_conformance.formats.loaded import LoadedCube
from mlcube_conformance.formats.main_files import folder_and_name, main_file
from mlcube_conformance.formats.multi_file import load_multi_file, load_run_file
from mlcube_conformance.formats.other_formats import (
    is_of_medperf,
    medperf,
    template,
)
from mlcube_conformance.formats.problems import Problems, TooManyProblemsError
from mlcube_conformance.formats.reading import Reading
from mlcube_conformance.formats.single_file import is_single_file, load_single_file
from mlcube_conformance.model import Cube

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Invocation

__all__ = ["load_cube", "load_cube_for", "load_for_configure"]


def load_cube(place: Path, cube_id: str, given: Given = NOTHING) -> LoadedCube:
    """Read every file of a cube; what is broken is reported and left out.

    Args:
        place: Folder of the cube, or its main file where that has another name.
        cube_id: Name of the cube in test ids.
        given: What the command line gives.
    """
    reading = Reading()
    document = _single_file(place, reading)
    if document is not None:
        return _as_far_as_it_goes(
            place,
            lambda: load_single_file(document, place, cube_id, given),
            cube_id,
            reading,
        )
    return _as_far_as_it_goes(
        place, lambda: load_multi_file(place, cube_id, reading, given), cube_id, reading
    )


def _as_far_as_it_goes(
    place: Path,
    load: Callable[[], LoadedCube],
    cube_id: str = "",
    reading: Reading | None = None,
) -> LoadedCube:
    """Return the cube, or an empty one where it is not a cube or too broken."""
    root, definition = folder_and_name(place)
    name = cube_id or root.name
    none = Cube(
        id=name,
        root=root,
        definition=definition,
        name=name,
        version="0.0.0",
        invocations=(),
    )
    blank = _template(place)
    if blank is not None:
        return LoadedCube(cube=none, problems=(blank,), is_cube=False)
    other = _of_medperf(place, reading)
    if other is not None:
        return LoadedCube(cube=none, limits=(other,), is_cube=False)
    try:
        return load()
    except TooManyProblemsError as error:
        return LoadedCube(cube=none, problems=error.messages)


def _template(place: Path) -> Message | None:
    file = main_file(place)
    return template(file, folder_and_name(place)[0]) if file is not None else None


def _of_medperf(place: Path, reading: Reading | None) -> Message | None:
    """Return the refusal of a container of MedPerf that stands for a cube."""
    root, _ = folder_and_name(place)
    file = main_file(place)
    if file is None:
        return medperf(root)
    document = Problems(reading).read(file, "main file", (), root)
    if document is None or not is_of_medperf(document):
        return None
    return medperf(root, file.name)


def load_for_configure(place: Path, given: Given = NOTHING) -> LoadedCube:
    """Read how the image of a cube is made; its run files may be broken.

    Args:
        place: See `load_cube`.
        given: What the command line gives.
    """
    document = _single_file(place)
    if document is not None:
        return _as_far_as_it_goes(
            place,
            lambda: load_single_file(document, place, _name(place), given, only=()),
        )
    return _as_far_as_it_goes(place, lambda: load_run_file(place, None, given))


def load_cube_for(place: Path, task: str | None, given: Given = NOTHING) -> LoadedCube:
    """Read a cube with the one invocation that is to run.

    Args:
        place: See `load_cube`.
        task: Name of a task or of a run file, or the path of a run file, wherever it
            is; None for the only one there is.
        given: What the command line gives.

    Raises:
        UsageError: No such task, or several and none is named.
    """
    document = _single_file(place)
    if task is not None and document is not None:
        tasks = document.get("tasks")
        if tasks is not None and tasks.get(task) is not None:
            return _as_far_as_it_goes(
                place,
                lambda: load_single_file(
                    document, place, _name(place), given, only=(task,)
                ),
            )
    elif task is not None:
        file = _run_file(folder_and_name(place)[0], task)
        if file is not None:
            return _as_far_as_it_goes(place, lambda: load_run_file(place, file, given))
    found = load_cube(place, _name(place), given)
    if found.problems or not found.cube.invocations:
        return found
    invocation = _only(found) if task is None else _named(task, found)
    return replace(found, cube=replace(found.cube, invocations=(invocation,)))


def _name(place: Path) -> str:
    """Return what messages call a cube."""
    return folder_and_name(place)[0].name


def _run_file(root: Path, task: str) -> Path | None:
    """Return the run file that a word means; a name never means a file elsewhere."""
    if is_written_as_path(task):
        file = given_path(task, "--task")
        if is_plain_file(file):
            return file
    file = root / "run" / f"{task}.yaml"
    return file if is_there(file) else None


def _single_file(place: Path, reading: Reading | None = None) -> Located | None:
    file = main_file(place)
    if file is None:
        return None
    problems = Problems(reading)
    root, _ = folder_and_name(place)
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
