"""Finds the folders of the cubes that a command line names, also by patterns."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError, did_you_mean
from mlcube_conformance.base.files import is_plain_file, resolved
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.formats.cubes import cube_folder
from mlcube_conformance.formats.main_files import MAIN_FILES, main_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["cube_roots"]


def cube_roots(words: Iterable[str]) -> list[Path]:
    """Return the folders of cubes, each once, whatever points to it.

    What is named without a pattern is taken as it is, so messages say what it lacks
    to be a cube. A pattern takes the cubes among what it matches.

    Raises:
        UsageError: A word names no folder, or matches no cube.
    """
    found: dict[Path, Path] = {}
    for word in words:
        for root in _roots(word):
            found.setdefault(resolved(root), root)
    return list(found.values())


def _roots(word: str) -> list[Path]:
    path = given_path(word, "--cube")
    folder = cube_folder(path)
    if folder is not None:
        return [folder]
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
        root = cube_folder(each)
        hidden = _is_hidden(each.relative_to(top)) and not _is_hidden(pattern)
        if root is not None and not hidden and main_file(root) is not None:
            yield root


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
        return did_you_mean(path.name, [each.name for each in path.parent.iterdir()])
    except OSError:
        return ""
