"""Reads the run files of a cube that is laid out in several files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Violation, did_you_mean
from mlcube_conformance.base.files import is_plain_file
from mlcube_conformance.formats.loaded import check_value
from mlcube_conformance.formats.main_files import roots_of
from mlcube_conformance.formats.task_files import ROLES, load_task, tasks_in
from mlcube_conformance.model import Binding, Invocation, Role, Task

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located

__all__ = ["CLUSTERS", "RUN_KEYS", "RUN_TYPES", "is_for_cluster", "load_run"]

#: Platforms of old cubes that nothing here runs.
CLUSTERS = ("k8s", "kubernetes", "gke", "gcp", "kubeflow", "slurm")
RUN_TYPES = ("mlcube_invoke", "mlbox_invoke")
RUN_KEYS = (
    "schema_type",
    "schema_version",
    "task_name",
    "input_binding",
    "output_binding",
)


def is_for_cluster(file: Path, root: Path, problems: Problems) -> bool:
    """Say whether a run file is for a platform that is not run here; note that it is.

    Such a file gives values as mappings of the cluster's own, or is called after it
    and names no task.
    """
    try:
        document = problems.reading.read(file, root)
    except Violation:
        return False  # That is reported where it is loaded.
    values = [
        value
        for _, _, key in ROLES
        if (at := document.get(key)) is not None
        for _, value in at.items()
    ]
    named = next(
        (key for each in values for key, _ in each.items() if key in CLUSTERS), ""
    )
    task = document.get("task_name")
    if not named and file.stem in CLUSTERS and task is not None:
        lacks = not is_plain_file(root / "tasks" / f"{task.text()[:100]}.yaml")
        named = file.stem if lacks else ""
    if named:
        problems.warn(
            f"run file {file.name} is for {named}, which is not run here: skipped",
            document,
            found=f"values for {named}",
            do="write a run file with paths, to test the task on this machine",
        )
    return bool(named)


def load_run(
    file: Path, root: Path, tasks: dict[str, Task | None], problems: Problems
) -> Invocation | None:
    """Read a run file, and the file of its task; None where something is wrong."""
    document = problems.read(file, "run file", RUN_KEYS, *_roots(file, root))
    if document is None:
        return None
    if not problems.schema_type(document, RUN_TYPES):
        return None
    problems.unknown_keys(document, RUN_KEYS)
    task_name = problems.text(document, "task_name")
    if not task_name:
        return None
    task = _task_named(task_name, document, root, tasks, problems)
    if task is None:
        return None
    before = len(problems.messages)
    bindings: list[Binding] = []
    for role, _, key in ROLES:
        bindings += _load_bindings(document, task, role, key, problems)
    if len(problems.messages) > before:
        return None
    return Invocation(
        name=_invocation_name(file, root),
        task=task,
        bindings=tuple(bindings),
        file=file,
    )


def _roots(file: Path, root: Path) -> tuple[Path, ...]:
    return (root,) if file.is_relative_to(root) else roots_of(file)


def _invocation_name(file: Path, root: Path) -> str:
    below = root / "run"
    path = file.relative_to(below) if file.is_relative_to(below) else file
    return path.with_suffix("").as_posix() if path != file else file.stem


def _task_named(
    name: str,
    document: Located,
    root: Path,
    tasks: dict[str, Task | None],
    problems: Problems,
) -> Task | None:
    """Return a task; MLCube finds it by its file's name, listed in the root or not."""
    if name in tasks:
        return tasks[name]
    file = root / "tasks" / f"{name}.yaml"
    inside = problems.reading.is_inside(
        root / "tasks", file
    ) and problems.reading.is_inside(root, file)
    if not inside or not is_plain_file(file):
        known = tasks_in(root)
        problems.add(
            f"run file {document.source.file.name} names the unknown task {name!r}",
            document.get("task_name") or document,
            found=name,
            expected=f"one of {', '.join(known)}" if known else f"a file {file}",
            do=did_you_mean(name, known) or "write the name of a file in tasks/",
        )
        return None
    tasks[name] = load_task(file, root, problems)
    return tasks[name]


def _load_bindings(
    document: Located, task: Task, role: Role, key: str, problems: Problems
) -> list[Binding]:
    at = problems.mapping(
        document,
        key,
        name=f"run file {document.source.file.name}",
        expected=f"{key}: a mapping (it may be empty: {{}})",
        do="write a value for each parameter of the task"
        if any(each.role == role for each in task.parameters)
        else f"write {key}: {{}}",
    )
    if at is None:
        return []
    problems.warn_of_duplicates(at)
    bindings = []
    for name, value in at.items():
        binding = _load_binding(name, value, task, role, problems)
        if binding is not None:
            bindings.append(binding)
    given = f"values for {', '.join(name for name, _ in at.items()) or 'nothing'}"
    for parameter in task.parameters:
        if parameter.role == role and at.get(parameter.name) is None:
            problems.add(
                f"the {role} {parameter.name!r} of task {task.name!r} has no value",
                at,
                found=given,
                expected=f"a value for {parameter.name!r}",
                do=f"add {parameter.name}: $WORKSPACE/{parameter.name}",
            )
    return bindings


def _load_binding(
    name: str, value: Located, task: Task, role: Role, problems: Problems
) -> Binding | None:
    parameter = task.parameter(name, role)
    if parameter is None:
        known = [each.name for each in task.parameters if each.role == role]
        problems.add(
            f"task {task.name!r} has no {role} {name!r}",
            value,
            found=name,
            expected=f"one of {', '.join(known)}" if known else f"no {role} at all",
            do=did_you_mean(name, known) or f"remove it, or declare the {role}",
        )
        return None
    if not check_value(parameter, value, problems, f"{name}: $WORKSPACE/{name}"):
        return None
    return Binding(parameter=parameter, value=value.text(), source=value.source)
