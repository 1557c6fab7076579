"""Makes the broken inputs on which a task must fail."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.copying import copy
from mlcube_conformance.base.errors import Message, Violation, not_written
from mlcube_conformance.base.files import is_folder, is_there, resolved
from mlcube_conformance.base.snapshots import snapshot
from mlcube_conformance.base.trees import walk
from mlcube_conformance.plan.mounts import host_path

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.model import Invocation
    from mlcube_conformance.promise import BrokenInput

__all__ = ["break_input"]


def break_input(
    invocation: Invocation, workspace: Path, broken: BrokenInput, folder: Path
) -> Invocation:
    """Return an invocation with one input broken; the input itself stays as it is.

    The folder that holds the broken one is what the task sees: so the input may be
    missing there, or be of another type.

    Args:
        invocation: What to run.
        workspace: Where to run it.
        broken: What to break, and how.
        folder: Folder for the broken input, created if needed.

    Raises:
        Violation: The input is what it would be broken into already.
        MachineError: It cannot be made.
    """
    binding = next(
        each
        for each in invocation.bound("input")
        if each.parameter.name == broken.input
    )
    source = host_path(binding, workspace)
    if _is_broken_already(source, broken.how):
        raise Violation(
            Message(
                what=f"the input {broken.input!r} is broken already",
                where=str(broken.source),
                found=f"nothing to change at {source}: {broken.how}",
                expected="an input that holds something",
                do="put data into the input, or remove it from negative",
            )
        )
    place = folder / source.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _make(source, place, broken)
    except OSError as error:
        what = f"the broken input {broken.input!r} cannot be made"
        do = "free some disk space, or fix the permissions"
        raise not_written(what, place, error, do=do) from error
    parameter = replace(binding.parameter, kind="file", access="ro", optional=True)
    changed = replace(
        binding, parameter=parameter, value=str(place), given_by_user=True
    )
    return replace(
        invocation,
        bindings=tuple(changed if x is binding else x for x in invocation.bindings),
    )


def _is_broken_already(source: Path, how: str) -> bool:
    """Say whether an input is missing or empty before it is made so."""
    if how == "missing":
        return not is_there(source)
    if how == "empty" and is_folder(source):
        return not any(source.iterdir())
    if how not in {"empty", "truncated"}:
        return False
    return not any(entry.size for _, entry in snapshot(resolved(source)).files())


def _make(source: Path, place: Path, broken: BrokenInput) -> None:
    as_folder = is_folder(source)
    if broken.how == "wrong kind":
        as_folder = not as_folder
    if broken.instead is not None:
        copy(broken.instead, place)
    elif broken.how == "truncated":
        copy(source, place)
        _halve(place)
    elif broken.how != "missing" and as_folder:
        place.mkdir()
    elif broken.how == "wrong kind":
        place.write_text("a file in the place of a folder\n", encoding="utf-8")
    elif broken.how == "empty":
        place.touch()


def _halve(place: Path) -> None:
    """Cut each file at or below a path to half of its bytes."""
    files = (
        [place]
        if not is_folder(place)
        else [place / each.path for each in walk(place) if not each.is_folder]
    )
    for file in files:
        if not file.is_symlink():
            os.truncate(file, file.stat().st_size // 2)
