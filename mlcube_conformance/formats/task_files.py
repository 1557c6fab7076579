"""Reads the task files of a cube that is laid out in several files."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mlcube_conformance.base.files import is_inside
from mlcube_conformance.formats.loaded import check_kind, check_name
from mlcube_conformance.model import Parameter, Role, Task

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Kind

__all__ = ["ROLES", "TASK_KEYS", "TASK_TYPES", "load_task", "task_files", "tasks_in"]

#: Files of a folder that a message lists.
_MAX_LISTED = 100
TASK_TYPES = ("mlcube_task", "mlbox_task")
TASK_KEYS = ("schema_type", "schema_version", "inputs", "outputs")
#: Each role, with its key in a task file and in a run file.
ROLES: tuple[tuple[Role, str, str], ...] = (
    ("input", "inputs", "input_binding"),
    ("output", "outputs", "output_binding"),
)


def task_files(root: Path) -> str:
    """Return the task files of a cube as a message lists them."""
    names = [f"tasks/{each}.yaml" for each in tasks_in(root)]
    return ", ".join(names) or "no file in tasks/"


def tasks_in(root: Path) -> list[str]:
    """Return the names of the tasks of a cube, in order."""
    folder = root / "tasks"
    if not is_inside(root, folder):
        return []  # Messages do not show what is elsewhere.
    return sorted(each.stem for each in folder.glob("*.yaml"))[:_MAX_LISTED]


def load_task(file: Path, root: Path, problems: Problems) -> Task | None:
    """Read a task file; None where something in it is wrong."""
    document = problems.read(file, "task file", TASK_KEYS, root)
    if document is None:
        return None
    if not problems.schema_type(document, TASK_TYPES):
        return None
    problems.unknown_keys(document, TASK_KEYS)
    before = len(problems.messages)
    parameters: list[Parameter] = []
    for role, key, _ in ROLES:
        parameters += _load_parameters(document, role, key, problems)
    if len(problems.messages) > before:
        return None
    return Task(name=file.stem, parameters=tuple(parameters))


def _load_parameters(
    document: Located, role: Role, key: str, problems: Problems
) -> list[Parameter]:
    at = document.get(key)
    if at is None or not isinstance(at.value, list):
        problems.add(
            f"task {document.source.file.stem!r} has no list of {key}",
            at or document,
            found=at.kind if at else f"no key {key!r}",
            expected=f"{key}: a list (it may be empty: [])",
            do="write a list of mappings with 'name' and 'type'",
        )
        return []
    parameters: dict[str, Parameter] = {}
    for each in at.value:
        parameter = _load_parameter(each, role, problems)
        if parameter is None:
            continue
        if parameter.name in parameters:
            problems.add(
                f"the {role} {parameter.name!r} is declared twice",
                each,
                found=parameter.name,
                expected="a name once in each list",
                do="remove one, or rename it",
            )
        parameters[parameter.name] = parameter
    return list(parameters.values())


def _load_parameter(at: Located, role: Role, problems: Problems) -> Parameter | None:
    if not at.is_mapping():
        problems.add(
            f"an {role} is not a mapping",
            at,
            expected="{name: …, type: file | directory}",
            do="write a mapping with 'name' and 'type'",
        )
        return None
    # The format allows further keys here, such as a description.
    name = problems.text(at, "name")
    kind = problems.text(at, "type")
    what = f"the {role} {name!r}"
    if not name or not kind or not check_name(name, f"an {role}", at, problems):
        return None
    if not check_kind(kind, what, at.get("type") or at, problems):
        return None
    return Parameter(name=name, kind=cast("Kind", kind), role=role)
