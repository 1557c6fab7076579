"""Checks of the files of a task, from observations before and after."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message
from mlcube_conformance.base.files import ODD
from mlcube_conformance.base.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlcube_conformance.base.snapshots import Snapshot
    from mlcube_conformance.model import Binding

__all__ = [
    "Observation",
    "inputs_unchanged",
    "outputs_appear",
    "outputs_are_of_their_type",
    "outputs_belong_to_user",
    "outputs_not_empty",
    "some",
]

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """An input or output as it stood before the task ran and after."""

    binding: Binding
    path: Path
    before: Snapshot
    after: Snapshot
    digests: Mapping[str, str] = field(default_factory=dict)
    """Hashes of its files, where the cube promises what they are."""
    stray_links: tuple[tuple[str, str], ...] = ()
    """Links at or in it that point to nothing else in it, and their targets."""
    task: str = ""
    """Whose it is, where that is another task than the one that ran."""

    @property
    def made(self) -> tuple[str, ...]:
        """What this run made or changed in it, as paths of this machine.

        A folder was there before, since a mount needs one: by itself it does
        not count.
        """
        root = self.after.root
        folder = root is not None and root.kind == "directory"
        return tuple(
            os.path.normpath(self.path / name)
            for name in self.after.made_since(self.before)
            if not (folder and name == ".")
        )

    @property
    def made_files(self) -> tuple[str, ...]:
        """The files among these that hold something."""
        names = self.after.filled_since(self.before)
        return tuple(os.path.normpath(self.path / name) for name in names)

    def message(self, what: str, found: str, expected: str, do: str) -> Message:
        """Say what is wrong with it."""
        role, name = self.binding.parameter.role, self.binding.parameter.name
        whose = f" of task {self.task!r}" if self.task else ""
        return Message(
            what=f"the {role} {name!r}{whose} {what}",
            where=str(self.binding.source),
            found=found,
            expected=expected,
            do=do,
        )


def some(paths: tuple[str, ...]) -> str:
    """Return the first few paths of many, and how many more there are."""
    more = len(paths) - _SHOWN
    return "\n".join(map(visible, paths[:_SHOWN])) + (
        f"\nand {more} more" if more > 0 else ""
    )


def outputs_appear(observations: tuple[Observation, ...]) -> tuple[Message, ...]:
    """Check that this run made each output; a folder needs something in it."""
    messages = []
    for each in observations:
        if each.made:
            continue
        root = each.after.root
        if root is None:
            found = f"nothing at {each.path}"
        elif root.kind == "directory" and len(each.after.entries) == 1:
            found = f"only the empty folder made for it, {each.path}"
        else:
            found = f"unchanged since before the task ran: {each.path}"
        messages.append(
            each.message(
                "did not appear",
                found,
                f"a {each.binding.parameter.kind} written by this run",
                f"write to the path that the task gets as --"
                f"{each.binding.parameter.name}",
            )
        )
    return tuple(messages)


def outputs_are_of_their_type(
    observations: tuple[Observation, ...],
) -> tuple[Message, ...]:
    """Check that a file is a file and a directory a directory, not a link."""
    return tuple(
        each.message(
            f"is not a {each.binding.parameter.kind}",
            f"a {root.kind}: {each.path}"
            + "".join(f" → {leads}" for at, leads in each.stray_links if at == "."),
            f"a {each.binding.parameter.kind}, as the task declares",
            "write the result to a file"
            if root.kind in ODD
            else "write what is declared, or declare what is written",
        )
        for each in observations
        if (root := each.after.root) and root.kind != each.binding.parameter.kind
    )


def outputs_not_empty(observations: tuple[Observation, ...]) -> tuple[Message, ...]:
    """Check that each output that appeared holds at least one byte."""
    return tuple(
        each.message(
            "is empty",
            f"{some(each.made)}\nwith no byte in any file",
            "at least one file that is not empty",
            "write the result before the task ends",
        )
        for each in observations
        if each.made
        and each.after.root is not None
        and each.after.root.kind == each.binding.parameter.kind
        and not each.made_files
    )


def inputs_unchanged(observations: tuple[Observation, ...]) -> tuple[Message, ...]:
    """Check that nothing in an input was changed, added or removed.

    The same is asked of what an input points to by links, and of what other tasks read
    or made.
    """
    messages = []
    for each in observations:
        changed = list(each.after.new_since(each.before))
        root = each.after.root
        if root is not None and not root.same_as(each.before.root):
            changed.insert(0, ".")
        gone = [name for name in each.before.entries if name not in each.after.entries]
        paths = [os.path.normpath(each.path / name) for name in changed]
        paths += [f"{os.path.normpath(each.path / name)} (removed)" for name in gone]
        if paths:
            messages.append(
                each.message(
                    "was changed by the task",
                    some(tuple(paths)),
                    "an unchanged input",
                    "write to an output instead, in its own folder: an input in the\n"
                    "folder of an output cannot be protected",
                )
            )
    return tuple(messages)


def outputs_belong_to_user(
    observations: tuple[Observation, ...],
) -> tuple[Message, ...]:
    """Check that the invoking user owns all that this run made."""
    user = os.getuid()
    messages = []
    for each in observations:
        foreign = {
            name: entry
            for name, entry in each.after.entries.items()
            if entry.owner != user
            and (
                name not in each.before.entries
                or each.before.entries[name].owner != entry.owner
            )
        }
        if foreign:
            owners = ", ".join(sorted({str(entry.owner) for entry in foreign.values()}))
            paths = tuple(os.path.normpath(each.path / name) for name in foreign)
            messages.append(
                each.message(
                    "belongs to another user",
                    f"user {owners} owns\n{some(paths)}",
                    f"the invoking user {user}",
                    "do not change owners in the task",
                )
            )
    return tuple(messages)
