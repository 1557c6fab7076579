"""Turns the values of an invocation into host paths, mounts and arguments.

The rules are those of MLCube: a directory is mounted at `/mlcube_io<K>`, a file
by the folder that holds it; the task's name comes first, except for one with an entry
point of its own, then `--name=path` for inputs and outputs in the order of the file.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.base.files import is_folder, resolved
from mlcube_conformance.base.homes import home
from mlcube_conformance.model import Mount

if TYPE_CHECKING:
    from mlcube_conformance.model import Binding, Invocation

__all__ = ["TaskView", "expanded", "host_path", "is_file", "task_view"]

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """What a task sees: the folders mounted for it and its arguments."""

    mounts: tuple[Mount, ...]
    arguments: tuple[str, ...]
    missing: tuple[Mount, ...] = ()
    """Folders of optional inputs that have an argument and do not exist."""
    warnings: tuple[str, ...] = ()
    """What is done otherwise than a parameter asks."""


def host_path(binding: Binding, workspace: Path) -> Path:
    """Return the absolute path on this machine that a value means.

    `$WORKSPACE`, `$HOME` and a leading `~` are replaced once, in one pass, so a
    `$` inside the workspace's own path stays what it is. A relative value is below
    the workspace.

    Raises:
        Violation: The value names another variable.
    """
    if binding.given_by_user:
        return Path(binding.value)
    try:
        return expanded(binding.value, workspace)
    except KeyError as error:
        raise Violation(
            Message(
                what=f"the value of {binding.parameter.name!r} has a variable that "
                "cubes do not get",
                where=str(binding.source),
                found=f"${error.args[0]} in {binding.value}",
                expected="$WORKSPACE or $HOME: others may be secrets",
                do="write $WORKSPACE, or give the value on the command line: "
                f"--parameter {binding.parameter.name}=PATH",
            )
        ) from error


def expanded(text: str, workspace: Path) -> Path:
    """Return the path that a text of a cube's file means, below the workspace.

    Raises:
        KeyError: It names a variable that is not replaced; the name is its argument.
    """

    def replace(match: re.Match[str]) -> str:
        known = match[1] or match[2]
        return str(home()) if known == "HOME" else {"WORKSPACE": str(workspace)}[known]

    tilde, slash, rest = text.partition("/")
    if tilde == "~":
        text = f"{home()}{slash}{_VARIABLE.sub(replace, rest)}"
    else:
        text = _VARIABLE.sub(replace, text)
    return Path(os.path.normpath(os.path.join(workspace, text)))  # noqa: PTH118 - faster


def is_file(binding: Binding, workspace: Path) -> bool:
    """Say whether a value means a file: as declared, or else as what is there."""
    if binding.parameter.kind == "unknown":
        return not is_folder(host_path(binding, workspace))
    return binding.parameter.kind == "file"


def task_view(invocation: Invocation, workspace: Path) -> TaskView:
    """Return the mounts and arguments of a task; makes nothing on the disk.

    Two values that need the same folder share one mount, which is writable as
    soon as one of them is an output. An optional input whose folder does not exist has
    an argument, and no mount.
    """
    writable: dict[Path, bool] = {}
    read_only: dict[Path, str] = {}
    missing: set[Path] = set()
    arguments = [] if invocation.task.entrypoint else [invocation.task.name]
    for binding in invocation.bindings:
        path = host_path(binding, workspace)
        as_file = is_file(binding, workspace)
        parameter = binding.parameter
        is_output = parameter.role == "output"
        if as_file and not is_output:
            path = resolved(path)  # A link would be broken inside.
        # The folder is resolved, so two spellings make one mount.
        folder = resolved(path.parent if as_file else path)
        # What the user gave stays as it is, whatever the cube asks.
        asked = parameter.access == "rw" and not binding.given_by_user
        may_write = is_output or asked
        writable[folder] = writable.get(folder, False) or may_write
        if parameter.access == "ro":
            read_only[folder] = parameter.name
        if parameter.optional and not is_folder(folder):
            missing.add(folder)
        inside = f"/mlcube_io{list(writable).index(folder)}"
        if as_file:
            inside = f"{inside}/{path.name}"
        arguments.append(f"--{parameter.name}={inside}")
    folders = tuple(
        Mount(host=folder, container=f"/mlcube_io{index}", writable=may_write)
        for index, (folder, may_write) in enumerate(writable.items())
    )
    warnings = tuple(
        f"the input {name!r} is read-only (ro), but is in a folder that the task "
        f"writes to (rw): {folder} is writable"
        for folder, name in read_only.items()
        if writable[folder]
    )
    return TaskView(
        mounts=tuple(each for each in folders if each.host not in missing),
        arguments=tuple(arguments),
        missing=tuple(each for each in folders if each.host in missing),
        warnings=warnings,
    )
