"""Stages the folder that a cube runs in: its inputs, and places for its outputs."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Unpack

from mlcube_conformance.base.copying import copy
from mlcube_conformance.base.errors import Message, Violation, not_written
from mlcube_conformance.base.files import (
    ODD,
    TreeError,
    is_inside,
    is_loop,
    is_there,
    resolved,
    what_is_at,
)
from mlcube_conformance.base.snapshots import snapshot
from mlcube_conformance.plan.links import refuse_odd
from mlcube_conformance.plan.mounts import host_path, is_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mlcube_conformance.base.errors import Fields, MachineError
    from mlcube_conformance.model import Binding, Cube, Invocation

__all__ = [
    "OTHER_WORKSPACE",
    "broken_link",
    "check_inputs",
    "copy_input",
    "make_folder",
    "make_outputs",
    "stage",
]

#: What to do where a workspace cannot be written to.
OTHER_WORKSPACE = "fix the permissions, or choose another workspace"


def stage(
    cube: Cube, invocations: Sequence[Invocation], target: Path
) -> dict[str, Violation]:
    """Copy the inputs that the cube brings into a workspace of a run.

    What some task writes is not copied, so only a run can make it; what
    is in `target` already is not touched. Missing inputs are left to
    `check_inputs`, which knows the task.

    Returns:
        What cannot be copied, and why, by the name of the invocation.

    Raises:
        MachineError: Something cannot be copied, by no fault of the cube.
    """
    source = cube.workspace
    make_folder(target)
    wrong: dict[str, Violation] = {}
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
            place = target / path.relative_to(source)
            try:
                _stage(cube, invocation, binding, place, left_out=outputs)
            except Violation as violation:
                wrong.setdefault(invocation.name, violation)
    return wrong


def _stage(
    cube: Cube,
    invocation: Invocation,
    binding: Binding,
    place: Path,
    left_out: set[Path],
) -> None:
    path = host_path(binding, cube.workspace)
    _refuse_escape(path, cube, invocation.task.name, binding)
    if broken_link(path):
        _copy_link(path, place)
        return  # It is not an input: `check_inputs` says so.
    if not is_there(place):
        # It is not copied: nobody would see it in the copy.
        if what_is_at(path) in ODD:
            raise Violation(_not_of_its_kind(invocation.task.name, binding, path))
        refuse_odd(binding, path, snapshot(path, left_out))
    copy_input(binding, path, place, left_out=left_out.__contains__)


def copy_input(
    binding: Binding,
    source: Path,
    target: Path,
    *,
    left_out: Callable[[Path], bool],
    bring_links: bool = False,
) -> None:
    """Copy an input; see `copy`.

    Raises:
        Violation: It cannot be copied, since it has no end.
        MachineError: It cannot be read, or the copy not be written.
    """
    try:
        copy(source, target, left_out=left_out, bring_links=bring_links)
    except TreeError as error:
        raise _too_deep(binding, error) from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _endless(binding, error) from error
        raise _not_staged(binding, error, target) from error


def _copy_link(link: Path, target: Path) -> None:
    if not os.path.lexists(target):
        make_folder(target.parent)
        target.symlink_to(link.readlink())


def _refuse_escape(path: Path, cube: Cube, task: str, binding: Binding) -> None:
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
            f"--parameter {task}.{name}={resolved(path)}",
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


def _endless(binding: Binding, error: OSError) -> Violation:
    return _wrong(
        binding,
        what=f"the input {binding.parameter.name!r} contains a link around itself",
        found=f"{error.filename}: {error.strerror}",
        expected="a folder that can be copied",
        do="remove the link",
    )


def _not_staged(binding: Binding, error: OSError, target: Path) -> MachineError:
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
        is_missing = what_is_at(path) in {"nothing", "link"}
        if is_missing and binding.parameter.optional:
            continue
        if not _is_of_its_kind(binding, path):
            messages.append(_not_of_its_kind(invocation.task.name, binding, path))
    if messages:
        raise Violation(*messages)


def _is_of_its_kind(binding: Binding, path: Path) -> bool:
    kind = binding.parameter.kind
    kinds = {"file", "directory"} if kind == "unknown" else {kind}
    return what_is_at(path) in kinds


def _not_of_its_kind(task: str, binding: Binding, path: Path) -> Message:
    name, kind = binding.parameter.name, binding.parameter.kind
    found = what_is_at(path)
    expected = "a file or directory" if kind == "unknown" else f"a {kind}"
    if found == "link":
        state = "is a broken link"
        do = (
            "fetch the target of the link (git annex get, dvc pull), or "
            "replace the link by the file"
        )
    elif found == "nothing":
        state = "is missing"
        do = (
            "remove workspace/ from the value: it starts there already"
            if binding.value.startswith("workspace/")
            else "fix the path"
            if binding.given_by_user
            else "put it into the cube's workspace/, or run the task that\n"
            f"writes it first; if it may be missing: --optional {task}.{name}"
        )
    else:
        state = f"is not {expected}"
        do = (
            f"put {expected} with the data in its place"
            if found in ODD
            else f"declare type: {found}, or fix the path"
        )
    return Message(
        what=f"the input {name!r} of task {task!r} {state}",
        where=str(binding.source),
        found=f"{broken_link(path) or found} at {_place(binding, path)}",
        expected=expected,
        do=do,
    )


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
        found = what_is_at(path)
        if found not in {"nothing", parameter.kind}:
            raise _wrong(
                binding,
                what=f"{output} is not a {parameter.kind}",
                found=f"{found} at {binding.value} ({path}), before the task ran",
                expected=f"a {parameter.kind}, or nothing",
                do=f"declare type: {found}, or fix the path"
                if found in {"file", "directory"}
                else "remove it, or fix the path",
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
            raise not_written(what, folder, error, do=OTHER_WORKSPACE) from error


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
