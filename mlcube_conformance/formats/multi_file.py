"""Reads a cube that is laid out in several files.

The layout and its rules are those of MLCube in 2020: `mlcube.yaml`, `tasks/`,
`run/`, `build/`, `workspace/`. The older spelling `mlbox` is read too.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, cast

from mlcube_conformance.base.errors import Message, did_you_mean
from mlcube_conformance.base.files import below, is_inside, is_plain_file, is_there
from mlcube_conformance.formats.loaded import (
    LoadedCube,
    check_kind,
    check_name,
    check_path,
    check_value,
    leaves,
    loaded,
)
from mlcube_conformance.formats.main_files import main_file, roots_of
from mlcube_conformance.formats.problems import Problems
from mlcube_conformance.formats.promises import with_promises
from mlcube_conformance.model import Binding, Cube, Invocation, Parameter, Role, Task

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Kind

__all__ = ["load_multi_file", "load_run_file"]

_ROOT_KEYS = (
    "schema_type",
    "schema_version",
    "name",
    "author",
    "version",
    "mlcube_spec_version",
    "tasks",
)
#: Files of a folder that a message lists.
_MAX_LISTED = 100
_TASK_KEYS = ("schema_type", "schema_version", "inputs", "outputs")
_RUN_KEYS = (
    "schema_type",
    "schema_version",
    "task_name",
    "input_binding",
    "output_binding",
)
_ROLES: tuple[tuple[Role, str, str], ...] = (
    ("input", "inputs", "input_binding"),
    ("output", "outputs", "output_binding"),
)


def load_multi_file(root: Path, cube_id: str) -> LoadedCube:
    """Read every file of a cube; what is broken is reported and left out."""
    problems = Problems()
    document = _read_root(root, problems)
    cube = _cube(document, root, cube_id, problems)
    if document is None or not is_inside(root, cube.docker.context):
        return loaded(cube, problems)
    _check_listed_tasks(document, root, problems)
    tasks: dict[str, Task | None] = {}
    invocations = []
    for file in _run_files(root, problems):
        invocation = _load_run(file, root, tasks, problems)
        if invocation is not None:
            invocations.append(invocation)
    listed = _listed_tasks(document)
    invocations.sort(key=lambda each: listed.get(each.task.name, len(listed)))
    if not invocations and not problems.messages:
        problems.messages.append(
            Message(
                what="the cube has no run file, so that no task can run",
                where=str(root / "run"),
                found="no *.yaml",
                expected="one file for each invocation, such as run/train.yaml",
                do="add run files that bind the parameters of the tasks",
            )
        )
    cube = replace(cube, invocations=tuple(invocations))
    return loaded(with_promises(cube, problems), problems)


def _run_files(root: Path, problems: Problems) -> list[Path]:
    folder = root / "run"
    if is_there(folder) and not is_inside(root, folder):
        problems.messages.append(leaves(folder, "run/"))
        return []
    try:
        found = sorted(each for each in below(folder) if each.suffix == ".yaml")
    except OSError as error:
        message = Message(
            what="the run files cannot be listed",
            where=str(folder),
            found=str(error.strerror),
            expected="a folder of run files",
            do="move the run files to the top of run/",
        )
        problems.messages.append(message)
        return []
    for each in found:
        if not is_inside(root, each):
            problems.messages.append(leaves(each, f"run file {each.name}"))
    return [each for each in found if is_inside(root, each)]


def load_run_file(root: Path, run_file: Path | None) -> LoadedCube:
    """Read the main file of a cube, and at most one run file, wherever that lies."""
    problems = Problems()
    cube = _cube(_read_root(root, problems), root, root.name, problems)
    invocation = _load_run(run_file, root, {}, problems) if run_file else None
    cube = replace(cube, invocations=(invocation,) if invocation else ())
    return loaded(with_promises(cube, problems, whole=False), problems)


def _cube(
    document: Located | None, root: Path, cube_id: str, problems: Problems
) -> Cube:
    name = version = ""
    if document is not None:
        name, version = _check_root(document, problems)
    if not is_inside(root, root / "build"):
        problems.messages.append(leaves(root / "build", "build/"))
    return Cube(
        id=cube_id,
        root=root,
        name=name or root.name,
        version=version or "0.0.0",
        invocations=(),
    )


def _read_root(root: Path, problems: Problems) -> Located | None:
    file = main_file(root)
    if file is not None:
        return problems.read(file, "root file", _ROOT_KEYS, root)
    problems.messages.append(
        Message(
            what="mlcube.yaml is missing",
            where=str(root / "mlcube.yaml"),
            found=_what_lies_in(root),
            expected="the main definition file of the cube",
            do="give the folder that holds mlcube.yaml, or write one there",
        )
    )
    return None


def _what_lies_in(folder: Path) -> str:
    try:
        names = sorted(each.name for each in folder.iterdir())
    except OSError as error:
        return f"a folder that cannot be listed: {error.strerror}"
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")  # noqa: PLR2004
    return shown or "an empty folder"


def _check_root(document: Located, problems: Problems) -> tuple[str, str]:
    problems.schema_type(document, ("mlcube_root", "mlbox_root"))
    problems.unknown_keys(document, (*_ROOT_KEYS, "mlbox_spec_version"))
    problems.text(document, "author")
    old = document.get("mlbox_spec_version")
    problems.version(document, "mlbox_spec_version" if old else "mlcube_spec_version")
    return problems.text(document, "name"), problems.version(document, "version")


def _listed_tasks(document: Located | None) -> dict[str, int]:
    """Return the place of each task in the root file's list."""
    at = document.get("tasks") if document is not None else None
    if at is None or not isinstance(at.value, list):
        return {}
    paths = [each.text() for each in at.value]
    return {PurePosixPath(path).stem: index for index, path in enumerate(paths)}


