"""Says which files of a task lie where, on this machine and on another host."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.errors import Message, Violation
from mlcube_conformance.mounts import host_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlcube_conformance.model import Binding, Invocation

__all__ = ["GIVEN", "WORKSPACE", "Bundle", "TaskData", "names_below", "task_data"]

WORKSPACE = "workspace"
GIVEN = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Files below one folder of this machine, and their folder on the host."""

    base: Path
    there: str
    """Relative to the folder of the workspace on the host."""
    names: tuple[str, ...]
    fetched: bool
    """Whether they come back: all that lies in the workspace, and given outputs."""

    def present(self) -> list[str]:
        """Return all that lies here at and below the names."""
        return [name for each in self.names for name in names_below(self.base, each)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskData:
    """All files of one invocation."""

    bundles: tuple[Bundle, ...]
    overrides: tuple[tuple[str, str], ...]
    """Parameters that the command line gave, with their places on the host."""
    outputs: tuple[tuple[str, str], ...]
    """Each output with its place on the host."""

    def fingerprint(self) -> list[list[object]]:
        """Return what tells these files from others, without reading them."""
        found: list[list[object]] = []
        for bundle in self.bundles:
            for name in bundle.present():
                status = (bundle.base / name).lstat()
                is_file = os.path.isfile(bundle.base / name)  # noqa: PTH113 - of a link too
                size = status.st_size if is_file else 0
                time = status.st_mtime_ns if is_file else 0
                found.append([str(bundle.base), name, size, time])
        return found


def task_data(invocation: Invocation, workspace: Path) -> TaskData:
    """Return the files of an invocation; everything else stays where it is.

    Raises:
        Violation: A value means another folder on another host.
    """
    names: dict[str, None] = {}
    given: dict[tuple[Path, bool], dict[str, None]] = {}
    overrides: dict[str, str] = {}
    outputs: dict[str, str] = {}
    for binding in invocation.bindings:
        path = host_path(binding, workspace)
        is_output = binding.parameter.role == "output"
        if binding.given_by_user:
            is_file = binding.parameter.kind == "file"
            if is_file and not is_output:
                path = path.resolve()  # The host is to see what it leads to.
            base, name = (path.parent, path.name) if is_file else (path, ".")
            given.setdefault((base, is_output), {})[name] = None
            place = os.path.normpath(f"{GIVEN}/{_short_hash(str(base))}/{name}")
            overrides[binding.parameter.name] = place
        else:
            _refuse_home(binding)
            rel = os.path.relpath(path, workspace)
            names.update(dict.fromkeys(_with_targets(rel, workspace)))
            place = os.path.normpath(f"{WORKSPACE}/{rel}")
        if is_output:
            outputs[binding.parameter.name] = place
    bundles = [
        Bundle(
            base=workspace,
            there=WORKSPACE,
            names=tuple(_without_nested(names)),
            fetched=True,
        ),
        *(
            Bundle(
                base=base,
                there=f"{GIVEN}/{_short_hash(str(base))}",
                names=tuple(found),
                fetched=is_output,
            )
            for (base, is_output), found in given.items()
        ),
    ]
    return TaskData(
        bundles=tuple(each for each in bundles if each.names),
        overrides=tuple(overrides.items()),
        outputs=tuple(outputs.items()),
    )


def names_below(base: Path, name: str) -> Iterator[str]:
    """Yield all that lies at and below a path, relative to a folder of this machine."""
    top = os.path.normpath(base / name)
    if os.path.lexists(top):
        yield os.path.normpath(name)
    for folder, folders, files in os.walk(top):
        for each in (*folders, *files):
            yield os.path.relpath(Path(folder, each), base)


def _with_targets(name: str, workspace: Path) -> Iterator[str]:
    """Yield a path of the workspace and, where it is a link, what it leads to."""
    yield name
    path = workspace / name
    for _ in range(40):  # as many links as Linux follows
        if not path.is_symlink():
            return
        path = Path(os.path.normpath(path.parent / path.readlink()))
        if path.is_relative_to(workspace):
            yield os.path.relpath(path, workspace)


def _without_nested(names: dict[str, None]) -> Iterator[str]:
    """Yield the paths that lie in no other one of them."""
    for each in names:
        above = {str(parent) for parent in Path(each).parents}
        if each == "." or not above & set(names):
            yield each


def _refuse_home(binding: Binding) -> None:
    if "HOME" in binding.value or binding.value.startswith("~"):
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


def _short_hash(text: str) -> str:
    return hashlib.sha256(os.fsencode(json.dumps(text))).hexdigest()[:12]
