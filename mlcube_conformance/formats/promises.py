"""Reads `conformance.yaml`: what a cube promises beyond the format of MLCube.

The file is ours alone, optional, and is beside `mlcube.yaml`; no other runner reads
it. It holds, for each task, which of its outputs are `deterministic`: the same bytes
whenever and wherever the task runs on the same inputs; and which of its inputs are
`optional`: they may be missing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import did_you_mean
from mlcube_conformance.base.files import is_there

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Binding, Cube, Role, Task

__all__ = ["PROMISES", "with_optional_inputs", "with_promises"]

PROMISES = "conformance.yaml"
_KEYS = ("tasks",)
#: The promises of a task, and what their names are those of.
_TASK_KEYS: dict[str, Role] = {"deterministic": "output", "optional": "input"}


def with_promises(cube: Cube, problems: Problems, *, whole: bool = True) -> Cube:
    """Return a cube with its promises.

    Args:
        cube: The cube, as far as it could be read.
        problems: Takes what is wrong with the file.
        whole: Whether the cube has all of its tasks, so another is a mistake.
    """
    file = cube.root / PROMISES
    if not is_there(file):
        return cube
    document = problems.read(file, "file of promises", _KEYS, cube.root)
    if document is None:
        return cube
    problems.unknown_keys(document, _KEYS)
    listed = problems.mapping(
        document,
        "tasks",
        expected="tasks: a mapping of task names",
        do="write the key 'tasks' with a mapping, or remove the file",
    )
    if listed is None:
        return cube
    known = {each.task.name: each.task for each in cube.invocations}
    promised: dict[str, set[tuple[str, str]]] = {key: set() for key in _TASK_KEYS}
    for name, task in listed.items():
        if name not in known:
            if whole:
                problems.add(
                    f"unknown task in {PROMISES}",
                    task,
                    found=name,
                    expected=f"one of {', '.join(sorted(known))}",
                    do=did_you_mean(name, known) or "remove it",
                )
            continue
        if not task.is_mapping():
            problems.add(
                f"the promises of the task {name!r} are not a mapping",
                task,
                expected="a mapping, such as {deterministic: true}",
                do="fix the value, or remove it",
            )
            continue
        problems.unknown_keys(task, _TASK_KEYS)
        for key in _TASK_KEYS:
            promise = task.get(key)
            if promise is not None:
                names = _names(promise, key, known[name], problems)
                promised[key] |= {(name, each) for each in names}
    cube = replace(cube, deterministic=frozenset(promised["deterministic"]))
    names = [f"{task}.{name}" for task, name in promised["optional"]]
    return with_optional_inputs(cube, names)


def with_optional_inputs(cube: Cube, optional: Iterable[str]) -> Cube:
    """Return a cube with some inputs marked as optional.

    Args:
        cube: The cube.
        optional: Names of inputs, with that of a task and a dot before it or for any.
    """
    wanted = set(optional)

    def marked(task: Task, binding: Binding) -> Binding:
        name = binding.parameter.name
        is_input = binding.parameter.role == "input"
        if not is_input or not wanted & {name, f"{task.name}.{name}"}:
            return binding
        return replace(binding, parameter=replace(binding.parameter, optional=True))

    return replace(
        cube,
        invocations=tuple(
            replace(each, bindings=tuple(marked(each.task, b) for b in each.bindings))
            for each in cube.invocations
        ),
    )


def _names(promise: Located, key: str, task: Task, problems: Problems) -> list[str]:
    """Return the parameters that a promise means: all of a role, or those listed."""
    role = _TASK_KEYS[key]
    known = [each.name for each in task.parameters if each.role == role]
    if isinstance(promise.value, bool):
        return known if promise.value else []
    names = (
        [each.text() for each in promise.value]
        if isinstance(promise.value, list)
        else [""]
    )
    unknown = [name for name in names if name not in known]
    if unknown:
        problems.add(
            f"unknown {role} of task {task.name!r} in {PROMISES}",
            promise,
            found=unknown[0] or promise.kind,
            expected=f"true, false, or a list of {', '.join(known)}",
            do=did_you_mean(unknown[0], known) or "fix the value",
        )
        return []
    return names