def _check_listed_tasks(document: Located, root: Path, problems: Problems) -> None:
    at = document.get("tasks")
    if at is None or not isinstance(at.value, list):
        problems.add(
            f"{document.source.file.name} lists no tasks",
            at or document,
            found=at.kind if at else "no key 'tasks'",
            expected="a list of paths, such as [tasks/train.yaml]",
            do="write the key 'tasks' with a list",
        )
        return
    for each in at.value:
        if not each.text():
            problems.add(
                "an entry of 'tasks' is no path",
                each,
                expected="a path such as tasks/train.yaml",
                do="write the path of a task file",
            )
        elif not check_path(each.text(), "an entry of 'tasks'", each, problems):
            continue
        elif not is_inside(root, root / each.text()):
            problems.add(
                "a task file lies outside the cube",
                each,
                found=each.text(),
                expected="a path below the cube",
                do="move the task file into tasks/",
            )
        elif not is_plain_file(root / each.text()):
            problems.add(
                f"the task file {each.text()} is missing",
                each,
                found=_task_files(root),
                expected=str(root / each.text()),
                do=did_you_mean(each.text(), _task_files(root).split(", "))
                or "write the file, or remove the entry",
            )
        else:
            _load_task(root / each.text(), root, problems)


def _task_files(root: Path) -> str:
    names = [f"tasks/{each}.yaml" for each in _tasks_in(root)]
    return ", ".join(names) or "no file in tasks/"


def _tasks_in(root: Path) -> list[str]:
    folder = root / "tasks"
    if not is_inside(root, folder):
        return []  # What lies elsewhere is not told.
    return sorted(each.stem for each in folder.glob("*.yaml"))[:_MAX_LISTED]


def _load_task(file: Path, root: Path, problems: Problems) -> Task | None:
    document = problems.read(file, "task file", _TASK_KEYS, root)
    if document is None:
        return None
    if not problems.schema_type(document, ("mlcube_task", "mlbox_task")):
        return None
    problems.unknown_keys(document, _TASK_KEYS)
    before = len(problems.messages)
    parameters: list[Parameter] = []
    for role, key, _ in _ROLES:
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
            f"an {role} is no mapping",
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


def _load_run(
    file: Path, root: Path, tasks: dict[str, Task | None], problems: Problems
) -> Invocation | None:
    document = problems.read(file, "run file", _RUN_KEYS, *_roots(file, root))
    if document is None:
        return None
    if not problems.schema_type(document, ("mlcube_invoke", "mlbox_invoke")):
        return None
    problems.unknown_keys(document, _RUN_KEYS)
    task_name = problems.text(document, "task_name")
    if not task_name:
        return None
    task = _task_named(task_name, document, root, tasks, problems)
    if task is None:
        return None
    before = len(problems.messages)
    bindings: list[Binding] = []
    for role, _, key in _ROLES:
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
    file = root / "tasks" / f"{name}.yaml"
    inside = is_inside(root / "tasks", file) and is_inside(root, file)
    if not inside or not is_plain_file(file):
        known = _tasks_in(root)
        problems.add(
            f"run file {document.source.file.name} names the unknown task {name!r}",
            document.get("task_name") or document,
            found=name,
            expected=f"one of {', '.join(known)}" if known else f"a file {file}",
            do=did_you_mean(name, known) or "write the name of a file in tasks/",
        )
        return None
    if name not in tasks:
        tasks[name] = _load_task(file, root, problems)
    return tasks[name]


def _load_bindings(
    document: Located, task: Task, role: Role, key: str, problems: Problems
) -> list[Binding]:
    at = document.get(key)
    if at is None or not at.is_mapping():
        problems.add(
            f"run file {document.source.file.name} has no mapping {key!r}",
            at or document,
            found=at.kind if at else f"no key {key!r}",
            expected=f"{key}: a mapping (it may be empty: {{}})",
            do="write a value for each parameter of the task"
            if any(each.role == role for each in task.parameters)
            else f"write {key}: {{}}",
        )
        return []
    problems.warn_of_duplicates(at)
    bindings = []
    for name, value in at.items():
        binding = _load_binding(name, value, task, role, problems)
        if binding is not None:
            bindings.append(binding)
    for parameter in task.parameters:
        if parameter.role == role and at.get(parameter.name) is None:
            problems.add(
                f"the {role} {parameter.name!r} of task {task.name!r} has no value",
                at,
                found=f"values for {', '.join(n for n, _ in at.items()) or 'nothing'}",
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
