"""Finds the cubes that a command line names, also by patterns."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    Message,
    UsageError,
    Violation,
    did_you_mean,
)
from mlcube_conformance.base.files import below, is_folder, is_plain_file, resolved
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.formats.main_files import (
    MAIN_FILES,
    cube_place,
    folder_and_name,
    main_file,
)
from mlcube_conformance.formats.other_formats import medperf
from mlcube_conformance.formats.single_file import is_single_file
from mlcube_conformance.formats.yaml import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["cube_places"]

#: Names of definitions beside the main file, as `mlcube_gpu.yaml`.
_NAME_LIKE_MAIN = re.compile(r"ml(?:cube|box).*\.ya?ml")


def cube_places(
    words: Iterable[str], option: str = "--cube", *, search: bool = False
) -> list[Path]:
    """Return the places of cubes, each once, whatever points to it.

    What is named without a pattern is taken as it is, so messages say what it lacks
    to be a cube. A pattern takes the cubes among what it matches.

    Args:
        words: Folders, main files and patterns.
        option: What messages call the words.
        search: Whether a folder that is not a cube is searched for some.

    Raises:
        UsageError: A word names no folder, or matches no cube.
    """
    found: dict[Path, Path] = {}
    for word in words:
        for place in _places(word, option, search=search):
            found.setdefault(_identity(place), place)
    return list(found.values())


def _identity(place: Path) -> Path:
    """Return what a place is, whatever links point to it or to its definition."""
    folder, name = folder_and_name(place)
    root = resolved(folder)
    real = resolved(root / name)
    if name and real.parent == root:
        return root if real == main_file(root) else real
    return root / name


def _places(word: str, option: str, *, search: bool) -> list[Path]:
    path = given_path(word, option)
    place = cube_place(path)
    if place is not None and not (search and _may_hold_cubes(place)):
        return [place]
    if place is None and not glob.has_magic(word):
        found = "a file" if is_plain_file(path) else "nothing"
        raise _no_cube(word, path, found, option)
    try:
        places = sorted(_below(path) if place is not None else _matching(path))
    except PermissionError as error:
        raise UsageError(
            Message(
                what="a folder cannot be searched for cubes",
                where=str(error.filename or path),
                found=error.strerror or str(error),
                expected="folders that you may list",
                do="fix its mode, or name the cubes themselves",
            )
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        # `a**`, or folders without an end
        raise _no_cube(word, path, str(error), option) from error
    if not places:
        nothing = f"nothing with {' or '.join(MAIN_FILES)}"
        raise _no_cube(word, path, nothing, option)
    return places


def _may_hold_cubes(place: Path) -> bool:
    """Say whether a place is a folder that describes nothing by itself."""
    return is_folder(place) and main_file(place) is None and medperf(place) is None


def _below(folder: Path) -> Iterator[Path]:
    """Yield the cubes in a folder, not those in hidden folders and environments."""
    for each in below(folder, _is_left_out, whole=True):
        if each.name in MAIN_FILES:
            yield each.parent
        elif _NAME_LIKE_MAIN.fullmatch(each.name) and _describes_tasks(each):
            yield each


def _is_left_out(path: Path) -> bool:
    return path.name.startswith(".") or _is_environment(path)


def _is_in_environment(path: Path, top: Path) -> bool:
    """Say whether a folder between a path and the top is an environment of Python."""
    return any(_is_environment(top / each) for each in path.parents if each.parts)


def _is_environment(path: Path) -> bool:
    """Say whether a folder is one of Python: packages such as ours have cubes."""
    return is_plain_file(path / "pyvenv.cfg")


def _matching(path: Path) -> Iterator[Path]:
    """Yield the cubes that a pattern matches; hidden folders only where it names some.

    Folders of earlier runs and environments of Python hold copies of cubes.
    """
    fixed = next(i for i, part in enumerate(path.parts) if glob.has_magic(part))
    top, pattern = Path(*path.parts[:fixed]), Path(*path.parts[fixed:])
    for each in top.glob(str(pattern)):
        place = cube_place(each)
        inside = each.relative_to(top)
        hidden = _is_hidden(inside) and not _is_hidden(pattern)
        if (
            place is not None
            and not hidden
            and _is_cube(place)
            and not _is_in_environment(inside, top)
        ):
            yield place


def _is_cube(place: Path) -> bool:
    """Say whether a folder has a main file, or a file is the one of a cube."""
    file = main_file(place)
    if file is None or not folder_and_name(place)[1]:
        return file is not None
    # The problems of such a file are reported.
    return file.name.startswith(("mlcube", "mlbox")) or _describes_tasks(file)


def _describes_tasks(file: Path) -> bool:
    """Say whether a file of another name is that of a cube."""
    try:
        document = read_yaml(file, file.parent)
    except Violation:
        return False
    return document.get("tasks") is not None and is_single_file(document)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _no_cube(word: str, path: Path, found: str, option: str) -> UsageError:
    return UsageError(
        Message(
            what=f"there is no cube at {word}",
            where=option,
            found=found,
            expected="a folder with mlcube.yaml, that file, or a pattern of them",
            do=_near(path)
            or (
                "name another folder, or make a cube: mlcube-conformance init hello"
                if is_folder(path)
                else "fix the path"
            ),
        )
    )


def _near(path: Path) -> str:
    try:
        names = (each.name for each in path.parent.iterdir())
        return did_you_mean(path.name, [each for each in names if each != path.name])
    except OSError:
        return ""
