"""Refuses links that a task cannot follow or by which it could do harm, and pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.base.files import is_folder, is_plain_file, resolved
from mlcube_conformance.base.snapshots import snapshot, stray_links
from mlcube_conformance.base.text import visible
from mlcube_conformance.plan.mounts import host_path, is_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mlcube_conformance.base.snapshots import Snapshot
    from mlcube_conformance.model import Binding, Invocation

__all__ = ["check_folders", "known_path", "refuse_odd", "refuse_redirected"]

_SHOWN = 5


def check_folders(
    invocation: Invocation,
    workspace: Path,
    every: Iterable[Invocation],
    *,
    by_engine: bool,
) -> None:
    """Refuse links and pipes in folders that a task reads.

    A folder is mounted alone, so a task cannot follow links that point out of it. A
    part of what one task made may share files with the rest. Where the engine mounts
    nothing, what links of a given folder point to is copied for the task.

    Raises:
        Violation: A folder contains a link that a task cannot follow, a pipe, a socket
            or a device.
    """
    runs = (invocation, *every)
    made = {
        resolved(path)
        for run in runs
        for each in run.bound("output")
        if (path := known_path(each, workspace))
    }
    messages = []
    outputs = {
        resolved(host_path(each, workspace)) for each in invocation.bound("output")
    }
    for binding in invocation.bound("input"):
        top = resolved(host_path(binding, workspace))
        if not is_folder(top) or top in outputs:
            continue
        seen = snapshot(top, outputs)
        around = {each for each in (top, *top.parents) if each in made}
        copied = binding.given_by_user and not by_engine
        links = [
            (name, target)
            for name, target in stray_links(top, seen)
            if not any(_inside(top / name, each) for each in around)
            and not (copied and _leads_somewhere(top / name))
        ]
        if links:
            messages.append(_lost_links(binding, top, links))
        messages += _odd(binding, top, seen)
    if messages:
        raise Violation(*messages)


def refuse_odd(binding: Binding, top: Path, seen: Snapshot) -> None:
    """Refuse pipes, sockets and devices in a folder that a task reads.

    Raises:
        Violation: It contains one.
    """
    messages = _odd(binding, top, seen)
    if messages:
        raise Violation(*messages)


def _odd(binding: Binding, top: Path, seen: Snapshot) -> tuple[Message, ...]:
    odd = [(name, kind) for name, kind in seen.odd() if name != "."]
    if not odd:
        return ()
    name = binding.parameter.name
    return (
        Message(
            what=f"the input {name!r} contains a {odd[0][1]}",
            where=str(binding.source),
            found=_listed([f"{top / at}: a {kind}" for at, kind in odd]),
            expected="plain files, folders and links: a reader of anything else may\n"
            "wait for ever",
            do="remove it, or put a file with the data in its place",
        ),
    )


def _listed(lines: list[str]) -> str:
    more = len(lines) - _SHOWN
    shown = [*lines[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
    return "\n".join(map(visible, shown))


def known_path(binding: Binding, workspace: Path) -> Path | None:
    """Return the path of a value, unless it has an unknown variable."""
    try:
        return host_path(binding, workspace)
    except Violation:
        return None


def _lost_links(binding: Binding, top: Path, links: list[tuple[str, str]]) -> Message:
    return Message(
        what=f"the input {binding.parameter.name!r} contains a link to a path outside "
        "it",
        where=str(binding.source),
        found=_listed([f"{top / name} → {target}" for name, target in links]),
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
    return _leads_somewhere(link) and resolved(link).is_relative_to(folder)


def _leads_somewhere(link: Path) -> bool:
    return is_folder(link) or is_plain_file(link)


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
