"""Says which files of a task are where, on this machine and on another host."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.base.files import is_folder, resolved
from mlcube_conformance.plan.mounts import host_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlcube_conformance.model import Binding, Invocation, Role

__all__ = ["GIVEN", "WORKSPACE", "Bundle", "TaskData", "names_below", "task_data"]

WORKSPACE = "workspace"
GIVEN = "given"
_HOME = re.compile(r"^~|\$HOME\b|\$\{HOME\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Files below one folder of this machine, and their folder on the host."""

    base: Path
    there: str
    """Relative to the folder of the workspace on the host."""
    sent: tuple[str, ...]
    """Names of inputs and outputs."""
    fetched: tuple[str, ...] = ()
    """Names of outputs: an input stays as its owner has it."""

    def present(self) -> list[str]:
        """Return everything here at and below the fetched names."""
        return [name for each in self.fetched for name in names_below(self.base, each)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskData:
    """All files of one invocation."""

    bundles: tuple[Bundle, ...]
    overrides: tuple[tuple[str, str], ...]
    """Parameters that the command line gave, with their places on the host."""
    places: tuple[tuple[Role, str, str], ...]
    """Role and name of each parameter, with its place on the host."""
    inputs: tuple[Path, ...]

    def fingerprint(self) -> list[list[object]]:
        """Return an identity of the inputs, without reading them."""
        found: list[list[object]] = []
        for path in self.inputs:
            for name in names_below(path, "."):
                status = (path / name).lstat()
                is_file = stat.S_ISREG(status.st_mode)
                time = status.st_mtime_ns if is_file else 0
                found.append([str(path), name, status.st_size * is_file, time])
        return found


def task_data(invocation: Invocation, workspace: Path) -> TaskData:
    """Return the files of an invocation; everything else stays where it is.

    Raises:
        Violation: A value means another folder on another host.
    """
    given = _given_folders(invocation, workspace)
    # By folder here: the names to send, and those to fetch.
    found: dict[Path, tuple[dict[str, None], dict[str, None]]] = {}
    overrides: dict[str, str] = {}
    places: list[tuple[Role, str, str]] = []
    inputs: list[Path] = []
    for binding in invocation.bindings:
        path = host_path(binding, workspace)
        base = workspace
        if binding.given_by_user:
            # The host sees what a link points to.
            path = resolved(path)
            base = given[_folder_of(binding, path)]
        else:
            _refuse_home(binding)
        name = os.path.relpath(path, base)
        place = os.path.normpath(f"{_folder_there(base, workspace)}/{name}")
        if binding.given_by_user:
            overrides[binding.parameter.name] = place
        names = dict.fromkeys(_with_targets(name, base))
        sent, fetched = found.setdefault(base, ({}, {}))
        if not binding.parameter.optional or os.path.lexists(path):
            sent.update(names)
        may_write = binding.parameter.access == "rw" and not binding.given_by_user
        if binding.parameter.role == "output" or may_write:
            fetched.update(names)
        else:
            inputs.append(path)
        places.append((binding.parameter.role, binding.parameter.name, place))
    return TaskData(
        bundles=tuple(
            Bundle(
                base=base,
                there=_folder_there(base, workspace),
                sent=tuple(_without_nested(sent)),
                fetched=tuple(_without_nested(fetched)),
            )
            for base, (sent, fetched) in found.items()
        ),
        overrides=tuple(overrides.items()),
        places=tuple(places),
        inputs=tuple(inputs),
    )


def _folder_there(base: Path, workspace: Path) -> str:
    """Return where a folder of this machine is on the host."""
    if base == workspace:
        return WORKSPACE
    name = hashlib.sha256(os.fsencode(json.dumps(str(base)))).hexdigest()[:12]
    return f"{GIVEN}/{name}"


def _folder_of(binding: Binding, path: Path) -> Path:
    """Return the folder that a given value is sent in."""
    kind = binding.parameter.kind
    as_folder = kind == "directory" or (kind == "unknown" and is_folder(path))
    return path if as_folder else path.parent


def _given_folders(invocation: Invocation, workspace: Path) -> dict[Path, Path]:
    """Return the outermost folder for each that the command line gave.

    Those that are in one another are one on the host, as they are here.
    """
    folders = {
        _folder_of(each, resolved(Path(each.value)))
        for each in invocation.bindings
        if each.given_by_user
    }
    outermost = {}
    for each in folders:
        around = [other for other in folders if each.is_relative_to(other)]
        outermost[each] = (
            workspace
            if each.is_relative_to(workspace)
            else min(around, key=lambda other: len(other.parts))
        )
    return outermost


def names_below(base: Path, name: str) -> Iterator[str]:
    """Yield the files, folders and links at and below a path, relative to a folder.

    Anything else, such as a pipe, is not sent, and so cannot be missed.
    """
    top = os.path.normpath(base / name)
    if _is_sent(top):
        yield os.path.normpath(name)
    for folder, folders, files in os.walk(top):
        for each in (*folders, *files):
            path = os.path.join(folder, each)  # noqa: PTH118 - many of them
            if _is_sent(path):
                yield os.path.relpath(path, base)


def _is_sent(path: str) -> bool:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def _with_targets(name: str, workspace: Path) -> Iterator[str]:
    """Yield a path of the workspace and, where it is a link, what it points to."""
    yield name
    path = workspace / name
    for _ in range(40):  # as many links as Linux follows
        if not path.is_symlink():
            return
        path = Path(os.path.normpath(path.parent / path.readlink()))
        if path.is_relative_to(workspace):
            yield os.path.relpath(path, workspace)


def _without_nested(names: dict[str, None]) -> Iterator[str]:
    """Yield the paths that are in no other one of them."""
    for each in names:
        above = {str(parent) for parent in Path(each).parents}
        if each == "." or not above & set(names):
            yield each


def _refuse_home(binding: Binding) -> None:
    if _HOME.search(binding.value):
        name = binding.parameter.name
        raise Violation(
            Message(
                what=f"the value of {name!r} means another folder on another host",
                where=str(binding.source),
                found=binding.value,
                expected="a path below $WORKSPACE",
                do=f"write $WORKSPACE/{name}",
            )
        )
