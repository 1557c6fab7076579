"""Finds the cubes, platforms and cases that a command line asks for.

Reads YAML files and nothing else: no container, process or network is touched.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError, Violation, did_you_mean
from mlcube_conformance.base.files import read_text, resolved
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.text import HIDDEN, hide
from mlcube_conformance.formats.cube_roots import cube_roots
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.platforms import find_platform, load_platform
from mlcube_conformance.formats.promises import with_optional_inputs
from mlcube_conformance.model import Case, PlatformFile
from mlcube_conformance.plan.definitions import check_definitions
from mlcube_conformance.plan.order import (
    Comparison,
    Override,
    Placement,
    check_overrides,
    comparisons,
    means,
    override_parameters,
    select_invocations,
)
from mlcube_conformance.runners import check_kind
from mlcube_conformance.runners.contract import Options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mlcube_conformance.formats.loaded import LoadedCube
    from mlcube_conformance.model import Cube, Strategy

__all__ = [
    "CheckedPlatform",
    "Selection",
    "hide_values",
    "make_optional",
    "parse_assignments",
    "parse_ca_bundle",
    "parse_environment",
    "parse_gpus",
    "parse_overrides",
    "parse_seconds",
    "runner_options",
    "select",
]

_HOUR = 3600.0
#: Bytes of a file with certificates; that of a system has a quarter of a million.
_LARGEST_BUNDLE = 16 * 1024 * 1024
_NO_VARIABLES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPlatform:
    """A platform file as a cube uses it, with what is wrong with it."""

    id: str
    """As in `mnist-docker`."""
    key: tuple[Path, PlatformFile]
    """Folder of the cube and where the platform is described."""
    problems: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What there is to test."""

    cubes: tuple[LoadedCube, ...]
    platforms: tuple[CheckedPlatform, ...]
    placements: tuple[Placement, ...]

    cases: tuple[Case, ...]
    """Every case asked for."""
    comparisons: tuple[Comparison, ...]
    """Every case that is asked for on several platforms."""


def select(
    cubes: Sequence[str],
    platforms: Sequence[str],
    tasks: Sequence[str],
    overrides: Sequence[Override],
    *,
    optional: Sequence[str] = (),
    variables: Mapping[str, str] = _NO_VARIABLES,
) -> Selection:
    """Read the cubes and platform files and say which cases there are.

    Args:
        cubes: Folders, main files or patterns.
        platforms: Names or files of platforms.
        tasks: Tasks or run files; none for all.
        overrides: Values of the command line.
        optional: Inputs that need not be there, as `TASK.NAME` or `NAME`.
        variables: What the command line gives for `${oc.env:NAME}`.

    Raises:
        UsageError: A cube, platform, task or parameter asked for does not exist.
    """
    roots = cube_roots(cubes)
    read = [load_cube(root, cube_id, variables) for root, cube_id in _with_ids(roots)]
    check_overrides([each.cube for each in read], overrides)
    cubes_made = make_optional(
        [override_parameters(each.cube, overrides) for each in read], optional
    )
    loaded = tuple(
        check_definitions(replace(each, cube=cube))
        for each, cube in zip(read, cubes_made, strict=True)
    )
    checked: list[CheckedPlatform] = []
    placements: list[Placement] = []
    for each in loaded:
        files = _files_once(find_platform(name, each.cube) for name in platforms)
        named = _with_ids([file.path.parent / file.stem for file in files])
        for file, (_, platform_id) in zip(files, named, strict=True):
            _place(each, (file, platform_id), tasks, checked, placements)
    _check_tasks(tasks, loaded)
    return Selection(
        cubes=loaded,
        platforms=tuple(checked),
        placements=tuple(placements),
        cases=tuple(case for each in placements for case in each.cases),
        comparisons=comparisons(placements),
    )


