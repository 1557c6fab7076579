"""Reads all files of a cube that a run would, and returns what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Unsupported, UsageError, Violation
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.main_files import folder_and_name
from mlcube_conformance.formats.platforms import load_platform, own_platforms
from mlcube_conformance.formats.reading import Reading
from mlcube_conformance.plan.definitions import check_definitions
from mlcube_conformance.results.flaw import Flaw
from mlcube_conformance.runners import check_kind
from mlcube_conformance.runners.common.recipes import (
    has_recipe,
    made_for,
    recipe_text,
)
from mlcube_conformance.validation.definition_file import definition_flaws
from mlcube_conformance.validation.dockerfile import dockerfile_flaws
from mlcube_conformance.validation.flaw import flaw, softened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from mlcube_conformance.model import Build, Cube, Platform, PlatformFile
    from mlcube_conformance.results.flaw import Level

    Look = Callable[[Cube, Build, str], Iterator[Flaw]]

__all__ = ["CheckedCube", "check_cube"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCube:
    """A cube, with what is wrong with its files."""

    place: Path
    flaws: tuple[Flaw, ...]


def check_cube(place: Path) -> CheckedCube:
    """Return what is wrong with the files of a cube, each flaw once.

    Args:
        place: Its folder, or its main file where that has another name.
    """
    return CheckedCube(place=place, flaws=tuple(dict.fromkeys(_flaws(place))))


def _flaws(place: Path) -> Iterator[Flaw]:
    read = check_definitions(load_cube(place, folder_and_name(place)[0].name))
    yield from _of_messages("FILE-1", read.problems, "error")
    yield from _of_messages("FILE-1", read.warnings, "warning")
    yield from _of_messages("FILE-1", read.limits, "note")
    if not read.is_cube:
        return
    cube = read.cube
    platforms = own_platforms(cube)
    yield from _platform_flaws(cube, platforms)
    pulls = _pulls(cube)
    for each in _recipe_flaws(cube, cube.docker, dockerfile_flaws):
        # An image that is pulled was made elsewhere, from this or another recipe.
        yield softened(each) if pulls else each
    yield from _recipe_flaws(cube, cube.singularity, definition_flaws)
    if not read.problems and not platforms:
        yield from _image_flaws(cube)


def _of_messages(
    name: str, messages: Iterable[Message], level: Level
) -> Iterator[Flaw]:
    return (Flaw(clause=name, message=each, level=level) for each in messages)


def _platform_flaws(cube: Cube, files: Iterable[PlatformFile]) -> Iterator[Flaw]:
    reading = Reading()
    for file in files:
        platform, problems = load_platform(file, cube, reading)
        yield from _of_messages("FILE-2", problems, "error")
        if platform is not None:
            limits = (*platform.limits, *_unknown_kind(platform))
            yield from _of_messages("FILE-2", limits, "note")


def _unknown_kind(platform: Platform) -> tuple[Message, ...]:
    """Say that a package is missing here: elsewhere it may be there."""
    try:
        check_kind(platform)
    except UsageError as error:
        return error.messages
    return ()


def _recipe_flaws(cube: Cube, build: Build, look: Look) -> Iterator[Flaw]:
    if not has_recipe(build):
        return
    try:
        text = recipe_text(cube, build)
    except Violation as violation:
        yield from _of_messages("IMAGE-1", violation.messages, "error")
    except Unsupported as limit:
        yield from _of_messages("IMAGE-1", limit.messages, "note")
    else:
        yield from look(cube, build, text)


def _pulls(cube: Cube) -> bool:
    """Say whether the image of Docker is pulled though there is a recipe."""
    platform = cube.platforms.get("docker")
    return platform is not None and platform.strategy == "pull"


def _image_flaws(cube: Cube) -> Iterator[Flaw]:
    """Yield that a cube names no image, and has nothing to make one from."""
    if made_for(cube):
        return
    yield flaw(
        "IMAGE-1",
        "the cube has neither a recipe nor the name of an image",
        cube.place,
        found="no Dockerfile, no recipe of Singularity and no platform file",
        expected=f"{cube.shown(cube.docker.file)}, or a platform file with an image",
        do="write a Dockerfile, or name the image",
    )
