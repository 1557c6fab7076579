"""Which suite takes which option: what would do nothing is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.cube_folders import make_cube

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

_CUBES: Final = {"--cube"}
_RUNNERS: Final = {"--runner"}
#: Every option that has an everyday name, with a value that is right or wrong, and what
#: takes it.
_OPTIONS: Final = {
    "--platform=fake": _CUBES,
    "--task=make": _CUBES,
    "--parameter=make.seed=x": _CUBES,
    "--optional=seed": _CUBES,
    "--workspace=place": _CUBES,
    "--keep=all": _CUBES | _RUNNERS,
    "--terminal=tasks": _CUBES,
    "--record=record.json": _CUBES | _RUNNERS,
    "--report=report.html": _CUBES | _RUNNERS,
    "--baseline=none.json": _CUBES | _RUNNERS,
    "--fail-on-regression": _CUBES | _RUNNERS,
    "--fail-on-should": _CUBES,
    "--max-image-size=8g": _CUBES,
    "--keep-runs=3": _CUBES,
    "--max-timeouts=1": _CUBES,
    "--memory-limit=1g": _CUBES,
    "--pids-limit=100": _CUBES,
    "--max-log-size=1mb": _CUBES,
    "--max-output-size=1mb": _CUBES,
    "--max-files=1": _CUBES,
    "--level=L2": _CUBES,
    "--profile=none.yaml": _CUBES,
    "--update-snapshots": _CUBES,
    "--check-only": _CUBES,
    "--live": _CUBES,
    "--build-arg=A=1": _CUBES,
    "--build-context=none": _CUBES,
    "--build-strategy=pull": _CUBES,
    "--env=A=1": _CUBES,
    "--network=none": _CUBES,
    "--gpus=7x": _CUBES,
    "--gpus=": _CUBES,
    "--ca-bundle=none.pem": _CUBES,
    "--configure-timeout=abc": _CUBES,
    "--task-timeout=abc": _CUBES,
    "--base-image=busybox": _RUNNERS,
    "--format=single-file": _RUNNERS,
    "--runner-platform=docker": _RUNNERS,
    "--runner-timeout=abc": _RUNNERS,
    "--expected-failures=none.yaml": _RUNNERS,
    "--scorecard=card.txt": _RUNNERS,
}


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Return what runs pytest in this process, beside a cube."""
    make_cube(pytester.path / "tiny").fake_platform("pass")
    return lambda *words: pytester.runpytest(
        "-p", "no:cacheprovider", "--collect-only", *words
    )


def _refused(result: pytest.RunResult, message: str) -> None:
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{message}*"])


@pytest.mark.parametrize("option", _OPTIONS)
def test_option_that_would_do_nothing_is_refused(option: str, run: Run) -> None:
    name, takers = option.partition("=")[0], _OPTIONS[option]

    alone = run(option)
    with_cube = run("--cube=tiny", option)
    with_runner = run("--runner=local", option)

    if takers == _CUBES:
        _refused(alone, f"{name} needs a cube: give --cube PATH")
        _refused(with_runner, f"{name} needs a cube, and --runner names none")
    elif takers == _RUNNERS:
        _refused(alone, f"{name} needs a runner: give --runner NAME")
        _refused(with_cube, f"{name} needs a runner, and --cube names none")
    else:
        _refused(alone, f"{name} needs a cube or a runner: give --cube PATH or")
        assert "needs" not in str(with_cube.stderr) + str(with_runner.stderr)


@pytest.mark.parametrize(
    "option", ["--gpus=7x", "--configure-timeout=abc", "--task-timeout=0"]
)
def test_values_of_options_for_cubes_are_checked(option: str, run: Run) -> None:
    _refused(run("--cube=tiny", "--platform=fake", option), "is invalid")


def test_every_option_has_its_takers(run: Run) -> None:
    listed = run("--help").stdout.str().partition("MLCube conformance:")[2]
    listed = listed.partition("\n\n")[0]

    found = {
        line.split()[0].partition("=")[0]
        for line in listed.splitlines()
        if line.startswith("  --")
    }
    named = {each.partition("=")[0] for each in _OPTIONS}
    assert found == {*named, "--cube", "--runner"}


def test_values_of_every_option_that_may_be_a_secret_are_hidden(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCUBE_CONFORMANCE_FAKE", "1")
    make_cube(pytester.path / "tiny").fake_platform("pass")

    pytester.runpytest_subprocess(
        *("--cube=tiny", "--platform=fake", "--record=all.json"),
        *("--env", "A=SECRETVALUE1", "--build-arg", "B=SECRETVALUE2"),
    )

    record = (pytester.path / "all.json").read_text()
    assert "A=***" in record
    assert "B=***" in record
    assert "SECRETVALUE" not in record
