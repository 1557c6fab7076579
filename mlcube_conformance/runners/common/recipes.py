"""The recipes of a cube's images: whether there are any, and what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Unsupported, Violation
from mlcube_conformance.base.files import is_there, read_text
from mlcube_conformance.formats.platforms import names_platform
from mlcube_conformance.runners.about import preferred

if TYPE_CHECKING:
    from mlcube_conformance.model import Build, Cube

__all__ = [
    "check_build",
    "has_recipe",
    "is_made_for",
    "made_for",
    "not_made_for",
    "recipe_text",
]


def has_recipe(build: Build) -> bool:
    """Say whether a recipe is there, or is meant to be.

    One that is a link to nowhere, a folder or a pipe is there too: that it cannot be
    read is reported, and nothing else is taken instead.
    """
    return build.named or is_there(build.file)


def check_build(build: Build) -> None:
    """Refuse to make an image where its files must not be used.

    Raises:
        Violation: The cube is at fault.
        Unsupported: The files are where a cube has none.
    """
    if build.trouble is not None:
        raise build.trouble


def is_made_for(cube: Cube, kind: str) -> bool:
    """Say whether a cube names an image for a kind of platform, or has a recipe."""
    if kind != "local" and names_platform(cube, kind):
        return True
    found = has_recipe(cube.docker)
    if kind == "singularity":
        return found or has_recipe(cube.singularity) or "docker" in cube.platforms
    return found or kind not in {"docker", "local"}


def made_for(cube: Cube) -> tuple[str, ...]:
    """Return the kinds of platform that a cube is made for, the preferred one first."""
    return tuple(each for each in preferred() if is_made_for(cube, each))


def not_made_for(cube: Cube, kind: str) -> Unsupported:
    """Return the refusal to look for an image that a cube does not name."""
    others = made_for(cube)
    return Unsupported(
        Message(
            what=f"the cube {cube.id!r} is not made for {kind}",
            where=str(cube.place),
            found=f"no image for {kind}"
            + (", and a recipe that is not used" if has_recipe(cube.docker) else ""),
            expected=f"a section or a platform file for {kind}, or a recipe",
            do="give --build-strategy auto, to use the recipe"
            if kind in others
            else f"run it on another platform: --platform {others[0]}"
            if others
            else "name its image, or write a recipe",
        )
    )


def recipe_text(cube: Cube, build: Build) -> str:
    """Return the text of a recipe.

    Raises:
        Violation: It cannot be read, or is not in the cube or its context.
        Unsupported: It is where a cube has none.
    """
    check_build(build)
    try:
        return read_text(build.file, build.context, cube.root)
    except Violation as violation:
        (message,) = violation.messages
        raise Violation(
            replace(
                message,
                what=f"the recipe of {cube.id!r} cannot be read",
                expected="a recipe, which says what a task starts",
                do=f"write {cube.shown(build.file)}, or fix its name where it is given",
            )
        ) from violation
