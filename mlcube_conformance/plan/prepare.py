"""Makes a task ready to run: its inputs are there and safe, its outputs have room."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import not_written
from mlcube_conformance.plan.confinement import confine
from mlcube_conformance.plan.given import protect_inputs
from mlcube_conformance.plan.links import check_folders
from mlcube_conformance.plan.mounts import host_path, is_file
from mlcube_conformance.plan.workspace import (
    OTHER_WORKSPACE,
    check_inputs,
    make_outputs,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlcube_conformance.model import Invocation

__all__ = ["check_ready", "check_room", "make_ready"]


def check_ready(
    invocation: Invocation,
    workspace: Path,
    every: Sequence[Invocation],
    *,
    by_engine: bool,
) -> None:
    """Check that a task may run in a staged workspace; changes nothing.

    Args:
        invocation: What to run.
        workspace: Where to run it.
        every: All invocations of the cube.
        by_engine: Whether the engine mounts what the task reads.

    Raises:
        Violation: A value leaves the workspace, an input does not exist, or a link in
            it cannot be followed.
        UsageError: A value of the command line does so.
    """
    confine(invocation, workspace, every)
    check_inputs(invocation, workspace)
    check_folders(invocation, workspace, every, by_engine=by_engine)


def make_ready(
    invocation: Invocation,
    workspace: Path,
    every: Sequence[Invocation],
    *,
    copies: Path,
    by_engine: bool,
) -> Invocation:
    """Return an invocation that is ready to run: checked, with room and safe inputs.

    Args:
        invocation: What to run.
        workspace: Where to run it.
        every: All invocations of the cube.
        copies: Our folder for copies of given inputs, created if needed.
        by_engine: Whether the engine mounts read-only what is not to be written to.

    Raises:
        Violation: The cube keeps the task from being run.
        UsageError: What the command line gives does.
        MachineError: A folder cannot be made, or a file not be copied.
    """
    check_ready(invocation, workspace, every, by_engine=by_engine)
    make_outputs(invocation, workspace)
    return protect_inputs(invocation, workspace, copies, by_engine=by_engine)


def check_room(invocation: Invocation, workspace: Path, *, by_engine: bool) -> None:
    """Check that the folders of outputs, which exist, may be written to.

    Args:
        invocation: What is to run.
        workspace: Where it runs.
        by_engine: Whether an engine runs it, whose user may write where we may not.

    Raises:
        MachineError: One may not.
    """
    for binding in invocation.bound("output"):
        path = host_path(binding, workspace)
        folder = path.parent if is_file(binding, workspace) else path
        number = 0
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            number = errno.EROFS
        elif not by_engine and not os.access(folder, os.W_OK | os.X_OK):
            number = errno.EACCES
        if number:
            what = f"the output {binding.parameter.name!r} cannot be written"
            error = OSError(number, os.strerror(number))
            raise not_written(what, folder, error, do=OTHER_WORKSPACE)
