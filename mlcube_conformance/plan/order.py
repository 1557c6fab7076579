"""Decides which cases there are, and in which order they run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    Message,
    UsageError,
    Violation,
    did_you_mean,
    refusal,
)
from mlcube_conformance.base.files import resolved
from mlcube_conformance.base.homes import given_path, is_written_as_path
from mlcube_conformance.base.source import Source
from mlcube_conformance.base.writing import would_replace
from mlcube_conformance.formats.main_files import main_file
from mlcube_conformance.plan.data_flow import DataFlow
from mlcube_conformance.plan.mounts import host_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlcube_conformance.model import (
        Case,
        Cube,
        Invocation,
        Platform,
        PlatformFile,
    )

__all__ = [
    "Comparison",
    "Override",
    "Placement",
    "check_overrides",
    "check_paths",
    "comparisons",
    "means",
    "order_invocations",
    "override_parameters",
    "paths_elsewhere",
    "producers",
    "select_invocations",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A value from the command line for one parameter."""

    name: str
    """Of a parameter, with a task or a run file and a dot before it, or of any."""
    value: str
    """An absolute path."""

    def fits(self, invocation: Invocation, parameter: str) -> bool:
        """Say whether it is meant for a parameter of an invocation."""
        owners = (invocation.name, invocation.task.name)
        return self.name in {parameter, *(f"{each}.{parameter}" for each in owners)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One cube on one platform, with its cases in the order in which they run."""

    cube: Cube
    platform: Platform
    cases: tuple[Case, ...]
    """Those asked for."""
    all_cases: tuple[Case, ...]
    """Those asked for and the ones that make their inputs."""

    def __repr__(self) -> str:
        """Keep assertions short."""
        return f"<Placement {self.id}>"

    def __hash__(self) -> int:
        """Take what tells it from others; pytest asks for each test, several times."""
        return hash((self.cube.place, self.platform.id))

    @property
    def id(self) -> str:
        """Name of the cube and the platform together, as in `mnist-docker`."""
        return f"{self.cube.id}-{self.platform.id}"

    @property
    def key(self) -> tuple[Path, PlatformFile]:
        """What tells it from all others; ids may look alike."""
        return (self.cube.place, self.platform.source)

    def producers(self, case: Case) -> tuple[Case, ...]:
        """Return the cases that write what this one reads, in order."""
        names = {
            each.name
            for each in producers(
                case.invocation, [each.invocation for each in self.all_cases]
            )
        }
        return tuple(each for each in self.all_cases if each.invocation.name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One invocation of one cube on all platforms asked for, two of them at least."""

    invocation: Invocation
    cases: tuple[Case, ...]

    def __repr__(self) -> str:
        """Keep assertions short."""
        return f"<Comparison {self.id}>"

    def __hash__(self) -> int:
        """Take what tells it from others; pytest asks for each test, several times."""
        return hash((self.cube.place, self.invocation.name))

    @property
    def cube(self) -> Cube:
        """The cube."""
        return self.cases[0].cube

    @property
    def id(self) -> str:
        """Name in test ids, as in `mnist-train`."""
        return f"{self.cube.id}-{self.invocation.name}"


def comparisons(placements: Sequence[Placement]) -> tuple[Comparison, ...]:
    """Return what can be compared: the cases that differ in their platform alone."""
    alike: dict[tuple[Path, str], list[Case]] = {}
    for placement in placements:
        for case in placement.cases:
            key = (case.cube.place, case.invocation.name)
            alike.setdefault(key, []).append(case)
    return tuple(
        Comparison(invocation=cases[0].invocation, cases=tuple(cases))
        for cases in alike.values()
        if len(cases) > 1
    )


def producers(
    consumer: Invocation, invocations: Sequence[Invocation]
) -> tuple[Invocation, ...]:
    """Return the invocations that must run before this one."""
    return DataFlow(invocations).feeding(consumer)


def order_invocations(invocations: Sequence[Invocation]) -> tuple[Invocation, ...]:
    """Return the invocations so that each comes after those that feed it.

    Raises:
        Violation: They wait for each other in a circle.
    """
    by_name = {each.name: each for each in invocations}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    flow = DataFlow(invocations)
    for each in invocations:
        sorter.add(each.name, *(producer.name for producer in flow.feeding(each)))
    try:
        return tuple(by_name[name] for name in sorter.static_order())
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise Violation(
            Message(
                what="the run files depend on each other in a circle",
                where=str(invocations[0].file.parent),
                found=circle,
                expected="each run file reads what earlier ones write",
                do="give one of them another input or output folder",
            )
        ) from error


def means(name: str, invocation: Invocation) -> bool:
    """Say whether a name on the command line means an invocation.

    It may be that of a task, of a run file, or the path of a run file.
    """
    if name in {invocation.name, invocation.task.name}:
        return True
    return is_written_as_path(name) and _is_same(
        given_path(name, "--task"), invocation.file
    )


def _is_same(path: Path, other: Path) -> bool:
    """Say whether two paths name one entry of one folder, itself perhaps a link."""
    return path.name == other.name and resolved(path.parent) == resolved(other.parent)


def select_invocations(
    invocations: Sequence[Invocation], names: Iterable[str]
) -> tuple[tuple[Invocation, ...], tuple[Invocation, ...]]:
    """Return the invocations named by run file or task, and those with producers.

    No name at all selects every invocation.
    """
    wanted = tuple(names)
    if not wanted:
        return tuple(invocations), tuple(invocations)
    selected = [
        each for each in invocations if any(means(name, each) for name in wanted)
    ]
    needed = {each.name for each in selected}
    waiting, flow = list(selected), DataFlow(invocations)
    while waiting:
        for producer in flow.feeding(waiting.pop()):
            if producer.name not in needed:
                needed.add(producer.name)
                waiting.append(producer)
    return tuple(selected), tuple(each for each in invocations if each.name in needed)


def override_parameters(cube: Cube, overrides: Sequence[Override]) -> Cube:
    """Return the cube with values from the command line instead of its own.

    Raises:
        UsageError: One parameter is given two values.
    """
    return replace(
        cube,
        invocations=tuple(_overridden(each, overrides) for each in cube.invocations),
    )


def _overridden(invocation: Invocation, overrides: Sequence[Override]) -> Invocation:
    bindings = []
    for binding in invocation.bindings:
        override = _meant(overrides, invocation, binding.parameter.name)
        if override is not None:
            where = Path(f"--parameter {override.name}={override.value}")
            binding = replace(  # noqa: PLW2901 - the one that is meant
                binding,
                value=override.value,
                source=Source(file=where, line=0),
                given_by_user=True,
            )
        bindings.append(binding)
    return replace(invocation, bindings=tuple(bindings))


def _meant(
    overrides: Sequence[Override], invocation: Invocation, parameter: str
) -> Override | None:
    """Return the value for a parameter, if any: that for its task before any other."""
    fitting = [each for each in overrides if each.fits(invocation, parameter)]
    meant = [each for each in fitting if each.name != parameter] or fitting
    values = {resolved(Path(each.value)): each for each in meant}
    if len(values) > 1:
        raise UsageError(
            Message(
                what=f"the parameter {parameter!r} of task {invocation.task.name!r} is "
                "given several values",
                where="--parameter",
                found="\n".join(
                    f"{each.name}={each.value}" for each in values.values()
                ),
                expected="one value for each parameter",
                do="give it once",
            )
        )
    return meant[-1] if meant else None


def check_overrides(cubes: Sequence[Cube], overrides: Sequence[Override]) -> None:
    """Refuse a value for a parameter that no cube has, and one that would end a cube.

    Raises:
        UsageError: No run file binds the parameter, or an output would replace a
            file that defines a cube.
    """
    bound = [
        (invocation, binding.parameter.name)
        for cube in cubes
        for invocation in cube.invocations
        for binding in invocation.bindings
    ]
    for each in overrides:
        if not any(each.fits(invocation, name) for invocation, name in bound):
            known = {f"{invocation.task.name}.{name}" for invocation, name in bound}
            raise refusal(
                what=f"no task has the parameter {each.name!r}",
                where="--parameter",
                found=each.name,
                expected=f"one of {', '.join(sorted(known)) or '(none)'}",
                do=did_you_mean(each.name, known) or "fix the name",
            )
    for cube in cubes:
        _refuse_to_replace(cube, overrides)


def _refuse_to_replace(cube: Cube, overrides: Sequence[Override]) -> None:
    given = [
        each
        for each in overrides
        if any(
            each.fits(invocation, binding.parameter.name)
            for invocation in cube.invocations
            for binding in invocation.bound("output")
        )
    ]
    if not given:
        return  # To resolve the files of many cubes takes time.
    files = [main_file(cube.place), cube.docker.file, cube.singularity.file]
    files += [each.file for each in cube.invocations]
    kept = {resolved(each) for each in files if each is not None}
    for each in given:
        if resolved(Path(each.value)) in kept:
            raise would_replace(Path(each.value), f"--parameter {each.name}")


def check_paths(invocation: Invocation, workspace: Path) -> tuple[Message, ...]:
    """Return a problem for each value of the cube that can be no path."""
    problems: list[Message] = []
    for binding in invocation.bindings:
        try:
            host_path(binding, workspace)
        except Violation as violation:
            problems.extend(violation.messages)
    return tuple(problems)


def paths_elsewhere(invocation: Invocation, workspace: Path) -> tuple[Message, ...]:
    """Return the limit that each value of the cube exceeds by leaving its workspace.

    A cube is not trusted: what is elsewhere on the machine is only read or
    written where the command line says so.
    """
    limits: list[Message] = []
    for binding in invocation.bindings:
        path, name = host_path(binding, workspace), binding.parameter.name
        if binding.given_by_user or path.is_relative_to(workspace):
            continue
        limits.append(
            Message(
                what=f"the value of {name!r} leaves the workspace",
                where=str(binding.source),
                found=f"{binding.value} (that is {path})",
                expected="a path below $WORKSPACE",
                do=f"write $WORKSPACE/{name}, or give the place on the command line: "
                f"--parameter {invocation.task.name}.{name}=PATH",
            )
        )
    return tuple(limits)
