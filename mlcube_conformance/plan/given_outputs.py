"""Lets a task write a file that the command line names, and nothing beside it.

A file is mounted by the folder that holds it. So a task gets our own folder, and
what it makes there is put in its place afterwards.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.copying import copy
from mlcube_conformance.base.errors import MachineError, not_written
from mlcube_conformance.base.files import ODD, is_there, kind_of
from mlcube_conformance.base.snapshots import Snapshot, snapshot
from mlcube_conformance.base.writing import move_whole
from mlcube_conformance.plan.mounts import is_file
from mlcube_conformance.plan.workspace import make_folder

if TYPE_CHECKING:
    from mlcube_conformance.base.errors import Message
    from mlcube_conformance.model import Binding, Invocation

__all__ = ["Delivery", "UndeliveredError", "deliver", "is_given_file", "stand_in"]


class UndeliveredError(MachineError):
    """What a task has made cannot be put in its place."""

    def __init__(
        self, made: tuple[Path, ...], message: Message, *more: Message
    ) -> None:
        """Keep where it is."""
        super().__init__(message, *more)
        self.made = made


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A file that a task makes in our folder, and where it belongs."""

    made: Path
    wanted: Path
    before: Snapshot
    """What was in our folder before the task ran."""

    @property
    def is_new(self) -> bool:
        """Whether the task wrote it, or changed what was there."""
        return bool(list(snapshot(self.made).made_since(self.before)))


def is_given_file(binding: Binding, workspace: Path) -> bool:
    """Say whether it is an output file that the command line names."""
    return (
        binding.given_by_user
        and binding.parameter.role == "output"
        and is_file(binding, workspace)
    )


def stand_in(
    invocation: Invocation, workspace: Path, folder: Path
) -> tuple[Invocation, tuple[Delivery, ...]]:
    """Return the invocation with our folders for given output files.

    A file that is given as an input too is worked on in place: it is copied first.

    Raises:
        MachineError: A folder cannot be made, or a file not be copied.
    """
    places: dict[str, Path] = {}
    for binding in invocation.bound("output"):
        if is_given_file(binding, workspace) and binding.value not in places:
            make_folder(folder)
            place = Path(tempfile.mkdtemp(prefix="output-", dir=folder))
            places[binding.value] = place / Path(binding.value).name
    for binding in invocation.bound("input"):
        if binding.given_by_user and binding.value in places:
            try:
                copy(Path(binding.value), places[binding.value])
            except OSError as error:
                raise _not_delivered(Path(binding.value), error) from error
    bindings = tuple(
        replace(each, value=str(places[each.value]))
        if each.given_by_user and each.value in places
        else each
        for each in invocation.bindings
    )
    deliveries = tuple(
        Delivery(made=made, wanted=Path(value), before=snapshot(made))
        for value, made in places.items()
    )
    return replace(invocation, bindings=bindings), deliveries


def deliver(deliveries: tuple[Delivery, ...]) -> None:
    """Put what a task has made in its place; our folders stay, without it.

    The command line that runs the task by hand names them.

    Raises:
        UndeliveredError: Some of it cannot be written there.
    """
    left: dict[Path, Message] = {}
    for each in deliveries:
        # What is in its place is left as it is, and reported so.
        if each.is_new:
            try:
                _put(each.made, each.wanted)
            except (OSError, shutil.Error) as error:
                left[each.made] = _not_delivered(each.wanted, error).messages[0]
    if left:
        raise UndeliveredError(tuple(left), *left.values())


def _put(made: Path, wanted: Path) -> None:
    try:
        mode = made.lstat().st_mode
    except FileNotFoundError:
        return
    kind = kind_of(mode)
    if kind == "device" or (kind != "file" and is_there(wanted)):
        return  # Nothing of the user's is replaced by what is not a file.
    if kind in ODD:
        os.mknod(wanted, mode)  # To copy it would open it.
    elif kind == "file":
        move_whole(made, wanted)
    else:
        shutil.move(made, wanted)


def _not_delivered(place: Path, error: Exception) -> MachineError:
    return not_written(
        "a file of the command line cannot be read or written",
        place,
        error,
        expected="a file that can be replaced, and a disk with room",
        do="fix the permissions, or free some space",
    )
