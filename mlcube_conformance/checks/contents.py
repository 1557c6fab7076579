"""Checks of what is in outputs: links, rights, and what is dangerous to have."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message
from mlcube_conformance.checks.outputs import some

if TYPE_CHECKING:
    from mlcube_conformance.checks.outputs import Observation
    from mlcube_conformance.model import RunResult

__all__ = [
    "nothing_dangerous",
    "outputs_are_plain",
    "outputs_can_be_read",
    "outputs_hold_together",
]


def outputs_hold_together(
    observations: tuple[Observation, ...],
) -> tuple[Message, ...]:
    """Check that links that this run made in an output point to something in it.

    Any other points elsewhere for whoever reads it, or to nothing.
    """
    messages = []
    for each in observations:
        made = set(each.made)
        links = tuple(
            f"{link} → {leads}"
            for name, leads in each.stray_links
            if name != "." and (link := os.path.normpath(each.path / name)) in made
        )
        if links:
            messages.append(
                each.message(
                    "contains a link to a path outside it",
                    some(links),
                    "relative links to files of the same output",
                    "write the files themselves, or link to them by a relative path",
                )
            )
    return tuple(messages)


def outputs_are_plain(observations: tuple[Observation, ...]) -> tuple[Message, ...]:
    """Check that this run left no pipe, socket or device in an output."""
    messages = []
    for each in observations:
        made = set(each.made)
        odd = [
            (kind, f"{path}: a {kind}")
            for name, kind in each.after.odd()
            if name != "." and (path := os.path.normpath(each.path / name)) in made
        ]
        if odd:
            messages.append(
                each.message(
                    f"contains a {odd[0][0]}",
                    some(tuple(line for _, line in odd)),
                    "plain files, folders and links: a reader of anything else may\n"
                    "wait for ever",
                    "remove it before the task ends, or create it in /tmp",
                )
            )
    return tuple(messages)


def nothing_dangerous(result: RunResult) -> tuple[Message, ...]:
    """Check that a task left no device nodes and no privileged files."""
    if not result.taken_away:
        return ()
    return (
        Message(
            what="the task leaves device nodes or privileged files",
            where=str(result.stdout.parent),
            found=some(result.taken_away),
            expected="plain files, folders and links",
            do="do not call mknod or setcap, and set no setuid or setgid bit",
        ),
    )


def outputs_can_be_read(observations: tuple[Observation, ...]) -> tuple[Message, ...]:
    """Check that rights let the invoking user read all that this run made."""
    user = os.getuid()
    messages = []
    for each in observations:
        made = set(each.made)
        closed = tuple(
            f"{path} (mode {entry.mode:03o})"
            for name, entry in each.after.entries.items()
            if not entry.readable_by(user)
            and ((path := os.path.normpath(each.path / name)) in made or name == ".")
        )
        if closed:
            messages.append(
                each.message(
                    "cannot be read",
                    some(closed),
                    f"files and folders that their owner, user {user}, can read",
                    "do not take rights away, or set the umask to 022",
                )
            )
    return tuple(messages)
