"""A test that runs again looks at a new run of what it is about, in both suites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from mlcube_conformance.results.judgements import Scorecard
from tests.cube_folders import CubeFolder, make_cube

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

#: Does what pytest-rerunfailures does, three times at most.
_RERUNS: Final = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for attempt in range(3):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        again = False
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            if report.failed and attempt < 2:
                report.outcome = "rerun"
                again = True
            item.ihook.pytest_runtest_logreport(report=report)
        if not again:
            return True
        for found in item._fixtureinfo.name2fixturedefs.values():
            for fixture in found:
                if fixture.cached_result is not None and fixture.cached_result[2]:
                    fixture.cached_result = None
                    fixture._finalizers.clear()
        item.session._setupstate.stack.pop(item, None)
    return True

def pytest_report_teststatus(report):
    if report.outcome == "rerun":
        return "rerun", "R", ("RERUN", {"yellow": True})
"""
_RUNNER: Final = """\
name: flaky
version: [echo, "0.1"]
formats: [multi-file]
configure: [sh, -c, CONFIGURE, "{cube}", "{platform}"]
run: [sh, -c, RUN, "{cube}", "{platform}"]
options: {task: "{task}"}
platform: docker
"""
_FAILS_ONCE: Final = "test -e {mark} || {{ : > {mark}; exit 1; }}; "


@pytest.fixture(params=[(), ("-n", "2")], ids=["plain", "n2"])
def run(request: pytest.FixtureRequest, pytester: pytest.Pytester) -> Run:
    """Return what runs pytest with reruns, without and with workers."""
    pytester.makeconftest(_RERUNS)
    # Workers need a process of their own, since they import its plugins anew.
    start = pytester.runpytest_subprocess if request.param else pytester.runpytest
    return lambda *words: start(*request.param, "-p", "no:cacheprovider", "-rs", *words)


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    """Return a cube."""
    return make_cube(pytester.path / "tiny")


_FAKE: Final = ("--cube=tiny", "--platform=fake")


def _starts(result: pytest.RunResult, case: str) -> int:
    return (str(result.stdout) + str(result.stderr)).count(f"running {case};")


@pytest.mark.parametrize(
    "behaviour", ["once-fail", "once-hang", "once-missing", "once-empty"]
)
def test_task_that_fails_once_passes(
    behaviour: str, run: Run, cube: CubeFolder
) -> None:
    cube.fake_platform(behaviour)

    result = run(*_FAKE, "--task=make")

    assert result.ret == 0
    found = result.parseoutcomes()
    assert (found["passed"], found["rerun"]) == (10, 1)
    assert _starts(result, "tiny-fake-make") == 2


def test_task_that_always_fails_runs_as_often_as_is_asked(
    run: Run, cube: CubeFolder
) -> None:
    cube.fake_platform("fail")

    result = run(*_FAKE, "--task=make")

    assert result.ret == 1
    found = result.parseoutcomes()
    assert (found["failed"], found["rerun"]) == (1, 2)
    assert _starts(result, "tiny-fake-make") == 3
    result.stdout.fnmatch_lines(["*task 'make' failed"])


@pytest.mark.parametrize("behaviour", ["once-nothing-builds", "once-not-there"])
def test_image_that_fails_once_is_made_again(
    behaviour: str, run: Run, cube: CubeFolder
) -> None:
    cube.fake_platform(behaviour)

    result = run(*_FAKE)

    assert result.ret == 0
    found = result.parseoutcomes()
    assert (found["passed"], found["rerun"]) == (17, 1)


def test_fault_of_the_machine_stays_an_error(run: Run, cube: CubeFolder) -> None:
    cube.fake_platform("not-there")

    result = run(*_FAKE)

    assert result.ret == 1
    found = result.parseoutcomes()
    assert (found["errors"], found["rerun"]) == (1, 2)


