"""Stages the folder that a cube runs in: its inputs, and places for its outputs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Unpack

from mlcube_conformance.base.copying import copy
from mlcube_conformance.base.errors import Message, Violation, not_written
from mlcube_conformance.base.files import (
    TreeError,
    is_folder,
    is_inside,
    is_loop,
    is_plain_file,
    is_there,
    resolved,
)
from mlcube_conformance.plan.mounts import host_path, is_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlcube_conformance.base.errors import Fields, MachineError
    from mlcube_conformance.model import Binding, Cube, Invocation

__all__ = [
    "broken_link",
    "check_inputs",
    "make_folder",
    "make_outputs",
    "not_staged",
    "stage",
]


def stage(cube: Cube, invocations: Sequence[Invocation], target: Path) -> None:
    """Copy the inputs that the cube brings into a workspace of a run.

    What some task writes is not copied, so only a run can make it; what
    is in `target` already is not touched. Missing inputs are left to
    `check_inputs`, which knows the task.

    Raises:
        Violation: An input is, or holds, a link that leaves the cube.
        MachineError: Something cannot be copied.
    """
    source = cube.workspace
    make_folder(target)
    for invocation in invocations:
        # A task may work in place on what the cube brings; what another one writes
        # comes from there alone.
        outputs = {
            host_path(each, source)
            for other in invocations
            if other.name != invocation.name
            for each in other.bound("output")
        }
        for binding in invocation.bound("input"):
            path = host_path(binding, source)
            made_here = any(each == path or each in path.parents for each in outputs)
            elsewhere = binding.given_by_user or not path.is_relative_to(source)
            if elsewhere or made_here or not os.path.lexists(path):
                continue
            _refuse_escape(path, cube, binding)
            if broken_link(path):
                _copy_link(path, target / path.relative_to(source))
                continue  # It is not an input: `check_inputs` says so.
            try:
                place = target / path.relative_to(source)
                copy(path, place, left_out=outputs.__contains__)
            except TreeError as error:
                raise _too_deep(binding, error) from error
            except OSError as error:
                raise not_staged(binding, error, target) from error


def _copy_link(link: Path, target: Path) -> None:
    if not os.path.lexists(target):
        make_folder(target.parent)
        target.symlink_to(link.readlink())


def _refuse_escape(path: Path, cube: Cube, binding: Binding) -> None:
    if is_loop(path):
        return
    if not is_inside(cube.root, path):
        name = binding.parameter.name
        raise _wrong(
            binding,
            what=f"the input {name!r} is a link that leaves the cube",
            found=f"{path} → {resolved(path)}",
            expected="a path inside the cube",
            do="give the place on the command line: "
            f"--parameter TASK.{name}={resolved(path)}",
        )


def _wrong(binding: Binding, *, what: str, **fields: Unpack[Fields]) -> Violation:
    return Violation(Message(what=what, where=str(binding.source), **fields))


def make_folder(folder: Path) -> None:
    """Make one of our folders, and those above it.

    Raises:
        MachineError: It cannot be made.
    """
    for _ in range(3):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError:
            continue  # Another run has just removed an empty one above it.
        except OSError as error:
            raise _no_folder(folder, error) from error
        return
    raise _no_folder(folder, FileNotFoundError(2, "it is removed again and again"))


def _no_folder(folder: Path, error: OSError) -> MachineError:
    return not_written(
        "cannot create a folder",
        folder,
        error,
        do="fix the permissions, or choose another place: the current folder for\n"
        "runs, XDG_CACHE_HOME for what is kept between them",
    )


def _too_deep(binding: Binding, error: TreeError) -> Violation:
    return _wrong(
        binding,
        what=f"the input {binding.parameter.name!r} cannot be staged",
        found=str(error.strerror),
        expected="a folder that can be copied",
        do="nest its folders less deep",
    )


def not_staged(binding: Binding, error: OSError, target: Path) -> MachineError:
    """Say that an input cannot be copied."""
    return not_written(
        f"the input {binding.parameter.name!r} cannot be staged",
        error.filename or binding.value,
        error,
        expected=f"a copy in {target}",
        do="free some disk space, or fix the permissions",
    )


def check_inputs(invocation: Invocation, workspace: Path) -> None:
    """Make sure that every input is there and of its type, before anything runs.

    Raises:
        Violation: An input is missing, or a file where a folder was declared.
    """
    messages = []
    for binding in invocation.bound("input"):
        path = host_path(binding, workspace)
        parameter = binding.parameter
        broken = broken_link(path)
        found = broken or _what_is(path)
        missing = found == "nothing"
        if (missing or broken) and parameter.optional:
            continue
        unknown = parameter.kind == "unknown"
        expected = "a file or directory" if unknown else f"a {parameter.kind}"
        kinds = {"file", "directory"} if unknown else {parameter.kind}
        if found not in kinds:
            messages.append(
                Message(
                    what=f"the input {parameter.name!r} of task "
                    f"{invocation.task.name!r} "
                    + (
                        "is missing"
                        if missing
                        else "is a broken link"
                        if broken
                        else f"is not {expected}"
                    ),
                    where=str(binding.source),
                    found=f"{found} at {_place(binding, path)}",
                    expected=expected,
                    do="remove workspace/ from the value: it starts there already"
                    if missing and binding.value.startswith("workspace/")
                    else "fix the path"
                    if missing and binding.given_by_user
                    else "put it into the cube's workspace/, or run the task that\n"
                    "writes it first; if it may be missing: --optional "
                    f"{invocation.task.name}.{parameter.name}"
                    if missing
                    else "fetch the target of the link (git annex get, dvc pull), or "
                    "replace the link by the file"
                    if broken
                    else f"declare type: {found}, or fix the path",
                )
            )
    if messages:
        raise Violation(*messages)


def broken_link(path: Path) -> str:
    """Say where a link that is broken would lead; "" for anything else."""
    if not path.is_symlink() or os.path.exists(path):  # noqa: PTH110 - raises for none
        return ""
    leads = os.readlink(path)  # noqa: PTH115 - as text
    return f"a link to {leads}, " + (
        "which is a link to itself" if is_loop(path) else "which does not exist"
    )


def _place(binding: Binding, path: Path) -> str:
    return str(path) if binding.given_by_user else f"{binding.value} ({path})"


def _what_is(path: Path) -> str:
    if is_folder(path):
        return "directory"
    if is_plain_file(path):
        return "file"
    return "something else" if is_there(path) else "nothing"


def make_outputs(invocation: Invocation, workspace: Path) -> None:
    """Make the folders that outputs are written to: a mount needs its source.

    Raises:
        Violation: A file stands where a folder is needed, or the other way round, or
            two outputs have one path.
        MachineError: A folder cannot be made.
    """
    _refuse_shared(invocation, workspace)
    for binding in invocation.bound("output"):
        path = host_path(binding, workspace)
        parameter = binding.parameter
        output = f"the output {parameter.name!r} of task {invocation.task.name!r}"
        found = _what_is(path)
        if found not in {"nothing", parameter.kind}:
            raise _wrong(
                binding,
                what=f"{output} is not a {parameter.kind}",
                found=f"{found} at {binding.value} ({path}), before the task ran",
                expected=f"a {parameter.kind}, or nothing",
                do=f"declare type: {found}, or fix the path",
            )
        folder = path.parent if is_file(binding, workspace) else path
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise _wrong(
                binding,
                what=f"{output} is not in a folder",
                found=f"{binding.value} ({folder} cannot be a folder)",
                expected="a path whose parents are folders",
                do="fix the path",
            ) from error
        except OSError as error:
            what = f"the folder of the output {parameter.name!r} cannot be made"
            do = "fix the permissions, or choose another workspace"
            raise not_written(what, folder, error, do=do) from error


def _refuse_shared(invocation: Invocation, workspace: Path) -> None:
    """Refuse two outputs with one path: what is made for one would serve for both."""
    seen: dict[Path, Binding] = {}
    for binding in invocation.bound("output"):
        path = resolved(host_path(binding, workspace))
        other = seen.setdefault(path, binding)
        if other is not binding:
            task, name = invocation.task.name, binding.parameter.name
            raise _wrong(
                binding,
                what=f"two outputs of task {task!r} have the same path",
                found=f"{path}, of both {other.parameter.name!r} and {name!r}",
                expected="a path of its own for each output",
                do="fix one of the two paths",
            )
