"""Keeps the values of a cube inside of the workspace that it runs in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.base.files import is_inside, is_loop, resolved
from mlcube_conformance.plan.links import known_path, refuse_redirected
from mlcube_conformance.plan.mounts import host_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlcube_conformance.model import Invocation

__all__ = ["confine"]


def confine(
    invocation: Invocation, workspace: Path, others: Iterable[Invocation] = ()
) -> None:
    """Make sure that no link takes a value of the cube out of its place.

    An earlier task may have left a link behind; mounting what it points to would
    hand any folder of this machine, or what other tasks made, to the next task.

    Args:
        invocation: What to run.
        workspace: Where it is run.
        others: All that the cube does, by which it is known what belongs together.

    Raises:
        Violation: A value points elsewhere.
    """
    others = tuple(others)
    declared = {
        path
        for each in (invocation, *others)
        for binding in each.bindings
        if not binding.given_by_user and (path := known_path(binding, workspace))
    }
    for binding in invocation.bindings:
        path, name = host_path(binding, workspace), binding.parameter.name
        if binding.given_by_user or is_loop(path):
            continue
        leaves = not is_inside(workspace, path)
        strays = _stray_link(path, workspace, declared)
        if leaves or strays:
            raise Violation(
                Message(
                    what=f"the value of {name!r} leaves the workspace through a link"
                    if leaves
                    else f"the value of {name!r} leaves its folder through a link",
                    where=str(binding.source),
                    found=f"{strays or path} → {resolved(strays or path)}",
                    expected=f"a path that stays in {workspace}"
                    if leaves
                    else "links within one output or folder",
                    do="remove the link, or give the place on the command line: "
                    f"--parameter {invocation.task.name}.{name}={resolved(path)}",
                )
            )
        if binding.parameter.role == "output" or binding.parameter.access == "rw":
            every = [each for run in (invocation, *others) for each in run.bindings]
            if path.is_relative_to(workspace):
                refuse_redirected(binding, path, workspace, every)


def _stray_link(path: Path, workspace: Path, declared: set[Path]) -> Path | None:
    """Return the first link on the way to a path that points out of what holds it.

    That is the outermost declared folder around it, or else its folder at the top of
    the workspace; for a link at the top, the workspace without itself.
    """
    if not path.is_relative_to(workspace):
        return None
    link, steps = workspace, path.relative_to(workspace).parts
    for step in steps:
        link = link / step
        if not link.is_symlink():
            continue
        real = Path(os.path.realpath(link))
        around = [each for each in reversed(link.parents) if each in declared]
        holder = around[0] if around else workspace / steps[0]
        if holder in {link, workspace}:
            holder = workspace
        top = Path(os.path.realpath(holder))
        if not real.is_relative_to(top) or (holder == workspace and real == top):
            return link
    return None
