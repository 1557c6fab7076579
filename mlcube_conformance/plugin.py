"""The pytest plugin: options, parametrization, order, reports.

Imports nothing that is heavy, and does nothing, until `--cube` or `--runner` is.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.errors import ConformanceError
from mlcube_conformance.fixtures import (
    RUNNER_SESSION,
    SESSION,
    attempt,
    case,
    checked_platform,
    compared_runs,
    comparison,
    configured,
    cube,
    image,
    loaded_cube,
    mlcube_subject,
    placement,
    platform,
    remote_run,
    subjects,
    task_run,
    trial,
    workspace,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "attempt",
    "case",
    "checked_platform",
    "compared_runs",
    "comparison",
    "configured",
    "cube",
    "image",
    "loaded_cube",
    "mlcube_subject",
    "placement",
    "platform",
    "remote_run",
    "task_run",
    "trial",
    "workspace",
]

_BASE_IMAGE = "busybox:stable"
_FOR_CUBES = (
    *("platform", "task", "parameter", "optional", "workspace", "live"),
    *("build_arg", "build_strategy", "env"),
)
_FOR_RUNNERS = (
    *("format", "runner_platform", "runner_timeout", "expected_failures"),
    "scorecard",
)
_MARKERS = (
    "clause(id): the requirement that a test of the suite checks",
    "mlcube_task(*names): run the test for these tasks of a cube only",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("mlcube", "MLCube conformance")
    add = group.addoption
    add(
        "--cube",
        action="append",
        default=[],
        metavar="PATH",
        dest="mlcube_cube",
        help="cube to test: a folder, its mlcube.yaml, or a pattern (repeatable); "
        "without test files, the packaged suite runs",
    )
    _add_runner_options(add)
    add(
        "--platform",
        action="append",
        default=[],
        metavar="NAME",
        dest="mlcube_platform",
        help="platform to test on: a name such as docker, or a platform file "
        "(repeatable; default: the first of docker, singularity, local that works)",
    )
    add(
        "--task",
        action="append",
        default=[],
        metavar="NAME",
        dest="mlcube_task",
        help="task or run file to test (repeatable; default: all); what makes its "
        "inputs runs first",
    )
    add(
        "--parameter",
        action="append",
        default=[],
        metavar="TASK.NAME=PATH",
        dest="mlcube_parameter",
        help="value for a parameter, instead of the run file's (repeatable)",
    )
    add(
        "--optional",
        action="append",
        default=[],
        metavar="TASK.NAME",
        dest="mlcube_optional",
        help="input that a task does without where it is not there (repeatable)",
    )
    add(
        "--workspace",
        metavar="DIR",
        dest="mlcube_workspace",
        help="run in this folder and keep everything (default: a fresh folder)",
    )
    add(
        "--keep",
        choices=("all", "failed", "none"),
        default="failed",
        dest="mlcube_keep",
        help="which folders with logs and workspaces to keep (default: failed)",
    )
    add(
        "--live",
        action="store_true",
        dest="mlcube_live",
        help="show the output of builds and tasks as it comes",
    )
    add(
        "--build-arg",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="mlcube_build_arg",
        help="build argument of the image (repeatable)",
    )
    add(
        "--build-strategy",
        choices=("auto", "pull", "always"),
        dest="mlcube_build_strategy",
        help="build images where there is a recipe, pull them, or build them anew "
        "(default: as the cube says)",
    )
    add(
        "--env",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        dest="mlcube_env",
        help="variable for tasks, and for ${oc.env:NAME} in a cube; without a value, "
        "that of this process (repeatable)",
    )
    add(
        "--network",
        choices=("none", "host"),
        dest="mlcube_network",
        help="network of builds and tasks (default: the platform's own; with none, "
        "builds still have one)",
    )
    add(
        "--gpus",
        metavar="N",
        dest="mlcube_gpus",
        help="GPUs for tasks: all, a number, or device=0,1 (default: none)",
    )
    add(
        "--ca-bundle",
        metavar="FILE",
        dest="mlcube_ca_bundle",
        help="certificates to trust in builds and tasks, as a PEM file",
    )
    add(
        "--configure-timeout",
        metavar="SECONDS",
        dest="mlcube_configure_timeout",
        help="time for making an image (default: 3600)",
    )
    add(
        "--task-timeout",
        metavar="SECONDS",
        dest="mlcube_task_timeout",
        help="time for a task, after which it is killed (default: 3600)",
    )


def _add_runner_options(add: Callable[..., None]) -> None:
    add(
        "--runner",
        metavar="NAME",
        dest="mlcube_runner",
        help="runner to hold to the clauses: docker, singularity, local, ssh, mlcube, "
        "or the path of a description; without test files, the packaged suite runs",
    )
    add(
        "--base-image",
        metavar="IMAGE",
        default=os.environ.get("MLCUBE_CONFORMANCE_BASE_BUSYBOX", _BASE_IMAGE),
        dest="mlcube_base_image",
        help="small image with a shell that probe cubes are built from (default: "
        f"${{MLCUBE_CONFORMANCE_BASE_BUSYBOX}}, else {_BASE_IMAGE})",
    )
    add(
        "--format",
        choices=("multi-file", "single-file"),
        dest="mlcube_format",
        help="format of probe cubes (default: the first that the runner reads)",
    )
    add(
        "--runner-platform",
        metavar="FILE",
        dest="mlcube_runner_platform",
        help="platform file to give to the runner, in place of its description's",
    )
    add(
        "--runner-timeout",
        metavar="SECONDS",
        dest="mlcube_runner_timeout",
        help="time for each call of the runner (default: 60)",
    )
    add(
        "--expected-failures",
        metavar="FILE",
        dest="mlcube_expected_failures",
        help="clauses that the runner is known to break; one that holds fails the run",
    )
    add(
        "--scorecard",
        action="append",
        default=[],
        metavar="FILE",
        dest="mlcube_scorecard",
        help="write what was found of the runner into this file, .json or .md "
        "(repeatable)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the cubes that are asked for, and take part in the session."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    if not config.getoption("mlcube_cube"):
        _refuse(config, _FOR_CUBES, "a cube: give --cube PATH")
    if not config.getoption("mlcube_runner"):
        _refuse(config, _FOR_RUNNERS, "a runner: give --runner NAME")
    try:
        suite = _begin(config)
    except ConformanceError as error:
        raise pytest.UsageError(str(error)) from error
    if suite and config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = [str(_suite(suite))]


def _begin(config: pytest.Config) -> str:
    """Register the session that is asked for; return the name of its suite, or ""."""
    if config.getoption("mlcube_cube") and config.getoption("mlcube_runner"):
        raise pytest.UsageError("--cube and --runner ask for two suites: give one")
    if config.getoption("mlcube_cube"):
        from mlcube_conformance.session import ConformanceSession  # noqa: PLC0415

        config.stash[SESSION] = ConformanceSession(config)
        config.pluginmanager.register(config.stash[SESSION], "mlcube_session")
        return "cube"
    if config.getoption("mlcube_runner"):
        from mlcube_conformance.runner_session import RunnerSession  # noqa: PLC0415

        config.stash[RUNNER_SESSION] = RunnerSession(config)
        config.pluginmanager.register(config.stash[RUNNER_SESSION], "mlcube_runner")
        return "runner"
    return ""


def _refuse(config: pytest.Config, names: Iterable[str], needed: str) -> None:
    """Refuse options that would silently do nothing."""
    for name in names:
        if config.getoption(f"mlcube_{name}"):
            option = f"--{name.replace('_', '-')}"
            message = f"{option} needs {needed}"
            raise pytest.UsageError(message)


def _suite(name: str) -> Path:
    """Return the folder of a packaged suite."""
    spec = find_spec(f"conformance_tests.{name}")
    if spec is None or spec.origin is None:
        raise pytest.UsageError("the package conformance_tests is not installed")
    return Path(spec.origin).parent


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test its cube, its platform and its task."""
    session = metafunc.config.stash.get(SESSION, None)
    if session is not None and "mlcube_subject" in metafunc.fixturenames:
        metafunc.parametrize(
            "mlcube_subject",
            subjects(metafunc, session),
            indirect=True,
            scope="session",
        )
