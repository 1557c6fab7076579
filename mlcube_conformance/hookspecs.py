"""Hooks for other plugins: write a function of the same name in yours.

pytest knows a hook by the prefix `pytest_`. A function may leave out arguments that it
does not need. The hooks are called in the process that does the work: under
pytest-xdist, in a worker. What a hook raises is an error of the test that waited for
it, and names the hook; it never counts against the cube.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from mlcube_conformance.base.errors import Message
    from mlcube_conformance.clauses import Clause
    from mlcube_conformance.model import Case, Cube, Image, Platform
    from mlcube_conformance.suites.cube.task_run import TaskRun

__all__ = [
    "pytest_mlcube_after_configure",
    "pytest_mlcube_after_run",
    "pytest_mlcube_before_configure",
    "pytest_mlcube_before_run",
    "pytest_mlcube_checks",
    "pytest_mlcube_clauses",
]


def pytest_mlcube_before_configure(cube: Cube, platform: Platform) -> None:
    """Do something before the image of a cube is made.

    Called once for each cube on each platform, after the platform was found to work
    and before the first build or pull. An error keeps the image from being made, and
    so each test that needs it from being run.

    Args:
        cube: The cube, as its files say.
        platform: Where it is configured, as the platform file says.
    """


def pytest_mlcube_after_configure(
    cube: Cube, platform: Platform, image: Image | None
) -> None:
    """Do something after the image of a cube was made, or could not be.

    Called once for each call of `pytest_mlcube_before_configure` that raised nothing.
    Where the image could not be made, the tests report that: an error in this hook is
    then left out.

    Args:
        cube: The cube.
        platform: Where it was configured.
        image: The image; None where there is none.
    """


def pytest_mlcube_before_run(case: Case, workspace: Path) -> None:
    """Do something before a task is run.

    Called once for each case, when its image and its inputs are ready, and before the
    workspace is looked at: what the hook writes there counts as input, not as output.
    An error keeps the task from being run.

    Args:
        case: What is run: a task with values for its parameters, on a platform.
        workspace: Folder that the paths of inputs and outputs start from.
    """


def pytest_mlcube_after_run(case: Case, run: TaskRun | None) -> None:
    """Do something after a task has ended, or could not be started.

    Called once for each call of `pytest_mlcube_before_run` that raised nothing, before
    any test looks at the run. The run was looked at and judged before: what the hook
    changes on the disk is not seen by the clauses.

    Args:
        case: What was run.
        run: What became of it; None where the platform failed.
    """


def pytest_mlcube_checks() -> Mapping[
    str, Callable[[TaskRun], Iterable[Message | str]]
]:
    """Return checks of runs beside those of the suite.

    Called once, before the first test is made. Each check becomes a test of its own for
    each case, `test_check[CUBE-PLATFORM-TASK-NAME]`. It is called once for each run
    whose task exited with 0, and returns what is wrong: nothing for a test that passes,
    messages or sentences for one that fails. Where its name is the id of a clause, the
    test is one of that clause.

    Returns:
        The checks by name: letters, digits and any of `_ . -`; no name twice.
    """
    raise NotImplementedError


def pytest_mlcube_clauses() -> Iterable[Clause]:
    """Return clauses beside those of the suite.

    Called once, before the first test is made. A test is one of a clause by
    `@pytest.mark.clause("ID")`, a check by its name: a failure then shows the sentence
    of the clause, and the record holds its id.

    Returns:
        The clauses; no id may be that of another one.
    """
    raise NotImplementedError
