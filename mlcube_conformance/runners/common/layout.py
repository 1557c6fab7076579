"""Lays out in a folder what an image would hold, by the COPY lines of its recipe."""

from __future__ import annotations

import re
import shutil
from errno import EACCES, EDQUOT, ENOSPC, EPERM, EROFS
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message, Violation
from mlcube_conformance.base.files import below, is_folder, is_inside, resolved
from mlcube_conformance.base.names import FOLDER
from mlcube_conformance.base.trees import remove_tree
from mlcube_conformance.plan.workspace import make_folder
from mlcube_conformance.runners.common.dockerfile.stages import Recipe, read_recipe
from mlcube_conformance.runners.common.recipes import recipe_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mlcube_conformance.model import Cube
    from mlcube_conformance.runners.common.dockerfile.stages import Copy

__all__ = ["lay_out", "recipe_of"]

_OURS = {EACCES, EDQUOT, ENOSPC, EPERM, EROFS}


def recipe_of(cube: Cube, build_args: Mapping[str, str]) -> Recipe:
    """Return what the Dockerfile of a cube says.

    Raises:
        Violation: There is none, or it cannot be understood.
    """
    text = recipe_text(cube, cube.docker)
    try:
        return read_recipe(text, build_args)
    except (ValueError, RecursionError) as error:
        raise Violation(
            Message(
                what=f"the recipe of {cube.id!r} cannot be read",
                where=str(cube.docker.file),
                found=str(error),
                expected="a Dockerfile, which says what a task starts",
                do=f"write {cube.shown(cube.docker.file)} with COPY lines and an "
                "ENTRYPOINT",
            )
        ) from error


def lay_out(recipe: Recipe, cube: Cube, place: Path) -> None:
    """Make a folder that stands for the root of the image.

    Raises:
        Violation: The recipe copies what does not exist, or where nothing can be.
        MachineError: The disk is full, or the folder cannot be written to.
    """
    remove_tree(place)
    make_folder(place)
    for each in recipe.copies:
        _apply(each, cube, place)
    _guarded(
        f"WORKDIR {recipe.workdir}",
        cube,
        lambda: _folder(place, recipe.workdir),
    )


def _apply(copy: Copy, cube: Cube, place: Path) -> None:
    line = f"COPY {copy.source} {copy.target}"
    context = resolved(cube.docker.context)

    def work() -> None:
        found = [context] if copy.source == "." else _matches(context, copy.source)
        if not found:
            message = f"no such file in {cube.shown(context)}"
            raise ValueError(message)
        if len(found) > 1 and not copy.into_folder:
            message = (
                "several files match, and the target is not a folder (end it with /)"
            )
            raise ValueError(message)
        for each in found:
            if not is_inside(context, each):
                message = f"{each.name} is a link that leaves the build context"
                raise ValueError(message)
            _copy(each, copy, place)

    _guarded(line, cube, work)


def _matches(context: Path, pattern: str) -> list[Path]:
    """Return what a pattern means; two stars mean what one does, as in Docker."""
    return sorted(context.glob(re.sub(r"\*+", "*", pattern)))


def _guarded(line: str, cube: Cube, work: Callable[[], object]) -> None:
    """Say whose fault it is when a line cannot be carried out."""
    try:
        work()
    except (OSError, ValueError, NotImplementedError, RuntimeError) as error:
        numbers = {getattr(error, "errno", None)}
        if isinstance(error, shutil.Error):
            # It keeps the texts of what went wrong, and not the errors.
            numbers |= {n for n in _OURS if f"[Errno {n}]" in str(error)}
        kind = MachineError if numbers & _OURS else Violation
        raise kind(
            Message(
                what=f"cannot lay out the image of cube {cube.id!r}",
                where=str(cube.docker.file),
                found=f"{line}: {error}",
                expected="a file or folder of the context, and a place to hold it",
                do="free some disk space, or fix the permissions"
                if kind is MachineError
                else "fix the line, or add the file",
            )
        ) from error


def _copy(source: Path, copy: Copy, place: Path) -> None:
    if is_folder(source):
        _folder(place, copy.target)
        for each in below(source):
            inside = each.relative_to(source)
            if inside.parts[0] == FOLDER:  # of runs, in a cube that is its own context
                continue
            if each.is_dir() and not each.is_symlink():
                _folder(place, f"{copy.target}/{inside}")
            elif each.is_file() or each.is_symlink():
                parent = _folder(place, f"{copy.target}/{inside.parent}")
                _copy_file(each, parent / each.name)
        return
    inside_folder = copy.into_folder or is_folder(place / copy.target.lstrip("/"))
    path = f"{copy.target}/{source.name}" if inside_folder else copy.target
    folder, _, name = path.rpartition("/")
    _copy_file(resolved(source), _folder(place, folder) / name)


def _copy_file(source: Path, target: Path) -> None:
    if target.is_symlink():
        target.unlink()  # To write through it would write elsewhere.
    shutil.copy2(source, target, follow_symlinks=False)


def _folder(place: Path, path: str) -> Path:
    """Make a folder below the place; a link that was copied must not point out."""
    folder = place / path.lstrip("/")
    if not is_inside(place, folder):
        message = "a link points out of the image"
        raise ValueError(message)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
