"""What a runner's command line names: a cube and a platform, read and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError, require_given
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.commands.said import say
from mlcube_conformance.formats.main_files import cube_place
from mlcube_conformance.formats.platforms import find_platform, load_platform
from mlcube_conformance.plan.values import not_there
from mlcube_conformance.runners import first_available
from mlcube_conformance.runners.about import preferred
from mlcube_conformance.runners.common.recipes import made_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlcube_conformance.formats.loaded import LoadedCube
    from mlcube_conformance.model import Cube, Platform

__all__ = ["checked_cube", "named_cube", "read_platform", "refuse"]


def named_cube(mlcube: str, word: str) -> Path:
    """Return the place of a cube that the command line names.

    Args:
        mlcube: How it is named.
        word: The option, or the argument, that names it.

    Raises:
        UsageError: No cube is there.
    """
    path = given_path(mlcube, word)
    place = cube_place(path)
    if place is None:
        raise not_there(word, path, "the folder of a cube, or its mlcube.yaml")
    return place


def checked_cube(loaded: LoadedCube) -> Cube:
    """Return a cube whose files are right."""
    refuse(loaded.problems)
    for warning in loaded.warnings:
        say(f"warning: {warning}")
    if not loaded.cube.invocations:
        require_given(loaded.limits)
    return loaded.cube


def read_platform(name: str | None, cube: Cube, kind: str) -> Platform:
    """Return a platform for a cube, by its name or its file.

    Args:
        name: Which; None for the first that works here of those it is made for.
        cube: The cube.
        kind: Kind that it must be of; "" for any.

    Raises:
        UsageError: Its file is invalid, or for another kind.
    """
    if name is None:
        name, _ = first_available(made_for(cube) or preferred())
        say(f"no --platform given, so the first that works here: {name}")
    platform, problems = load_platform(find_platform(name, cube), cube)
    refuse(problems)
    if platform is None or platform.kind != (kind or platform.kind):
        raise UsageError(
            Message(
                what=f"the platform file is not for {kind}",
                where=name,
                found=f"a platform of the kind {platform.kind if platform else '?'}",
                expected=f"the kind {kind}",
                do=f"give a platform file for {kind}",
            )
        )
    require_given(platform.limits)
    return platform


def refuse(problems: Sequence[Message]) -> None:
    """Refuse files that are not valid, before anything is started."""
    if problems:
        raise UsageError(*problems)
