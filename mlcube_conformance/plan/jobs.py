"""The jobs of a CI: which cubes are tested on which platforms, and in how many jobs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.base.files import resolved

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from mlcube_conformance.model import Cube

__all__ = ["Job", "changed_cubes", "folders_of", "grouped", "names_of", "shards_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One cube on one platform."""

    cube: str
    """Path of the cube, as the command line names it."""
    platform: str


def folders_of(cube: Cube) -> set[Path]:
    """Return the folders that hold what a cube is made from, links followed.

    A build context may be beside the cube or above it; a workspace may be a link.
    """
    return {resolved(each) for each in _places(cube)}


def _places(cube: Cube) -> set[Path]:
    builds = (cube.docker, cube.singularity)
    contexts = {place for each in builds for place in (each.context, each.file.parent)}
    return {cube.root, cube.workspace, *contexts}


def _links_to(cube: Cube) -> set[Path]:
    """Return the links that the folders of a cube are reached through."""
    return {
        resolved(each.parent) / each.name
        for place in _places(cube)
        for each in (place, *place.parents)
        if each.is_symlink()
    }


def changed_cubes(cubes: Iterable[Cube], files: Collection[Path]) -> list[Cube]:
    """Return the cubes that a change concerns.

    Args:
        cubes: All there are.
        files: What changed, by absolute path. A submodule is one path, which may hold
            cubes.
    """
    touched = {place for each in files for place in (each, *each.parents)}
    return [
        cube
        for cube in cubes
        if any(
            folder in touched or any(above in files for above in folder.parents)
            for folder in folders_of(cube) | _links_to(cube)
        )
    ]


def names_of(cubes: Mapping[str, str]) -> dict[str, str]:
    """Return a name to show for each path of a cube: its own, or its path.

    Args:
        cubes: The name of each cube, by its path.
    """
    count = Counter(cubes.values())
    return {
        path: name if name and count[name] == 1 else path
        for path, name in cubes.items()
    }


def shards_of(jobs: Sequence[Job], most: int) -> list[Sequence[Job]]:
    """Return jobs in groups of the same size, give or take one; no group is empty.

    Jobs that follow each other, such as those of one cube, stay together.
    """
    count = min(most, len(jobs))
    return [
        jobs[number * len(jobs) // count : (number + 1) * len(jobs) // count]
        for number in range(count)
    ]


def grouped(jobs: Iterable[Job]) -> dict[tuple[str, ...], list[str]]:
    """Return the cubes to test in one run each, by the platforms of the run.

    A run tests each of its cubes on each of its platforms, and compares these.
    """
    platforms: dict[str, dict[str, None]] = {}
    for each in jobs:
        platforms.setdefault(each.cube, {})[each.platform] = None
    found: dict[tuple[str, ...], list[str]] = {}
    for cube, names in platforms.items():
        found.setdefault(tuple(names), []).append(cube)
    return found
