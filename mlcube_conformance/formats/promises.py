"""Reads `conformance.yaml`: what a cube promises beyond the format of MLCube.

The file is ours alone, optional, and is beside `mlcube.yaml`; no other runner reads
it. Its form is that of `conformance.schema.json`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import did_you_mean
from mlcube_conformance.base.files import is_there
from mlcube_conformance.formats.json_schema import follow_schema, published
from mlcube_conformance.formats.output_promises import read_outputs
from mlcube_conformance.formats.task_promises import (
    read_expected_failures,
    read_task,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Binding, Cube, Role, Task
    from mlcube_conformance.promise import TaskPromises

__all__ = ["PROMISES", "SCHEMA", "with_optional_inputs", "with_promises"]

PROMISES = "conformance.yaml"
#: Name of the schema of that file.
SCHEMA = "conformance"
_KEYS = ("tasks", "expected_failures")
_NUMBERS = frozenset({"at_least", "at_most", "tolerance"})
#: What is a number, a truth value, or of any type; everything else is text.
_VALUES = frozenset(
    {
        *("network", "timeout", "exit_code", "gpus", "memory", "size"),
        *("deterministic", "optional", "equal", "schema", *_NUMBERS),
    }
)
#: The promises that list parameters, and what their names are those of.
_LISTS: dict[str, Role] = {"deterministic": "output", "optional": "input"}


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
    document = _as_written(document)
    known = {each.task.name: each.task for each in cube.invocations}
    tasks = dict(_known_tasks(document, known, problems, whole=whole))
    lists = _read_lists(tasks, known, problems)
    if not follow_schema(_without_lists(document), published(SCHEMA), problems):
        return cube
    promises: dict[str, TaskPromises] = {}
    volatile: dict[tuple[str, str], tuple[str, ...]] = {}
    for name, at in tasks.items():
        found, exact = read_outputs(at, known[name], cube.root, problems)
        promises[name] = replace(
            read_task(at, known[name], cube.root, problems), outputs=found
        )
        lists["deterministic"] |= {(name, output) for output in exact}
        volatile |= {(name, output): globs for output, globs in exact.items() if globs}
    cube = replace(
        cube,
        deterministic=frozenset(lists["deterministic"]),
        volatile=volatile,
        promises=promises,
        expected_failures=read_expected_failures(
            document, known if whole else None, problems
        ),
    )
    names = [f"{task}.{name}" for task, name in lists["optional"]]
    return with_optional_inputs(cube, names)


def _known_tasks(
    document: Located, known: Mapping[str, Task], problems: Problems, *, whole: bool
) -> Iterable[tuple[str, Located]]:
    listed = document.get("tasks")
    for name, task in listed.items() if listed else ():
        if name in known:
            yield name, task
        elif whole:
            problems.add(
                f"unknown task in {PROMISES}",
                task,
                found=name,
                expected=f"one of {', '.join(sorted(known))}",
                do=did_you_mean(name, known) or "remove it",
            )


def _read_lists(
    tasks: Mapping[str, Located], known: Mapping[str, Task], problems: Problems
) -> dict[str, set[tuple[str, str]]]:
    """Return the tasks and parameters of each promise that lists parameters."""
    found: dict[str, set[tuple[str, str]]] = {key: set() for key in _LISTS}
    for name, task in tasks.items():
        for key in _LISTS:
            promise = task.get(key)
            if promise is not None:
                names = _names(promise, key, known[name], problems)
                found[key] |= {(name, each) for each in names}
    return found


def _as_written(at: Located, key: str = "") -> Located:
    """Return a value with each text as written: YAML 1.1 takes `3.10` for a number."""
    if key in _NUMBERS and at.text():
        with suppress(ValueError):  # YAML 1.1 takes `1e-6` for text.
            return replace(at, value=float(at.text()))
    if key in _VALUES or at.value is None:
        return at
    if isinstance(at.value, dict):
        below = {name: _as_written(each, name) for name, each in at.items()}
        return replace(at, value=below)
    if isinstance(at.value, list):
        return replace(at, value=[_as_written(each, key) for each in at.value])
    return replace(at, value=at.as_written())


def _without_lists(document: Located) -> Located:
    """Return the document without what has been judged with the names of the task."""
    tasks = document.get("tasks")
    if tasks is None or not tasks.is_mapping():
        return document
    kept = {
        name: replace(
            task,
            value={key: value for key, value in task.items() if key not in _LISTS},
        )
        if task.is_mapping()
        else task
        for name, task in tasks.items()
    }
    return replace(
        document, value={**document.value, "tasks": replace(tasks, value=kept)}
    )


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
    role = _LISTS[key]
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