def _place(
    loaded: LoadedCube,
    named: tuple[PlatformFile, str],
    tasks: Sequence[str],
    checked: list[CheckedPlatform],
    placements: list[Placement],
) -> None:
    cube = loaded.cube
    file, platform_id = named
    platform, problems = load_platform(file, cube)
    checked.append(
        CheckedPlatform(
            id=f"{cube.id}-{platform_id}",
            key=(cube.root, file),
            problems=problems,
        )
    )
    if platform is None:
        return
    platform = replace(platform, id=platform_id)
    check_kind(platform)
    broken = file.section and any(
        f"key {file.section}" in each.where for each in loaded.problems
    )
    if problems or broken or not cube.invocations:
        return  # The tests of the definitions say why.
    selected, needed = (
        tuple(
            Case(cube=cube, platform=platform, invocation=each) for each in invocations
        )
        for invocations in select_invocations(cube.invocations, tasks)
    )
    placements.append(
        Placement(cube=cube, platform=platform, cases=selected, all_cases=needed)
    )


def make_optional(cubes: Sequence[Cube], optional: Sequence[str]) -> list[Cube]:
    """Return cubes some of whose inputs need not be there.

    Raises:
        UsageError: No task has such an input.
    """
    known = {
        f"{each.task.name}.{binding.parameter.name}"
        for cube in cubes
        for each in cube.invocations
        for binding in each.bound("input")
    }
    for given in optional:
        if not any(given in {each, each.partition(".")[2]} for each in known):
            raise UsageError(
                Message(
                    what=f"no task has the input {given!r}",
                    where="--optional",
                    found=given,
                    expected=f"one of {', '.join(sorted(known)) or '(none)'}",
                    do=did_you_mean(given, known) or "mend the name",
                )
            )
    return [with_optional_inputs(cube, optional) for cube in cubes]


def _files_once(files: Iterable[PlatformFile]) -> list[PlatformFile]:
    """Return platform files without those that an earlier one means, too."""
    found: dict[tuple[Path, str], PlatformFile] = {}
    for file in files:
        found.setdefault((resolved(file.path), file.section), file)
    return list(found.values())


def _with_ids(roots: list[Path]) -> list[tuple[Path, str]]:
    """Name each cube by its folder, and by more of its path where that is shared."""
    named = [(root, root.name) for root in roots]
    for depth in range(2, 10):
        count = Counter(name for _, name in named)
        if max(count.values(), default=0) <= 1:
            break
        named = [
            (root, "-".join(root.parts[-depth:]) if count[name] > 1 else name)
            for root, name in named
        ]
    return named


def _check_tasks(tasks: Sequence[str], loaded: Sequence[LoadedCube]) -> None:
    """Refuse a task that no cube has, unless a broken cube may have had it."""
    invocations = [each for cube in loaded for each in cube.cube.invocations]
    known = {name for each in invocations for name in (each.name, each.task.name)}
    broken = any(each.problems for each in loaded)
    for task in tasks:
        if not broken and not any(means(task, each) for each in invocations):
            raise UsageError(
                Message(
                    what=f"no cube has the task {task!r}, so that no case is selected",
                    where="--task",
                    found=task,
                    expected=f"one of {', '.join(sorted(known))}",
                    do=did_you_mean(task, known)
                    or "write the name of a task, or the path of a run file",
                )
            )


def parse_assignments(
    option: str, values: Sequence[str], form: str = "NAME=VALUE"
) -> list[tuple[str, str]]:
    """Split `NAME=VALUE` texts at the first `=`.

    Raises:
        UsageError: One of them has no name or no `=`.
    """
    result = []
    for each in values:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise _bad_value(option, _without_value(option, each), form)
        result.append((name, value))
    return result


def _without_value(option: str, given: str) -> str:
    """Return what was given, less a value that may be a secret."""
    name, equals, _ = given.partition("=")
    secret = equals and option in {"--env", "--build-arg"}
    return f"{name}={HIDDEN}" if secret else given


