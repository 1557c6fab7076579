"""Reads `conformance.yaml`: what a cube promises beyond the format of MLCube.

The file is ours alone, optional, and lies beside `mlcube.yaml`; no other runner reads
it. So far it holds, for each task, which of its outputs are `deterministic`: the same
bytes whenever and wherever the task runs on the same inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mlcube_conformance.loader.fields import Problems
    from mlcube_conformance.loader.yaml import Located
    from mlcube_conformance.model import Task

__all__ = ["PROMISES", "read_deterministic"]

PROMISES = "conformance.yaml"
_KEYS = ("tasks",)
_TASK_KEYS = ("deterministic",)


def read_deterministic(
    root: Path, tasks: Iterable[Task], problems: Problems
) -> frozenset[tuple[str, str]]:
    """Return the tasks and outputs whose bytes are promised to be the same."""
    file = root / PROMISES
    if not file.is_file():
        return frozenset()
    document = problems.read(file, "file of promises", _KEYS)
    if document is None:
        return frozenset()
    problems.unknown_keys(document, _KEYS)
    listed = document.get("tasks")
    if listed is None or not listed.is_mapping():
        problems.add(
            f"{PROMISES} has no mapping 'tasks'",
            listed or document,
            found=listed.kind if listed else "no key 'tasks'",
            expected="tasks: a mapping of task names",
            do="write the key 'tasks' with a mapping, or remove the file",
        )
        return frozenset()
    known = {task.name: task for task in tasks}
    promised: set[tuple[str, str]] = set()
    for name, task in listed.items():
        if name not in known:
            problems.add(
                f"{PROMISES} speaks of a task that the cube does not have",
                task,
                found=name,
                expected=f"one of {', '.join(sorted(known))}",
                do=did_you_mean(name, known) or "remove it",
            )
            continue
        if not task.is_mapping():
            problems.add(
                f"the promises of the task {name!r} are no mapping",
                task,
                expected="a mapping, such as {deterministic: true}",
                do="mend the value, or remove it",
            )
            continue
        problems.unknown_keys(task, _TASK_KEYS)
        promise = task.get("deterministic")
        if promise is not None:
            outputs = _outputs(promise, known[name], problems)
            promised |= {(name, output) for output in outputs}
    return frozenset(promised)


def _outputs(promise: Located, task: Task, problems: Problems) -> list[str]:
    """Return the outputs that `deterministic` means: all of them, or those listed."""
    known = [each.name for each in task.parameters if each.role == "output"]
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
            f"{PROMISES} promises what is no output of the task {task.name!r}",
            promise,
            found=unknown[0] or promise.kind,
            expected=f"true, false, or a list of {', '.join(known)}",
            do=did_you_mean(unknown[0], known) or "mend the value",
        )
        return []
    return names
