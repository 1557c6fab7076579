"""Refuses links that a task could not follow, or by which it could do harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.base.files import is_folder, is_plain_file, resolved
from mlcube_conformance.base.snapshots import snapshot, stray_links
from mlcube_conformance.base.text import visible
from mlcube_conformance.plan.mounts import host_path, is_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mlcube_conformance.model import Binding, Invocation

__all__ = ["known_path", "refuse_lost_links", "refuse_redirected"]

_SHOWN = 5


def refuse_lost_links(
    invocation: Invocation, workspace: Path, every: Iterable[Invocation]
) -> None:
    """Refuse links in folders that a task reads, where they point out of the folder.

    A folder is mounted alone, so a task cannot follow them. A part of what one task
    made may share files with the rest. What the command line gives is the user's.

    Raises:
        Violation: A folder contains such a link.
    """
    runs = (invocation, *every)
    made = {
        resolved(path)
        for run in runs
        for each in run.bound("output")
        if (path := known_path(each, workspace))
    }
    messages = tuple(_lost_links(invocation, workspace, made))
    if messages:
        raise Violation(*messages)


def known_path(binding: Binding, workspace: Path) -> Path | None:
    """Return the path of a value, unless it has an unknown variable."""
    try:
        return host_path(binding, workspace)
    except Violation:
        return None


def _lost_links(
    invocation: Invocation, workspace: Path, made: set[Path]
) -> Iterator[Message]:
    outputs = {
        resolved(host_path(each, workspace)) for each in invocation.bound("output")
    }
    for binding in invocation.bound("input"):
        top = resolved(host_path(binding, workspace))
        if binding.given_by_user or not is_folder(top) or top in outputs:
            continue
        around = {each for each in (top, *top.parents) if each in made}
        links = [
            (name, target)
            for name, target in stray_links(top, snapshot(top, outputs))
            if not any(_inside(top / name, a) for a in around)
        ]
        if links:
            shown = [f"{top / name} → {target}" for name, target in links[:_SHOWN]]
            if len(links) > _SHOWN:
                shown.append(f"and {len(links) - _SHOWN} more")
            name = binding.parameter.name
            yield Message(
                what=f"the input {name!r} contains a link to a path outside it",
                where=str(binding.source),
                found="\n".join(map(visible, shown)),
                expected="files, and relative links to files of the same folder: a\n"
                "task sees this folder alone",
                do="put the file in the place of the link; fetch it first where it is\n"
                "missing (git annex get, dvc pull)",
            )


def refuse_redirected(
    binding: Binding, path: Path, workspace: Path, others: Iterable[Binding]
) -> None:
    """Refuse to write by a link to what another value of the cube means.

    Args:
        binding: What the task may write to.
        path: Where that is.
        workspace: Where it is run.
        others: Every other value of the cube.

    Raises:
        Violation: It is the place of an input, or of another output.
    """
    real = resolved(path)
    if real == resolved(workspace) / path.relative_to(workspace):
        return
    as_file = is_file(binding, workspace)
    folder, real_folder = (
        (path.parent, real.parent) if as_file else (path, real)
    )  # That is what a task can write to.
    for each in others:
        place = known_path(each, workspace)
        if place is None:
            continue  # One that is not run.
        if not _overlap(folder, place) and _overlap(real_folder, resolved(place)):
            role, name = each.parameter.role, each.parameter.name
            raise Violation(
                Message(
                    what=f"the value of {binding.parameter.name!r} reaches the {role} "
                    f"{name!r} through a link",
                    where=str(binding.source),
                    found=f"{path} → {real}",
                    expected=f"a path of its own, and not {place}",
                    do="remove the link, or write to another path",
                )
            )


def _inside(link: Path, folder: Path) -> bool:
    """Say whether a link points to something in a folder."""
    there = is_folder(link) or is_plain_file(link)
    return there and resolved(link).is_relative_to(folder)


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
