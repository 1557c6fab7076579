"""Reads what `conformance.yaml` promises of a task and of its inputs."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import did_you_mean
from mlcube_conformance.base.files import is_inside, what_is_at, what_is_wrong_with
from mlcube_conformance.base.sizes import size_in_bytes
from mlcube_conformance.clauses import CUBE_CLAUSES
from mlcube_conformance.promise import BrokenInput, ExpectedFailure, TaskPromises

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Task

__all__ = [
    "below_cube",
    "bytes_of",
    "read_expected_failures",
    "read_task",
    "stays_below",
    "unknown",
]

_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}
_NUMBER = re.compile(r"([\d.]+) ?([a-zA-Z]*)")
_PLACES = ("network", "timeout", "exit_code", "gpus", "memory")


def read_task(at: Located, task: Task, root: Path, problems: Problems) -> TaskPromises:
    """Return what is promised of a task; its outputs are read elsewhere.

    Args:
        at: The promises, which follow the schema.
        task: The task.
        root: Folder of the cube.
        problems: Takes what is wrong.
    """
    network, code, timeout = (
        at.get(key) for key in ("network", "exit_code", "timeout")
    )
    gpus, memory = at.get("gpus"), at.get("memory")
    asked = gpus.as_written() if gpus else None
    return TaskPromises(
        network=network.value is not False if network else None,
        timeout=_seconds(timeout.as_written()) if timeout else None,
        exit_code=int(code.value) if code else 0,
        gpus="" if asked == "0" else asked,
        memory=str(bytes_of(memory)) if memory else "",
        negative=_broken_inputs(at, task, root, problems),
        sources={key: each.source for key in _PLACES if (each := at.get(key))},
    )


def _seconds(text: str) -> float:
    found = _NUMBER.fullmatch(text)
    return float(found[1]) * _UNITS[found[2]] if found else float(text)


def bytes_of(at: Located) -> int:
    """Return the bytes of a size that follows the schema."""
    return size_in_bytes(at.as_written().replace("_", ""))


def stays_below(text: str) -> bool:
    """Say whether a text is a relative path that stays below its start."""
    path = PurePosixPath(text)
    odd = path.is_absolute() or ".." in path.parts or text.startswith("~")
    return bool(path.parts) and not odd and not what_is_wrong_with(text)


def below_cube(
    at: Located, root: Path, problems: Problems, *, is_there: bool = True
) -> Path | None:
    """Return the path in the cube that a value names; add a problem for another.

    Args:
        at: The value.
        root: Folder of the cube.
        problems: Takes what is wrong.
        is_there: Whether a file or folder must be there already.
    """
    place = root / at.text()
    if not stays_below(at.text()) or not is_inside(root, place):
        problems.add(
            "a path of conformance.yaml leaves the cube",
            at,
            found=at.text(),
            expected="a path relative to the cube, without .. and links out",
            do="put what it names into the cube",
        )
        return None
    kind = what_is_at(place)
    if kind in {"file", "directory"} or (kind == "nothing" and not is_there):
        return place
    problems.add(
        "a path of conformance.yaml names no file or folder",
        at,
        found=f"{'nothing' if kind == 'nothing' else f'a {kind}'} at {place}",
        expected="a file or folder of the cube",
        do="add the file, or fix the path",
    )
    return None


def unknown(
    name: str, role: str, known: Collection[str], at: Located, problems: Problems
) -> None:
    """Add the problem of a name that a task does not have."""
    problems.add(
        f"unknown {role} in conformance.yaml",
        at,
        found=name,
        expected=f"one of {', '.join(known) or '(none)'}",
        do=did_you_mean(name, known) or "fix the name",
    )


def _broken_inputs(
    at: Located, task: Task, root: Path, problems: Problems
) -> tuple[BrokenInput, ...]:
    listed = at.get("negative")
    inputs = [each.name for each in task.parameters if each.role == "input"]
    outputs = [each.name for each in task.parameters if each.role == "output"]
    found = []
    for each in listed.value if listed else ():
        name, how, file = (each.get(key) for key in ("input", "break", "file"))
        may_write = each.get("may_write")
        written = [one.text() for one in may_write.value] if may_write else []
        instead = below_cube(file, root, problems) if file else None
        if name.text() not in inputs:
            unknown(name.text(), f"input of task {task.name!r}", inputs, name, problems)
        for one in written:
            if one not in outputs:
                role = f"output of task {task.name!r}"
                unknown(one, role, outputs, may_write, problems)
        found.append(
            BrokenInput(
                input=name.text(),
                how=how.text() if how else "",
                instead=instead,
                may_write=frozenset(written),
                source=each.source,
            )
        )
    return tuple(found)


def read_expected_failures(
    document: Located, tasks: Collection[str] | None, problems: Problems
) -> tuple[ExpectedFailure, ...]:
    """Return the clauses that a cube is known to break.

    Args:
        document: The promises, which follow the schema.
        tasks: Names of all tasks of the cube; None where not all are known.
        problems: Takes what is wrong.
    """
    listed = document.get("expected_failures")
    ids = [each.id for each in CUBE_CLAUSES]
    found: list[ExpectedFailure] = []
    for each in listed.value if listed else ():
        clause, platform, task, reason = (
            value.text() if (value := each.get(key)) else ""
            for key in ("clause", "platform", "task", "reason")
        )
        meant = did_you_mean(clause, ids)
        if clause not in ids and meant:  # Others may be those of a plugin.
            problems.add(
                f"unknown clause {clause!r}",
                each.get("clause") or each,
                found=clause,
                expected="the id of a clause of cubes",
                do=meant,
            )
        if task and tasks is not None and task not in tasks:
            unknown(task, "task", tasks, each.get("task") or each, problems)
        found.append(
            ExpectedFailure(
                clause=clause,
                platform=platform,
                task=task,
                reason=reason,
                source=each.source,
            )
        )
    return tuple(found)
