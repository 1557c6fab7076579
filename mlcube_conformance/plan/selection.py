"""Finds the cubes, platforms and cases that a command line asks for.

Reads YAML files and nothing else: no container, process or network is touched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError, did_you_mean
from mlcube_conformance.base.files import resolved
from mlcube_conformance.base.names import ids_of
from mlcube_conformance.formats.cube_places import cube_places
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.given import NOTHING, Given
from mlcube_conformance.formats.main_files import folder_and_name
from mlcube_conformance.formats.platforms import find_platform, load_platform
from mlcube_conformance.formats.promises import with_optional_inputs
from mlcube_conformance.formats.reading import Reading
from mlcube_conformance.model import Case, Platform, PlatformFile
from mlcube_conformance.plan.definitions import check_definitions
from mlcube_conformance.plan.order import (
    Comparison,
    Placement,
    check_overrides,
    comparisons,
    means,
    override_parameters,
    select_invocations,
)
from mlcube_conformance.runners import check_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from mlcube_conformance.formats.loaded import LoadedCube
    from mlcube_conformance.model import Cube
    from mlcube_conformance.plan.order import Override

__all__ = [
    "NOWHERE",
    "CheckedPlatform",
    "Selection",
    "make_optional",
    "select",
]

#: Name in test ids, where files are judged and nothing runs.
NOWHERE = "files"
#: Folders that hold the cube of a project, and say nothing of it.
_FOLDERS = ("mlcube", "mlbox")
#: What a name in test ids, and of a folder, does not hold.
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPlatform:
    """A platform file as a cube uses it, with what is wrong with it."""

    id: str
    """As in `mnist-docker`."""
    cube_id: str
    """Id of the cube that uses it."""
    platform_id: str
    """Its own id, as in `docker`."""
    key: tuple[Path, PlatformFile]
    """Place of the cube and where the platform is described."""
    problems: tuple[Message, ...]
    limits: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What there is to test."""

    cubes: tuple[LoadedCube, ...]
    platforms: tuple[CheckedPlatform, ...]
    placements: tuple[Placement, ...]

    cases: tuple[Case, ...]
    """Every case asked for."""
    comparisons: tuple[Comparison, ...]
    """Every case that is asked for on several platforms."""


def select(
    cubes: Sequence[str],
    platforms: Sequence[str],
    tasks: Sequence[str],
    overrides: Sequence[Override],
    *,
    optional: Sequence[str] = (),
    given: Given = NOTHING,
    nowhere: bool = False,
) -> Selection:
    """Read the cubes and platform files and say which cases there are.

    Args:
        cubes: Folders, main files or patterns.
        platforms: Names or files of platforms.
        tasks: Tasks or run files; none for all.
        overrides: Values of the command line.
        optional: Inputs that need not be there, as `TASK.NAME` or `NAME`.
        given: What the command line gives to those who read a cube.
        nowhere: Whether nothing runs: then no platform is asked for.

    Raises:
        UsageError: A cube, platform, task or parameter asked for does not exist.
    """
    read = _read(cube_places(cubes), given)
    check_overrides([each.cube for each in read], overrides)
    cubes_made = make_optional(
        [override_parameters(each.cube, overrides) for each in read], optional
    )
    loaded = tuple(
        check_definitions(replace(each, cube=cube))
        for each, cube in zip(read, cubes_made, strict=True)
    )
    checked: list[CheckedPlatform] = []
    placements: list[Placement] = []
    reading = Reading()
    for each in loaded:
        files = _files_once(find_platform(name, each.cube) for name in platforms)
        named = ids_of([file.path.parent / file.stem for file in files])
        for file, platform_id in zip(files, named, strict=True):
            found, problems = load_platform(file, each.cube, reading)
            key = (each.cube.place, file)
            name = f"{each.cube.id}-{platform_id}"
            # Those of a section are reported with the cube's main file.
            limits = found.limits if found and not file.section else ()
            checked.append(
                CheckedPlatform(
                    id=name,
                    cube_id=each.cube.id,
                    platform_id=platform_id,
                    key=key,
                    problems=problems,
                    limits=limits,
                )
            )
            if found is not None:
                platform = replace(found, id=platform_id)
                check_kind(platform)
                if not problems:
                    placements += _placements(each, platform, tasks)
        if nowhere and not platforms:
            placements += _placements(each, _nowhere(each.cube), tasks)
    _check_tasks(tasks, loaded)
    return Selection(
        cubes=loaded,
        platforms=tuple(checked),
        placements=tuple(placements),
        cases=tuple(case for each in placements for case in each.cases),
        comparisons=comparisons(placements),
    )