def test_what_other_tests_saw_takes_place_in_a_fresh_workspace(
    run: Run, cube: CubeFolder
) -> None:
    cube.fake_platform("once-other-name")
    (cube.root / "platform/fake.yaml").rename(cube.root / "platform/other.yaml")
    cube.fake_platform("pass")

    result = run(*_FAKE, "--platform=other", "--task=make")

    # Of the first run, a file of another name would be there still.
    assert result.ret == 0, str(result.stdout)
    assert result.parseoutcomes()["rerun"] == 1
    assert _starts(result, "tiny-other-make") == 2


def test_own_test_looks_at_a_new_run(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("pass")
    pytester.makepyfile(
        test_own="""
        import pytest

        seen, kept = [], []

        @pytest.fixture(scope="session")
        def own(task_run):
            return task_run

        def test_it(own, task_run, workspace):
            assert own is task_run
            assert not (workspace / "junk").exists()
            (workspace / "junk").touch()
            seen.append(task_run)
            assert len({id(each) for each in seen}) == 2
        """
    )

    result = run(*_FAKE, "--task=make", "test_own.py")

    found = result.parseoutcomes()
    assert (result.ret, found["passed"], found["rerun"]) == (0, 1, 1)


def test_test_that_failed_does_not_pass_for_skipped(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("pass")
    pytester.makepyfile(
        test_own="""
        import pytest
        seen = []

        def test_it(task_run):
            seen.append(task_run)
            if len(seen) > 1:
                pytest.skip("not today")
            raise AssertionError
        """
    )

    result = run(*_FAKE, "--task=make", "test_own.py")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*it failed, and was skipped when it ran again: *"])


def test_workspace_of_the_user_stays(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("once-fail")
    (pytester.path / "place").mkdir()
    (pytester.path / "place/mine.txt").write_text("mine")

    result = run(*_FAKE, "--task=make", "--workspace=place")

    assert result.ret == 0
    assert (pytester.path / "place/mine.txt").read_text() == "mine"


def _write_runner(pytester: pytest.Pytester, *, run: str, configure: str = "") -> None:
    text = _RUNNER
    for name, script in (("RUN", run), ("CONFIGURE", configure or "exit 0")):
        filled = script.format(mark=f"'{pytester.path}/{name}'")
        text = text.replace(name, f'"{filled}"', 1)
    (pytester.path / "flaky.yaml").write_text(text)


def _verdicts(pytester: pytest.Pytester) -> dict[str, str]:
    card = Scorecard.from_json((pytester.path / "card.json").read_text())
    return {each.clause: each.verdict for each in card.judgements}


_TASK: Final = "echo probe ran x; {fails}. $0/workspace/plan-look/plan.txt"


def test_runner_that_fails_once_passes(run: Run, pytester: pytest.Pytester) -> None:
    _write_runner(pytester, run=_TASK.replace("{fails}", _FAILS_ONCE))

    result = run("--runner=flaky.yaml", "-k=exit_code_of", "--scorecard=card.json")

    found = result.parseoutcomes()
    assert (result.ret, found["passed"], found["rerun"]) == (0, 1, 1)
    assert _verdicts(pytester)["EXIT-2"] == "passed"


def test_run_that_several_tests_share_takes_place_again(
    run: Run, pytester: pytest.Pytester
) -> None:
    _write_runner(pytester, run="exit 1")

    # With another test behind it, what they share is not torn down in between.
    chosen = "-k=test_argv or exit_code_of"
    result = run("--runner=flaky.yaml", chosen, "--scorecard=card.json")

    found = result.parseoutcomes()
    assert (result.ret, found["failed"], found["rerun"]) == (1, 2, 4)
    assert _verdicts(pytester)["ARG-1"] == "failed"
    placed = pytester.path.glob(".mlcube-conformance/*/*/look*/call-1")
    assert len(list(placed)) == 3


def test_image_of_the_probe_is_made_again(run: Run, pytester: pytest.Pytester) -> None:
    _write_runner(
        pytester, run=_TASK.replace("{fails}", ""), configure=_FAILS_ONCE + "exit 0"
    )

    result = run("--runner=flaky.yaml", "-k=exit_code_of", "--scorecard=card.json")

    found = result.parseoutcomes()
    assert (result.ret, found["passed"], found["rerun"]) == (0, 1, 1)
    assert _verdicts(pytester)["EXIT-2"] == "passed"
