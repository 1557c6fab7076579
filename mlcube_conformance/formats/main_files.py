"""The main file of a cube, and the folder that files near it must stay in.

A place of a cube is its folder, or its main file where that has a name of its own: one
folder may hold several.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.files import is_folder, is_plain_file, is_there, resolved

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "MAIN_FILES",
    "cube_place",
    "folder_and_name",
    "is_definition",
    "main_file",
    "roots_of",
]

#: Names of the file that describes a cube, today and before.
MAIN_FILES = ("mlcube.yaml", "mlbox.yaml")
#: Endings of the file where it has another name.
_ENDINGS = (".yaml", ".yml")
#: Beginnings of the names of files that say how an image is made.
_RECIPES = ("Dockerfile", "Singularity")


def cube_place(given: Path) -> Path | None:
    """Return the place of a cube that is named by its folder or its main file."""
    if is_folder(given):
        return given
    if not is_there(given):
        return None
    if given.name in MAIN_FILES:
        return given.parent
    return given if given.suffix in _ENDINGS else None


def folder_and_name(place: Path) -> tuple[Path, str]:
    """Return the folder of a cube, and its main file's name if it is not the usual."""
    if place.suffix in _ENDINGS and not is_folder(place):
        return place.parent, place.name
    return place, ""


def main_file(place: Path) -> Path | None:
    """Return the file that describes a cube, if any file has its name."""
    root, name = folder_and_name(place)
    names = (name,) if name else MAIN_FILES
    return next((root / each for each in names if is_there(root / each)), None)


def is_definition(file: Path, place: Path) -> bool:
    """Say whether a file is there and may be one that defines a cube."""
    real = resolved(file)
    main = main_file(place) or place
    if real == resolved(main):
        return True
    is_named_so = real.suffix in _ENDINGS or real.name.startswith(_RECIPES)
    is_inside = real.is_relative_to(resolved(folder_and_name(place)[0]))
    return is_named_so and is_inside and is_plain_file(real)


def roots_of(file: Path) -> tuple[Path, ...]:
    """Return the cube that a file is in, which its links must not leave.

    A file that is in no cube is the user's own, and may be anywhere.
    """
    return tuple(each for each in file.parents if main_file(each) is not None)[:1]
