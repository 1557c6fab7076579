"""Lays out in a folder what an image would hold, by the COPY lines of its recipe."""

from __future__ import annotations

import re
import shutil
from bisect import bisect_left
from errno import EACCES, EDQUOT, ENOSPC, EPERM, EROFS
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message, Violation
from mlcube_conformance.base.files import is_folder, is_inside, is_plain_file, resolved
from mlcube_conformance.base.trees import remove_tree
from mlcube_conformance.plan.workspace import make_folder
from mlcube_conformance.runners.common.dockerfile.ignore import sent_files
from mlcube_conformance.runners.common.dockerfile.stages import Recipe, read_recipe
from mlcube_conformance.runners.common.recipes import recipe_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mlcube_conformance.model import Cube
    from mlcube_conformance.runners.common.dockerfile.stages import Copy

__all__ = ["lay_out", "recipe_of"]

#: A command that makes files executable, and their names.
_CHMOD = re.compile(r"\bchmod\s+(?:\w*\+\w*x|0?[157][157]?[0-7]+)\s+([\w./ -]+)")
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
    sent = _sent(cube) if recipe.copies else []
    for each in recipe.copies:
        _apply(each, cube, place, sent)
    _make_executable(recipe, place)
    _guarded(
        f"WORKDIR {recipe.workdir}",
        cube,
        lambda: _folder(place, recipe.workdir),
    )


def _sent(cube: Cube) -> list[str]:
    """Return what Docker would send to a build of the cube."""
    build = cube.docker
    found: list[str] = []

    def work() -> None:
        text = recipe_text(cube, build)
        found.extend(sent_files(resolved(build.context), build.file, text))

    _guarded("the build context", cube, work)
    return found


def _apply(copy: Copy, cube: Cube, place: Path, sent: Sequence[str]) -> None:
    line = f"COPY {copy.source} {copy.target}"
    context = resolved(cube.docker.context)

    def work() -> None:
        there = [context] if copy.source == "." else _matches(context, copy.source)
        found = [each for each in there if _is_sent(each, context, sent)]
        if not found:
            more = ", which .dockerignore leaves out" if there else ""
            message = f"no such file in {cube.shown(context)}{more}"
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
            _copy(each, copy, place, _below(each, context, sent))

    _guarded(line, cube, work)


def _is_sent(path: Path, context: Path, sent: Sequence[str]) -> bool:
    """Say whether a build gets a file, or something of a folder."""
    if path == context:
        return True
    name = str(path.relative_to(context))
    # They are in order.
    at = bisect_left(sent, name)
    if sent[at : at + 1] == [name]:
        return True
    at = bisect_left(sent, f"{name}/")
    return any(each.startswith(f"{name}/") for each in sent[at : at + 1])


def _below(path: Path, context: Path, sent: Sequence[str]) -> list[Path]:
    """Return what a build gets of a folder, where links point to it."""
    real = resolved(path)
    if real == context or not real.is_relative_to(context):
        return [context / each for each in sent]
    start = f"{real.relative_to(context)}/"
    at = bisect_left(sent, start)
    inside = takewhile(lambda each: each.startswith(start), islice(sent, at, None))
    return [context / each for each in inside]


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


def _copy(source: Path, copy: Copy, place: Path, inside_it: Sequence[Path]) -> None:
    if is_folder(source):
        _folder(place, copy.target)
        for each in inside_it:
            inside = each.relative_to(resolved(source))
            if each.is_dir() and not each.is_symlink():
                _folder(place, f"{copy.target}/{inside}")
            elif each.is_file() or each.is_symlink():
                parent = _folder(place, f"{copy.target}/{inside.parent}")
                _copy_file(each, parent / each.name, copy.mode)
        return
    inside_folder = copy.into_folder or is_folder(place / copy.target.lstrip("/"))
    path = f"{copy.target}/{source.name}" if inside_folder else copy.target
    folder, _, name = path.rpartition("/")
    _copy_file(resolved(source), _folder(place, folder) / name, copy.mode)


def _copy_file(source: Path, target: Path, mode: int | None) -> None:
    if target.is_symlink():
        target.unlink()  # To write through it would write elsewhere.
    shutil.copy2(source, target, follow_symlinks=False)
    if mode is not None and mode >= 0 and not target.is_symlink():
        target.chmod(mode)


def _make_executable(recipe: Recipe, place: Path) -> None:
    """Let files be executed that a RUN line makes executable: no line is run here."""
    for line in recipe.commands:
        for match in _CHMOD.finditer(line):
            for path in match[1].split():
                file = place / recipe.workdir.lstrip("/") / path
                if path.startswith("/"):
                    file = place / path.lstrip("/")
                if is_inside(place, file) and is_plain_file(file):
                    file.chmod(file.stat().st_mode | 0o111)


def _folder(place: Path, path: str) -> Path:
    """Make a folder below the place; a link that was copied must not point out."""
    folder = place / path.lstrip("/")
    if not is_inside(place, folder):
        message = "a link points out of the image"
        raise ValueError(message)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
