"""Protects the inputs of the command line from being written to."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    Message,
    UsageError,
    Violation,
    refusal,
)
from mlcube_conformance.base.trees import walk
from mlcube_conformance.plan.given_outputs import is_given_file
from mlcube_conformance.plan.mounts import host_path, task_view
from mlcube_conformance.plan.workspace import copy_input

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlcube_conformance.model import Binding, Invocation

__all__ = ["protect_inputs"]


def protect_inputs(
    invocation: Invocation, workspace: Path, folder: Path, *, by_engine: bool
) -> Invocation:
    """Return the invocation with inputs that the task cannot spoil for their owner.

    Args:
        invocation: What to run.
        workspace: Where it is run.
        folder: Our folder for copies, created if needed.
        by_engine: Whether the engine mounts read-only what is not to be written to.

    Raises:
        UsageError: What the command line gives cannot be protected.
        Violation: A link points out of a folder where the task may write.
        MachineError: Something cannot be copied.
    """
    if by_engine:
        _refuse_exposed(invocation, workspace)
        return invocation
    for binding in invocation.bindings:
        if not (binding.given_by_user and binding.parameter.role == "input"):
            _refuse_links_out(binding, workspace)
    return _with_copies(invocation, workspace, folder)


def _given(invocation: Invocation) -> Iterator[Binding]:
    """Yield the given inputs, except those that are given as an output too."""
    written = {
        os.path.realpath(each.value)
        for each in invocation.bound("output")
        if each.given_by_user
    }
    for binding in invocation.bound("input"):
        if binding.given_by_user and os.path.realpath(binding.value) not in written:
            yield binding


def _refuse_exposed(invocation: Invocation, workspace: Path) -> None:
    """Refuse inputs that no read-only mount can keep from the task."""
    # Of output files that are given the task sees nothing but themselves.
    seen = tuple(
        each for each in invocation.bindings if not is_given_file(each, workspace)
    )
    view = task_view(replace(invocation, bindings=seen), workspace)
    writable = {each.host for each in view.mounts if each.writable}
    for binding in _given(invocation):
        path = Path(binding.value)
        as_link = Path(os.path.realpath(path.parent)) / path.name
        exposed = (
            folder
            for folder in writable
            if folder == path.resolve()
            or (path.is_symlink() and as_link.is_relative_to(folder))
        )
        for folder in exposed:
            name = binding.parameter.name
            raise refusal(
                what=f"the input {name!r} would be writable",
                where=f"--parameter {invocation.task.name}.{name}",
                found=f"{path}, in {folder}, which the task writes an output to",
                expected="an input that the task cannot change",
                do="give another folder for the output, or a copy of the input",
            )


def _with_copies(invocation: Invocation, workspace: Path, folder: Path) -> Invocation:
    outputs = {host_path(each, workspace) for each in invocation.bound("output")}
    copies = {}
    for binding in _given(invocation):
        source = Path(binding.value)
        if not os.path.lexists(source):
            continue  # One that the task does not need.
        target = folder / binding.parameter.name / source.name
        copy_input(
            binding, source, target, left_out=outputs.__contains__, bring_links=True
        )
        copies[binding.parameter.name] = replace(binding, value=str(target))
    return replace(
        invocation,
        bindings=tuple(
            copies.get(each.parameter.name, each)
            if each.parameter.role == "input"
            else each
            for each in invocation.bindings
        ),
    )


def _refuse_links_out(binding: Binding, workspace: Path) -> None:
    """Refuse a folder with a link by which a task would write elsewhere."""
    path = host_path(binding, workspace)
    top = path.resolve()
    for each in walk(path):
        link = path / each.path
        leads: Path | None = None
        with suppress(OSError):  # no link, or too deep for a path
            leads = Path(os.path.realpath(link.parent / link.readlink()))
        if leads is None or leads.is_relative_to(top):
            continue
        role, name = binding.parameter.role, binding.parameter.name
        kind = UsageError if binding.given_by_user else Violation
        raise kind(
            Message(
                what=f"the {role} {name!r} contains a link to a path outside it",
                where=str(binding.source),
                found=f"{link} → {leads}",
                expected=f"links that stay in {path}",
                do="remove the link, or replace it by its target",
            )
        )
