"""The pytest plugin: options, parametrization, order, reports.

Imports nothing that is heavy, and does nothing, until `--cube` or `--runner` is.
"""

from __future__ import annotations

from argparse import ArgumentError
from copy import copy
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlcube_conformance import hookspecs
from mlcube_conformance.base.errors import ConformanceError
from mlcube_conformance.base.faults import telling_faults
from mlcube_conformance.suites.fixtures import (
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
    mlcube_check,
    mlcube_subject,
    parametrize,
    placement,
    platform,
    remote_run,
    task_run,
    trial,
    workspace,
)
from mlcube_conformance.suites.options import (
    add_options,
    idle_option,
    option_of,
    shows_tasks,
)
from mlcube_conformance.suites.own_settings import (
    asks_for_us,
    no_cube,
    refuse_settings_of_cubes,
    started_by_command,
)
from mlcube_conformance.suites.starting import is_test

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from mlcube_conformance.option import Option
    from mlcube_conformance.results.record import Record

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
    "mlcube_check",
    "mlcube_subject",
    "placement",
    "platform",
    "remote_run",
    "task_run",
    "trial",
    "workspace",
]

_MARKERS = (
    "clause(id): the requirement that a test of the suite checks",
    "mlcube_task(*names): run the test for these tasks of a cube only",
)
#: Verbosity from which pytest's summary has whole messages.
_ASKED_FOR_MORE = 2


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let other plugins take part."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(
    parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager
) -> None:
    """Declare the options; those with everyday names only where we are asked for."""
    group = parser.getgroup("mlcube", "MLCube conformance")

    def add(name: str, **settings: Any) -> None:  # noqa: ANN401 - argparse's own
        try:
            group.addoption(name, **settings)
        except (ArgumentError, ValueError) as error:
            raise _clash("another plugin", name) from error

    add_options(add, asking=True)
    config: pytest.Config | None = pluginmanager.get_plugin("pytestconfig")
    if config is not None and asks_for_us(config):
        add_options(add, asking=False)
        _refuse_clash(parser, "another plugin")


def _refuse_clash(parser: pytest.Parser, whose: str) -> None:
    """Refuse two options of one name, which pytest before 9 sees only as it parses."""
    try:
        parser.parse_known_and_unknown_args([])
    except ArgumentError as error:
        raise _clash(whose, str(error)) from error


def _clash(whose: str, option: str) -> pytest.UsageError:
    message = (
        f"{whose} already has the option {option}: write mlcube-conformance test "
        "without tests beside that conftest.py, or turn that plugin off by -p "
        "no:NAME"
    )
    return pytest.UsageError(message)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Refuse what a cube would rule here, and options that would do nothing."""
    try:
        refuse_settings_of_cubes(
            early_config, early_config.known_args_namespace.mlcube_cube
        )
    except ConformanceError as error:
        raise pytest.UsageError(str(error)) from error
    try:
        result = yield
    except ArgumentError as error:
        raise _clash("a conftest.py", str(error)) from error
    if asks_for_us(early_config):
        _refuse_clash(parser, "a conftest.py")
    else:
        _refuse_options(early_config, parser, args)
    return result


def _refuse_options(
    config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    """Refuse our options that nothing asks for, and nobody else has."""
    words = parser.parse_known_and_unknown_args(args, copy(config.option))[1]
    found = {option_of(word) for word in words}
    _refuse(lambda option: option.name in found)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the cubes that are asked for, and take part in the session."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    if started_by_command(config) and not _asked_for(config):
        raise pytest.UsageError(str(no_cube(config.invocation_params.dir)))
    asked = [each for each in ("--cube", "--runner") if config.getoption(each)]
    _refuse(lambda option: config.getoption(option.destination, None), asked)
    try:
        with telling_faults():
            suite = _begin(config)
    except ConformanceError as error:
        raise pytest.UsageError(str(error)) from error
    if suite:
        # In a workflow, pytest would show each failure once more in its summary.
        config.option.force_short_summary = config.get_verbosity() < _ASKED_FOR_MORE
        config.args = _tests_asked_for(config) or [str(_suite(suite))]


@pytest.hookimpl(trylast=True, specname="pytest_configure")
def pytest_configure_terminal(config: pytest.Config) -> None:
    """Show tests of cubes by task, once pytest knows its own reporter."""
    session = config.stash.get(SESSION, None)
    if session is None or hasattr(config, "workerinput"):
        return
    if shows_tasks(config) and not config.option.collectonly:
        from mlcube_conformance.suites.task_reporter import show_tasks  # noqa: PLC0415

        show_tasks(config, session)


def _asked_for(config: pytest.Config) -> bool:
    """Say whether there is anything to test, or to show."""
    wanted = (
        *("mlcube_cube", "mlcube_runner", "help", "version"),
        *("markers", "showfixtures", "show_fixtures_per_test"),
    )
    return any(config.getoption(each, None) for each in wanted)


def _tests_asked_for(config: pytest.Config) -> list[str]:
    """Return the paths of tests that the command line names, if any."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return []
    of_command = started_by_command(config)
    return [each for each in config.args if not of_command or is_test(each)]


def _begin(config: pytest.Config) -> str:
    """Register the session that is asked for; return the name of its suite, or ""."""
    if config.getoption("mlcube_cube") and config.getoption("mlcube_runner"):
        raise pytest.UsageError("--cube and --runner ask for two suites: give one")
    if config.getoption("mlcube_cube"):
        from mlcube_conformance.suites.cube.own_time import OwnTime  # noqa: PLC0415
        from mlcube_conformance.suites.cube.session import ConformanceSession  # noqa: PLC0415

        session = config.stash[SESSION] = ConformanceSession(config)
        config.pluginmanager.register(session, "mlcube_session")
        config.pluginmanager.register(OwnTime(session.execution), "mlcube_own_time")
        cubes = [each.cube.place for each in session.selection.cubes]
        _begin_reports(config, session.record, cubes)
        return "cube"
    if config.getoption("mlcube_runner"):
        from mlcube_conformance.suites.runner.session import RunnerSession  # noqa: PLC0415

        runner = config.stash[RUNNER_SESSION] = RunnerSession(config)
        config.pluginmanager.register(runner, "mlcube_runner")
        _begin_reports(config, runner.record)
        return "runner"
    return ""


def _begin_reports(
    config: pytest.Config, record: Record, cubes: Sequence[Path] = ()
) -> None:
    from mlcube_conformance.suites.reports import Reports  # noqa: PLC0415

    config.pluginmanager.register(Reports(config, record, cubes), "mlcube_reports")


def _refuse(given: Callable[[Option], object], asked: Iterable[str] = ()) -> None:
    """Refuse options that would silently do nothing.

    Raises:
        UsageError: One of them would.
    """
    why = idle_option(given, asked)
    if why:
        raise pytest.UsageError(why)


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
        parametrize(metafunc, session)