def parse_overrides(option: str, values: Sequence[str]) -> tuple[Override, ...]:
    """Read `TASK.PARAMETER=PATH` or `PARAMETER=PATH` texts.

    Raises:
        UsageError: One of them reads otherwise.
    """
    overrides = []
    form = "TASK.PARAMETER=PATH"
    for name, value in parse_assignments(option, values, form):
        if not value or not name.rpartition(".")[2]:
            raise _bad_value(option, f"{name}={value}", form)
        overrides.append(Override(name=name, value=str(given_path(value, option))))
    return tuple(overrides)


def parse_environment(values: Sequence[str], option: str = "--env") -> dict[str, str]:
    """Read `NAME=VALUE` texts, and names of variables of this process.

    Of a name that is given twice, the last one counts.

    Raises:
        UsageError: One of them is neither.
    """
    given = [
        f"{each}={os.environ[each]}" if each in os.environ else each for each in values
    ]
    return dict(parse_assignments(option, given, "NAME or NAME=VALUE"))


def hide_values(environment: Sequence[str], build_args: Sequence[str]) -> None:
    """Keep what the command line gives to tasks and builds out of all that is shown.

    Values that cannot be read are left to those who read them.
    """
    texts = (*environment, *build_args)
    hide(
        [
            each.partition("=")[2] if "=" in each else os.environ.get(each, "")
            for each in texts
        ]
    )


def parse_seconds(option: str, value: str | None) -> float:
    """Read a number of seconds above 0; None gives an hour.

    Raises:
        UsageError: It is none.
    """
    if value is None:
        return _HOUR
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise _bad_value(option, value, "a number of seconds above 0")
    return seconds


def parse_gpus(value: str | None) -> str | None:
    """Read which GPUs are asked for; "" and 0 ask for none, whatever the platform.

    Raises:
        UsageError: It is neither `all`, a number, nor `device=…`.
    """
    if value is None:
        return None
    if value in {"", "0"}:
        return ""
    if (
        value == "all"
        or re.fullmatch(r"[0-9]+", value)
        or re.fullmatch(r"device=[\w,-]+", value)
    ):
        return value
    raise _bad_value("--gpus", value, "all, a number, or device=0,1")


def parse_ca_bundle(value: str | None) -> Path | None:
    """Read the path of a file with certificates.

    Raises:
        UsageError: There is no such file, or it holds no certificate.
    """
    if value is None:
        return None
    path = given_path(value, "--ca-bundle")
    try:
        text = read_text(path, limit=_LARGEST_BUNDLE)
    except Violation:
        text = ""
    if "BEGIN CERTIFICATE" not in text:
        raise _bad_value("--ca-bundle", value, "a PEM file that can be read")
    return path


def runner_options(
    *,
    build_args: Sequence[str],
    network: str | None,
    gpus: str | None,
    ca_bundle: str | None,
    environment: Mapping[str, str] | None = None,
    build_strategy: Strategy | None = None,
    configure_timeout: str | None = None,
    task_timeout: str | None = None,
    names_image: bool = False,
) -> Options:
    """Read the options that go to a runner, as texts of the command line.

    Raises:
        UsageError: One of them is wrong.
    """
    return Options(
        build_args=parse_environment(build_args, "--build-arg"),
        environment=environment or {},
        build_strategy=build_strategy,
        network=network,
        gpus=parse_gpus(gpus),
        ca_bundle=parse_ca_bundle(ca_bundle),
        names_image=names_image,
        configure_timeout=parse_seconds("--configure-timeout", configure_timeout),
        task_timeout=parse_seconds("--task-timeout", task_timeout),
    )


def _bad_value(option: str, found: str, expected: str) -> UsageError:
    return UsageError(
        Message(
            what=f"the value of {option} cannot be read",
            where=option,
            found=found or "nothing",
            expected=expected,
            do=f"write {option} with {expected}",
        )
    )
