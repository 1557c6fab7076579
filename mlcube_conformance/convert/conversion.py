"""Writes a cube in another format than the one it was read from."""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    MachineError,
    UsageError,
    not_written,
    refusal,
)
from mlcube_conformance.base.files import is_folder, is_inside, is_there
from mlcube_conformance.base.trees import remove_tree
from mlcube_conformance.convert.multi_file import write_multi_file
from mlcube_conformance.convert.single_file import write_single_file
from mlcube_conformance.convert.writing import copies_files, copy_folder, put
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.main_files import (
    cube_place,
    folder_and_name,
    main_file,
)
from mlcube_conformance.formats.platforms import find_platform, load_platform
from mlcube_conformance.formats.promises import PROMISES
from mlcube_conformance.formats.sections import SECTIONS
from mlcube_conformance.plan.workspace import make_folder
from mlcube_conformance.runners.docker.about import OFFER as DOCKER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlcube_conformance.model import Cube, Platform

__all__ = ["convert_cube"]


def convert_cube(given: Path, target: Path) -> list[str]:
    """Write a cube of one file as one of several files, or the other way round.

    Args:
        given: Folder of the cube, or its main file.
        target: Folder that does not exist yet, or empty.

    Returns:
        What was written otherwise than it was, in sentences.

    Raises:
        UsageError: There is no such cube, it is broken, the other format cannot say
            what it says, or the folder is in use.
    """
    place = cube_place(given) or given
    _refuse_target(folder_and_name(place)[0], target)
    loaded = load_cube(place, place.name)
    if loaded.problems:
        raise UsageError(*loaded.problems)
    cube = loaded.cube
    platforms, single = _platforms(cube), _is_single(cube)
    missing = _beyond_files(cube, platforms) if single else _beyond_tasks(cube)
    missing += _beyond_any(cube, target)
    if missing:
        raise _refusal(cube, missing)
    write = write_multi_file if single else write_single_file
    make_folder(target.parent)
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise _not_written(target, error) from error
    try:
        notes = write(cube, platforms, made)
        if is_folder(cube.workspace):
            copy_folder(cube.workspace, made / "workspace")
        if is_there(cube.root / PROMISES):
            put(cube.root / PROMISES, made / PROMISES, cube.root)
        broken = load_cube(made, target.name).problems
        if broken:
            raise _refusal(cube, [each.what for each in broken])
        there = target.is_dir()
        made.chmod(stat.S_IMODE(target.stat().st_mode) if there else 0o755)
        if there:
            target.rmdir()
        made.rename(target)
    except OSError as error:
        raise _not_written(target, error) from error
    finally:
        remove_tree(made)
    return notes


def _refusal(cube: Cube, missing: Sequence[str]) -> UsageError:
    return refusal(
        what=f"the other format cannot express all of cube {cube.id!r}",
        where=str(cube.root),
        found="\n".join(missing),
        expected="what both formats support",
        do="keep the cube as it is, or remove what the other format lacks",
    )


def _not_written(target: Path, error: Exception) -> MachineError:
    return not_written(
        "the new cube cannot be written",
        target,
        error,
        expected="files that can be read, and a disk with room",
        do="fix the permissions, or free some space",
    )


def _beyond_any(cube: Cube, target: Path) -> list[str]:
    """Return the reasons why a cube cannot be copied."""
    found = [
        f"{cube.shown(folder)} is a link that leaves the cube"
        for folder in (cube.workspace, cube.docker.context)
        if folder.is_symlink() and not is_inside(cube.root, folder)
    ]
    if target.is_relative_to(cube.docker.context):
        found.append(
            f"the new cube would be in {cube.docker.context}, its own build context"
        )
    return found


def _refuse_target(root: Path, target: Path) -> None:
    if not is_folder(root):
        raise refusal(
            what="there is no cube to convert",
            where=str(root),
            found="no such folder",
            expected="a folder with mlcube.yaml",
            do="fix the path",
        )
    used = is_there(target) and (not is_folder(target) or any(target.iterdir()))
    if used or target.is_relative_to(root):
        raise refusal(
            what="the folder for the new cube is in use",
            where=str(target),
            found="a folder in the cube itself"
            if target.is_relative_to(root)
            else "a folder with files in it"
            if is_folder(target)
            else "a file",
            expected="a new or empty folder outside the cube",
            do="name another folder",
        )


def _is_single(cube: Cube) -> bool:
    main = main_file(cube.place)
    return all(each.file == main for each in cube.invocations)


def _platforms(cube: Cube) -> list[Platform]:
    """Return the platforms that go with a cube: containers on this machine.

    Raises:
        UsageError: One of them is broken.
    """
    if cube.platforms:
        return list(cube.platforms.values())
    found = []
    for name in SECTIONS:
        file = find_platform(name, cube)
        own = file.path.is_relative_to(cube.root)
        if name == "singularity" and not own:
            continue  # the package's own file serves the new cube too
        platform, problems = load_platform(file, cube)
        if problems:
            raise UsageError(*problems)
        if platform is not None:
            found.append(platform)
    return found


def _beyond_tasks(cube: Cube) -> list[str]:
    """Return the features of a cube of several files that one file cannot express."""
    tasks = [each.task.name for each in cube.invocations]
    found = [
        f"the task {name!r} has several run files: a task has one set of values"
        for name in dict.fromkeys(tasks)
        if tasks.count(name) > 1
    ]
    found += [
        f"{platform.id} has the option {name!r}"
        for platform in _platforms(cube)
        if platform.kind == "docker"
        for name in platform.options
        if name not in DOCKER.written
    ]
    return found


def _beyond_files(cube: Cube, platforms: Sequence[Platform]) -> list[str]:
    """Return the features of a cube of one file that several files cannot express."""
    found = [
        f"the task {each.task.name!r} has an entrypoint of its own"
        for each in cube.invocations
        if each.task.entrypoint
    ]
    found += [
        f"the input {binding.parameter.name!r} of {each.task.name!r} must be writable"
        for each in cube.invocations
        for binding in each.bound("input")
        if binding.parameter.access == "rw"
    ]
    for each in platforms:
        extras = {
            "variables for tasks": each.environment,
            "flags that depend on GPUs": each.with_gpus != each.without_gpus,
            "an image instead of a recipe": each.base,
        }
        found += [f"{each.id} has {what}" for what, given in extras.items() if given]
    if cube.singularity.context != cube.docker.context and copies_files(cube):
        found.append("its recipe of Singularity copies files from another folder")
    return found
