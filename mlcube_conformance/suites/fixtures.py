"""The fixtures, parametrized over the cubes, platforms and tasks asked for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import (
    MachineError,
    Message,
    Unsupported,
    Violation,
    did_you_mean,
)
from mlcube_conformance.base.text import visible
from mlcube_conformance.suites.cube.applicable import rule_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlcube_conformance.formats.loaded import LoadedCube
    from mlcube_conformance.model import Case, Cube, Image, Platform
    from mlcube_conformance.plan.order import Comparison, Placement
    from mlcube_conformance.plan.selection import CheckedPlatform
    from mlcube_conformance.suites.cube.session import ConformanceSession
    from mlcube_conformance.suites.cube.task_run import TaskRun
    from mlcube_conformance.suites.runner.session import RunnerSession
    from mlcube_conformance.suites.runner.trial import Trial

    Subject = LoadedCube | CheckedPlatform | Placement | Case | Comparison

__all__ = [
    "RUNNER_SESSION",
    "SESSION",
    "attempt",
    "case",
    "checked_platform",
    "compared_runs",
    "comparison",
    "configured",
    "cube",
    "image",
    "loaded_cube",
    "mlcube_check",
    "mlcube_subject",
    "parametrize",
    "placement",
    "platform",
    "remote_run",
    "task_run",
    "trial",
    "workspace",
]

SESSION: pytest.StashKey[ConformanceSession] = pytest.StashKey()
RUNNER_SESSION: pytest.StashKey[RunnerSession] = pytest.StashKey()

_REMOTE = {"remote_run"}
_COMPARISON = {"comparison", "compared_runs"}
_CHECK = "mlcube_check"
_CASE = {"case", "attempt", "task_run", *_REMOTE}
_PLACEMENT = {"placement", "platform", "configured", "image", "workspace"}


def _subjects(
    metafunc: pytest.Metafunc, session: ConformanceSession
) -> Sequence[Subject]:
    """Return the most specific subjects that the fixtures of a test need."""
    names = set(metafunc.fixturenames)
    selection = session.selection
    mark = metafunc.definition.get_closest_marker("clause")
    clause = str(mark.args[0]) if mark and mark.args else ""
    unheard = _CHECK in names and not session.plugins.checks()
    if unheard or not session.depth.includes(clause):
        return []
    if names & _COMPARISON:
        return selection.comparisons
    if names & _CASE:
        wanted, rule = _tasks_of(metafunc, session), rule_of(clause)
        return [
            each
            for each in selection.cases
            if (not wanted or each.invocation.task.name in wanted)
            and (each.platform.place or not names & _REMOTE)
            and (rule is None or rule(each))
        ]
    if names & _PLACEMENT:
        return selection.placements
    if "checked_platform" in names:
        return selection.platforms
    return selection.cubes


def parametrize(metafunc: pytest.Metafunc, session: ConformanceSession) -> None:
    """Give a test its subjects, and the checks of other plugins if it asks for them.

    Raises:
        CollectError: A hook of another plugin failed.
    """
    try:
        checks = session.plugins.checks()
    except MachineError as error:
        raise pytest.Collector.CollectError(str(error)) from error
    found = _subjects(metafunc, session)
    ids = [each.id for each in found]
    metafunc.parametrize(
        "mlcube_subject", found, indirect=True, ids=ids, scope="session"
    )
    if _CHECK in metafunc.fixturenames and found:
        named = [
            pytest.param(name, marks=[pytest.mark.clause(name)] if known else [])
            for name in checks
            if session.depth.includes(name)
            for known in [session.plugins.clause(name)]
        ]
        metafunc.parametrize(_CHECK, named, indirect=True)


def _tasks_of(metafunc: pytest.Metafunc, session: ConformanceSession) -> set[str]:
    """Return the tasks that `@pytest.mark.mlcube_task("train")` names."""
    wanted = {
        str(name)
        for mark in metafunc.definition.iter_markers("mlcube_task")
        for name in mark.args
    }
    if not wanted:
        return wanted
    loaded = session.selection.cubes
    known = {run.task.name for each in loaded for run in each.cube.invocations}
    unknown = sorted(wanted - known)
    if unknown and not any(each.problems for each in loaded):
        message = Message(
            what=f"no cube has the task {unknown[0]!r}",
            where=f"@pytest.mark.mlcube_task of {metafunc.definition.nodeid}",
            found=unknown[0],
            expected=f"one of {', '.join(sorted(known))}",
            do=did_you_mean(unknown[0], known) or "name a task of the cube",
        )
        raise pytest.Collector.CollectError(str(message))
    return wanted


def _session(request: pytest.FixtureRequest) -> ConformanceSession:
    return request.config.stash[SESSION]


@pytest.fixture(scope="session")
def mlcube_subject(request: pytest.FixtureRequest) -> object:
    """Return what the test is about: a cube, a placement or a case."""
    if request.config.stash.get(SESSION, None) is None:
        pytest.skip("no cube is given: use --cube PATH")
    return request.param


@pytest.fixture(scope="session")
def loaded_cube(mlcube_subject: LoadedCube) -> LoadedCube:
    """Return a cube with every problem of its files."""
    return mlcube_subject


@pytest.fixture(scope="session")
def checked_platform(mlcube_subject: CheckedPlatform) -> CheckedPlatform:
    """Return a platform file as a cube uses it, with every problem of it."""
    return mlcube_subject


@pytest.fixture(scope="session")
def cube(mlcube_subject: LoadedCube | Placement | Case) -> Cube:
    """Return the cube."""
    return mlcube_subject.cube


@pytest.fixture(scope="session")
def placement(
    request: pytest.FixtureRequest, mlcube_subject: Placement | Case
) -> Placement:
    """Return the cube on the platform, with its cases."""
    return _session(request).placement_of(mlcube_subject)


@pytest.fixture(scope="session")
def platform(placement: Placement) -> Platform:
    """Return the platform, as its file says."""
    return placement.platform


@pytest.fixture(scope="session")
def configured(
    request: pytest.FixtureRequest, placement: Placement
) -> Image | Violation:
    """Return the image of the cube on the platform, or what keeps it from being.

    Raises:
        MachineError: The platform is at fault.
    """
    try:
        return _session(request).execution.image(placement)
    except Violation as violation:
        return violation


@pytest.fixture(scope="session")
def image(configured: Image | Violation) -> Image:
    """Return the image of the cube on the platform, configured on first use.

    Raises:
        Violation: The cube's recipe or image name is at fault.
        MachineError: The platform is at fault.
    """
    if isinstance(configured, Violation):
        raise configured
    return configured


@pytest.fixture(scope="session")
def workspace(request: pytest.FixtureRequest, placement: Placement) -> Path:
    """Return the folder that the tasks of the cube share on the platform."""
    folder = _session(request).execution.workspace_of(placement)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def case(mlcube_subject: Case) -> Case:
    """Return the invocation of the cube on the platform."""
    return mlcube_subject


@pytest.fixture(scope="session")
def comparison(mlcube_subject: Comparison) -> Comparison:
    """Return the invocation of the cube, with its cases on all platforms."""
    return mlcube_subject


@pytest.fixture(scope="session")
def compared_runs(
    request: pytest.FixtureRequest, comparison: Comparison
) -> dict[str, TaskRun]:
    """Return the runs that ended well, by the name of their platform."""
    session = _session(request)
    runs = {}
    missing = []
    for case in comparison.cases:
        with suppress(MachineError, Unsupported):
            run = session.execution.run(session.placement_of(case), case)
            if run.exited_zero:
                runs[case.platform.id] = run
                continue
        missing.append(case.id)
    if len(runs) < 2:  # noqa: PLR2004 - what a comparison takes
        pytest.skip(visible(f"not compared: {', '.join(missing)} did not succeed"))
    return runs


@pytest.fixture(scope="session")
def attempt(
    request: pytest.FixtureRequest, case: Case, placement: Placement
) -> TaskRun:
    """Return the result of the case, even if its task could not start.

    Raises:
        MachineError: The platform is at fault.
    """
    found = _session(request).execution.run(placement, case)
    if found.blocked_by:
        pytest.skip(visible(f"not run: {found.blocked_by} failed"))
    return found


@pytest.fixture(scope="session")
def task_run(attempt: TaskRun) -> TaskRun:
    """Return the run of the task, which took place once for all tests."""
    if attempt.not_ready is not None:
        pytest.skip(visible(f"not run: {attempt.not_ready.messages[0].what}"))
    return attempt


@pytest.fixture
def mlcube_check(
    request: pytest.FixtureRequest, task_run: TaskRun
) -> tuple[Message, ...]:
    """Return what a check of another plugin says of a run that ended well.

    Raises:
        MachineError: The check failed.
    """
    if not task_run.exited_zero:
        pytest.skip(f"not checked: task {task_run.case.invocation.task.name!r} failed")
    return _session(request).plugins.check(request.param, task_run)


@pytest.fixture(scope="session")
def remote_run(task_run: TaskRun) -> TaskRun:
    """Return a successful run of a task on another host."""
    if task_run.result is None or not task_run.exited_zero:
        pytest.skip(f"not checked: task {task_run.case.invocation.task.name!r} failed")
    return task_run


@pytest.fixture(scope="session")
def trial(request: pytest.FixtureRequest) -> Trial:
    """Return the runner under test, which takes probe cubes."""
    session = request.config.stash.get(RUNNER_SESSION, None)
    if session is None:
        pytest.skip("no runner is given: use --runner NAME")
    return session.trial
