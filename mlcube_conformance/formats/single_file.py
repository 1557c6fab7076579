"""Reads a cube that is described in one file.

The format is that of MLCube since 2021: `mlcube.yaml` holds the platforms `docker` and
`singularity`, and each task with its parameters and their default values.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.formats.interpolation import Interpolation
from mlcube_conformance.formats.loaded import LoadedCube, loaded
from mlcube_conformance.formats.main_files import folder_and_name
from mlcube_conformance.formats.other_formats import misspelt
from mlcube_conformance.formats.problems import Problems, misspelt_keys
from mlcube_conformance.formats.promises import with_promises
from mlcube_conformance.formats.sections import SECTIONS, read_sections
from mlcube_conformance.formats.task_parameters import parameters_of
from mlcube_conformance.model import Binding, Cube, Invocation, Task

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from mlcube_conformance.formats.given import Given
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Role

__all__ = ["TASK_KEYS", "TASK_NAME", "TOP_KEYS", "is_single_file", "load_single_file"]

_READ = ("name", "version", "platform", *SECTIONS, "tasks")
#: Sections that are looked for under names like theirs.
_NEEDED = (*SECTIONS, "tasks")
TOP_KEYS = (*_READ, "description", "author", "authors")
#: Characters of an entry point.
_MAX_ENTRYPOINT = 10_000
TASK_KEYS = ("entrypoint", "parameters", "description")
_ROLES: tuple[tuple[Role, str], ...] = (("input", "inputs"), ("output", "outputs"))
#: Name of a task that cannot be taken for an option, a path or two words.
TASK_NAME = re.compile(r"\w[\w.-]{0,99}")


def is_single_file(document: Located) -> bool:
    """Say whether a main file is of this format; the other one names its schema."""
    if document.get("schema_type") is not None:
        return False
    keys = [key for key, _ in document.items()]
    tasks = document.get("tasks")
    if tasks is not None and isinstance(tasks.value, list):
        # The list of the other format holds paths of files.
        named = any(each.text() for each in tasks.value)
        return not named and any(key in keys for key in SECTIONS)
    return any(key in _NEEDED for key in keys) or bool(misspelt(keys, _NEEDED))


def load_single_file(
    document: Located,
    place: Path,
    cube_id: str,
    given: Given,
    *,
    only: Collection[str] | None = None,
) -> LoadedCube:
    """Read a cube from its main file; what is broken is reported and left out.

    Args:
        document: The file.
        place: Folder of the cube, or the file where it has a name of its own.
        cube_id: Name of the cube in test ids.
        given: What the command line gives.
        only: Names of the tasks to read; None for all. Others may be broken.
    """
    root, definition = folder_and_name(place)
    problems = Problems()
    problems.warn_of_duplicates(document)
    near = _refuse_misspelt_keys(document, problems)
    document = _with_tasks(document, only)
    filled = _filled(document, root, given.variables, problems)
    sections = read_sections(filled, root, given, problems)
    cube = Cube(
        id=cube_id,
        root=root,
        definition=definition,
        name=_text(filled, "name", problems) or root.name,
        version=_text(filled, "version", problems) or "latest",
        invocations=()
        if only == () or "tasks" in near
        else tuple(_invocations(filled, problems)),
        platforms=sections.platforms,
        docker_build=sections.docker,
        singularity_build=sections.singularity,
    )
    whole = only is None and not definition
    return loaded(with_promises(cube, problems, whole=whole), problems)


def _with_tasks(document: Located, only: Collection[str] | None) -> Located:
    tasks = document.get("tasks")
    if only is None or tasks is None or not tasks.is_mapping():
        return document
    kept = {name: task for name, task in tasks.items() if name in only}
    return replace(
        document, value=document.value | {"tasks": replace(tasks, value=kept)}
    )


def _refuse_misspelt_keys(document: Located, problems: Problems) -> set[str]:
    """Refuse a section that is missing under its name and there under one like it.

    The format allows further keys; others that look like a known one are warned of.

    Returns:
        The sections that are meant.
    """
    keys = (key for key, _ in document.items() if key != "platforms")
    meant_sections = misspelt(keys, (*_NEEDED, "platform"))
    for key, meant_section in meant_sections.items():
        problems.add(
            f"{document.source.file.name} has the unknown section {key[:40]!r}",
            document.get(key) or document,
            found=key,
            expected=f"one of {', '.join(_NEEDED)}",
            do=f"did you mean '{meant_section}'?",
        )
    for key, value, meant in misspelt_keys(document, TOP_KEYS):
        if key in meant_sections:
            continue
        problems.warn(
            f"{document.source.file.name} has the unknown key {key!r}, which is "
            "not read",
            value,
            found=key,
            do=meant,
        )
    return {*meant_sections.values()}


def _filled(
    document: Located, root: Path, variables: Mapping[str, str], problems: Problems
) -> Located:
    """Return the keys that are read, with their references filled in.

    A parameter refers to the workspace of the run; a section, to that of the cube.
    """
    values = {}
    for key in _READ:
        at = document.get(key)
        if at is None:
            continue
        inside = key in {"tasks", "singularity"}
        workspace = "$WORKSPACE" if inside else str(root / "workspace")
        names = ("workspace", "runtime.workspace", "WORKSPACE")
        places = dict.fromkeys(names, workspace)
        places["runtime.root"] = str(root)
        filling = Interpolation(document, problems, variables, places)
        kept = Interpolation(document, problems, variables, places, for_builds=True)
        arguments = at.get("build_args") if key == "docker" else None
        if arguments is None:
            values[key] = filling.filled(at)
            continue
        others = {k: v for k, v in at.items() if k != "build_args"}
        filled = filling.filled(replace(at, value=others))
        both = {**filled.value, "build_args": kept.filled(arguments)}
        values[key] = replace(filled, value=both)
    return replace(document, value=values)


def _text(document: Located, key: str, problems: Problems) -> str:
    at = document.get(key)
    if at is None or at.value is None:
        return ""
    if at.written:
        return at.written  # a version, such as 1.0
    return problems.text(document, key)


def _invocations(document: Located, problems: Problems) -> list[Invocation]:
    tasks = problems.mapping(
        document,
        "tasks",
        filled=True,
        expected="tasks: a mapping with at least one task",
        do="write the key 'tasks' with a mapping of names to tasks, such as "
        "train: {parameters: …}",
    )
    if tasks is None:
        return []
    problems.warn_of_duplicates(tasks)
    found = []
    for name, at in tasks.items():
        before = len(problems.messages)
        invocation = _invocation(name, at, problems)
        lacks = any(f", key tasks.{name}." in each.where for each in problems.limits)
        if len(problems.messages) == before and not lacks:
            found.append(invocation)
    return found


def _invocation(name: str, at: Located, problems: Problems) -> Invocation:
    file = at.source.file
    if not TASK_NAME.fullmatch(name):
        problems.add(
            "the name of a task is invalid",
            at,
            found=name,
            expected="at most 100 letters, digits, and . _ - within",
            do="rename the task",
        )
    if at.value is not None and not at.is_mapping():
        problems.add(
            f"the task {name!r} is not a mapping",
            at,
            expected="a mapping with 'parameters', or nothing",
            do="fix the task",
        )
    for _, key in _ROLES:
        misplaced = at.get(key)
        if misplaced is not None:
            problems.add(
                f"the task {name!r} has {key} outside of 'parameters'",
                misplaced,
                found=f"tasks.{name}.{key}",
                expected=f"tasks.{name}.parameters.{key}",
                do="put it below a key 'parameters'",
            )
            return Invocation(
                name=name, task=Task(name=name, parameters=()), bindings=(), file=file
            )
    problems.further_keys(at, TASK_KEYS)
    problems.warn_of_duplicates(at)
    parameters = at.get("parameters")
    bindings: list[Binding] = []
    if parameters is not None and parameters.value is not None:
        if not parameters.is_mapping():
            problems.add(
                f"the parameters of {name!r} are not a mapping",
                parameters,
                expected="a mapping with inputs and outputs",
                do="fix the parameters",
            )
        problems.further_keys(parameters, [key for _, key in _ROLES])
        for role, key in _ROLES:
            bindings += parameters_of(parameters.get(key), role, name, problems)
    task = Task(
        name=name,
        parameters=tuple(each.parameter for each in bindings),
        entrypoint=_entrypoint(at, name, problems),
    )
    return Invocation(name=name, task=task, bindings=tuple(bindings), file=file)


def _entrypoint(at: Located, task: str, problems: Problems) -> tuple[str, ...]:
    given = at.get("entrypoint")
    if given is None or given.value in (None, ""):
        return ()
    try:
        words = tuple(shlex.split(given.text()[: _MAX_ENTRYPOINT + 1]))
    except ValueError:
        words = ()
    is_long = len(given.text()) > _MAX_ENTRYPOINT
    if not words or is_long or not all(word.isprintable() for word in words):
        problems.add(
            f"the entrypoint of {task!r} is not a command",
            given,
            expected="a program and its first arguments, such as python /app/train.py",
            do="write it as one text, or null for that of the image",
        )
    return words
