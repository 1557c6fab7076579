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


def check_room(invocation: Invocation, workspace: Path, *, as_user: bool) -> None:
    """Check that outputs, whose folders exist, may be written.

    Args:
        invocation: What is to run.
        workspace: Where it runs.
        as_user: Whether they are written by this user, and not by one of an engine.

    Raises:
        MachineError: One may not.
    """
    for binding in invocation.bound("output"):
        path = host_path(binding, workspace)
        as_file = is_file(binding, workspace)
        # A file that is there is written to, whatever its folder allows.
        place = path.parent if as_file and not path.exists() else path
        own = as_user or (as_file and binding.given_by_user)
        try:
            number = _why_not(place, own=own)
        except OSError as error:
            number = error.errno or errno.EIO
        if number:
            what = f"the output {binding.parameter.name!r} cannot be written"
            raise not_written(
                what,
                place,
                OSError(number, os.strerror(number)),
                do="fix the permissions, or give another path"
                if binding.given_by_user
                else OTHER_WORKSPACE,
                expected="a file or folder that can be written",
            )


def _why_not(place: Path, *, own: bool) -> int:
    """Return the number of the error of who writes there; 0 for none."""
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        return errno.EROFS
    rights = os.W_OK | (os.X_OK if place.is_dir() else 0)
    return errno.EACCES if own and not os.access(place, rights) else 0