def _nowhere(cube: Cube) -> Platform:
    """Return what stands for a platform where none is asked for."""
    return Platform(id=NOWHERE, kind=NOWHERE, image="", file=cube.place)


def _placements(
    loaded: LoadedCube, platform: Platform, tasks: Sequence[str]
) -> list[Placement]:
    """Return a cube on a platform; nothing where its definitions are invalid.

    What such a cube does says little, and may be a second failure of one fault.
    """
    cube = loaded.cube
    if loaded.problems or not cube.invocations:
        return []
    selected, needed = (
        tuple(
            Case(cube=cube, platform=platform, invocation=each) for each in invocations
        )
        for invocations in select_invocations(cube.invocations, tasks)
    )
    return [Placement(cube=cube, platform=platform, cases=selected, all_cases=needed)]


def make_optional(cubes: Sequence[Cube], optional: Sequence[str]) -> list[Cube]:
    """Return cubes with some inputs marked as optional.

    Raises:
        UsageError: No task has such an input.
    """
    known = {
        f"{each.task.name}.{binding.parameter.name}"
        for cube in cubes
        for each in cube.invocations
        for binding in each.bound("input")
    }
    for given in optional:
        if not any(given in {each, each.partition(".")[2]} for each in known):
            raise UsageError(
                Message(
                    what=f"no task has the input {given!r}",
                    where="--optional",
                    found=given,
                    expected=f"one of {', '.join(sorted(known)) or '(none)'}",
                    do=did_you_mean(given, known) or "fix the name",
                )
            )
    return [with_optional_inputs(cube, optional) for cube in cubes]


def _files_once(files: Iterable[PlatformFile]) -> list[PlatformFile]:
    """Return platform files without those that an earlier one means, too."""
    found: dict[tuple[Path, str], PlatformFile] = {}
    for file in files:
        found.setdefault((resolved(file.path), file.section), file)
    return list(found.values())


def _read(places: Sequence[Path], given: Given) -> list[LoadedCube]:
    """Read cubes, and give each its name in test ids.

    That is the name of its folder, or its own where each cube is in such a folder; a
    definition of another name adds that.
    """
    read = [load_cube(place, folder_and_name(place)[0].name, given) for place in places]
    paths = []
    for each in read:
        cube = each.cube
        path = cube.root
        if path.name in _FOLDERS and not each.problems:
            path = path.parent / (_UNFIT.sub("-", cube.name).strip("-.") or path.name)
        if cube.definition:
            path = path.with_name(f"{path.name}-{PurePath(cube.definition).stem}")
        paths.append(path)
    return [
        replace(each, cube=replace(each.cube, id=name))
        for each, name in zip(read, ids_of(paths), strict=True)
    ]


def _check_tasks(tasks: Sequence[str], loaded: Sequence[LoadedCube]) -> None:
    """Refuse a task that no cube has, unless a broken cube may have had it."""
    invocations = [each for cube in loaded for each in cube.cube.invocations]
    known = {name for each in invocations for name in (each.name, each.task.name)}
    broken = any(each.problems or each.limits for each in loaded)
    for task in tasks:
        if not broken and not any(means(task, each) for each in invocations):
            raise UsageError(
                Message(
                    what=f"unknown task {task!r}: no case is selected",
                    where="--task",
                    found=task,
                    expected=f"one of {', '.join(sorted(known))}",
                    do=did_you_mean(task, known)
                    or "write the name of a task, or the path of a run file",
                )
            )
