"""Finds the cubes that a command line names, also by patterns."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    Message,
    UsageError,
    Violation,
    did_you_mean,
)
from mlcube_conformance.base.files import is_plain_file, resolved
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.formats.main_files import (
    MAIN_FILES,
    cube_place,
    folder_and_name,
    main_file,
)
from mlcube_conformance.formats.single_file import is_single_file
from mlcube_conformance.formats.yaml import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["cube_places"]


def cube_places(words: Iterable[str]) -> list[Path]:
    """Return the places of cubes, each once, whatever points to it.

    What is named without a pattern is taken as it is, so messages say what it lacks
    to be a cube. A pattern takes the cubes among what it matches.

    Raises:
        UsageError: A word names no folder, or matches no cube.
    """
    found: dict[Path, Path] = {}
    for word in words:
        for place in _places(word):
            root, name = folder_and_name(place)
            found.setdefault(resolved(root) / name, place)
    return list(found.values())


def _places(word: str) -> list[Path]:
    path = given_path(word, "--cube")
    place = cube_place(path)
    if place is not None:
        return [place]
    if not glob.has_magic(word):
        raise _no_cube(word, path, "a file" if is_plain_file(path) else "nothing")
    try:
        found = sorted(_matching(path))
    except (ValueError, RecursionError) as error:  # `a**`, or folders without an end
        raise _no_cube(word, path, str(error)) from error
    if not found:
        raise _no_cube(word, path, f"nothing with {' or '.join(MAIN_FILES)}")
    return found


def _matching(path: Path) -> Iterator[Path]:
    """Yield the cubes that a pattern matches; hidden folders only where it names some.

    Folders of earlier runs and environments of Python hold copies of cubes.
    """
    fixed = next(i for i, part in enumerate(path.parts) if glob.has_magic(part))
    top, pattern = Path(*path.parts[:fixed]), Path(*path.parts[fixed:])
    for each in top.glob(str(pattern)):
        place = cube_place(each)
        hidden = _is_hidden(each.relative_to(top)) and not _is_hidden(pattern)
        if place is not None and not hidden and _is_cube(place):
            yield place


def _is_cube(place: Path) -> bool:
    """Say whether a folder has a main file, or a file is the one of a cube."""
    file = main_file(place)
    if file is None or not folder_and_name(place)[1]:
        return file is not None
    if file.name.startswith(("mlcube", "mlbox")):
        return True  # Its problems are reported.
    try:
        document = read_yaml(file, file.parent)
    except Violation:
        return False
    return document.get("tasks") is not None and is_single_file(document)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _no_cube(word: str, path: Path, found: str) -> UsageError:
    return UsageError(
        Message(
            what=f"there is no cube at {word}",
            where="--cube",
            found=found,
            expected="a folder with mlcube.yaml, that file, or a pattern of them",
            do=_near(path) or "fix the path",
        )
    )


def _near(path: Path) -> str:
    try:
        names = (each.name for each in path.parent.iterdir())
        return did_you_mean(path.name, [each for each in names if each != path.name])
    except OSError:
        return ""
