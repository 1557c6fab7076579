"""Other plugins take part by hooks, and what fails in one is their own error."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Protocol

import pytest

from mlcube_conformance import hookspecs
from tests.command import call
from tests.cube_folders import CubeFolder, make_cube

CALLS = """
    import pathlib

    def note(*words):
        with pathlib.Path("calls.txt").open("a") as file:
            print(*words, file=file)

    def pytest_mlcube_before_configure(cube, platform):
        note("before configure", cube.id, platform.id)

    def pytest_mlcube_after_configure(cube, image):
        note("after configure", cube.id, image and image.name)

    def pytest_mlcube_before_run(case, workspace):
        note("before run", case.id, workspace.is_dir())

    def pytest_mlcube_after_run(case, run):
        note("after run", case.id, run and run.exit_code, bool(run and run.succeeded))
"""
CHECKS = """
    from mlcube_conformance.clauses import Clause

    def pytest_mlcube_clauses():
        return [
            Clause(
                id="SIZE-1",
                who="cube",
                sentence="outputs are small",
                evidence="our disk is",
            )
        ]

    def small(run):
        for each in run.outputs:
            size = sum(entry.size for _, entry in each.after.files())
            if size > LIMIT:
                yield f"{each.binding.parameter.name} has {size} bytes"

    def pytest_mlcube_checks():
        return {"SIZE-1": small, "quick": lambda run: ()}
"""
TAKEN = """
    from mlcube_conformance.clauses import Clause
    return [Clause(id='EXIT-1', sentence='another', evidence='')]
"""


class Run(Protocol):
    """Runs the suite on the platform `fake`."""

    def __call__(self, *arguments: str) -> pytest.RunResult:
        """Run with these further arguments."""


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    """Return a sound cube whose platform `fake` passes."""
    folder = make_cube(pytester.path / "tiny")
    folder.fake_platform("pass")
    return folder


@pytest.fixture(params=[(), ("-n", "2")], ids=["plain", "n2"])
def run(
    request: pytest.FixtureRequest, pytester: pytest.Pytester, cube: CubeFolder
) -> Run:
    """Return what runs the suite, without and with workers."""
    # Workers need a process of their own, since they import its plugins anew.
    start = pytester.runpytest_subprocess if request.param else pytester.runpytest
    return lambda *arguments: start(
        *request.param,
        *("-p", "no:cacheprovider", "-p", "theirs", "-rs"),
        *("--cube", str(cube.root), "--platform", "fake", *arguments),
    )


@pytest.fixture
def run_plain(pytester: pytest.Pytester, cube: CubeFolder) -> Run:
    """Return what runs the suite in this process."""
    return lambda *arguments: pytester.runpytest(
        *("-p", "no:cacheprovider", "-p", "theirs", "-rs"),
        *("--cube", str(cube.root), "--platform", "fake", *arguments),
    )


@pytest.fixture(autouse=True)
def _importable(pytester: pytest.Pytester) -> None:
    pytester.syspathinsert()


def _calls(folder: Path) -> list[str]:
    return (folder / "calls.txt").read_text(encoding="utf-8").splitlines()


def test_each_hook_is_called_once_for_each_image_and_run(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(theirs=CALLS)

    run().assert_outcomes(passed=17)

    assert _calls(pytester.path) == [
        "before configure tiny fake",
        "after configure tiny pass",
        "before run tiny-fake-make True",
        "after run tiny-fake-make 0 True",
        "before run tiny-fake-use True",
        "after run tiny-fake-use 0 True",
    ]


@pytest.mark.parametrize(
    ("behaviour", "last"),
    [
        ("nothing-builds", "after configure tiny None"),
        ("not-there", "after configure tiny None"),
        ("fail", "after run tiny-fake-make 3 False"),
    ],
)
def test_what_came_before_a_fault_is_followed_by_what_comes_after(
    behaviour: str,
    last: str,
    run: Run,
    cube: CubeFolder,
    pytester: pytest.Pytester,
) -> None:
    cube.fake_platform(behaviour)
    pytester.makepyfile(theirs=CALLS)

    assert run().ret == pytest.ExitCode.TESTS_FAILED

    assert _calls(pytester.path)[-1] == last


@pytest.mark.parametrize(
    "hook", ["before_configure", "after_configure", "before_run", "after_run"]
)
@pytest.mark.parametrize(
    "fails", ["assert 1 == 2", "raise KeyError(7)", "import pytest; pytest.skip('no')"]
)
def test_what_fails_in_a_hook_is_an_error_and_never_a_failure(
    hook: str, fails: str, run_plain: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(theirs=f"def pytest_mlcube_{hook}():\n    {fails}\n")

    result = run_plain()

    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) == 0
    assert outcomes["errors"] == 1
    result.stdout.fnmatch_lines(
        [
            f"the hook pytest_mlcube_{hook} failed",
            f"*where:*theirs.py:*, in pytest_mlcube_{hook}",
            "*do:*fix the plugin or conftest.py*",
        ]
    )


@pytest.mark.parametrize(
    ("limit", "outcome"), [(100, {"passed": 21}), (0, {"passed": 19, "failed": 2})]
)
def test_a_check_is_a_test_of_each_case(
    limit: int, outcome: dict[str, int], run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(theirs=CHECKS.replace("LIMIT", str(limit)))

    result = run("-v", "--record", "record.json")

    result.assert_outcomes(**outcome)
    for name in ("make-SIZE-1", "make-quick", "use-SIZE-1", "use-quick"):
        assert f"test_check[tiny-fake-{name}]" in result.stdout.str()
    record = json.loads((pytester.path / "record.json").read_text(encoding="utf-8"))
    assert [each["clause"] for each in record["findings"]].count("SIZE-1") == 2
    if "failed" in outcome:
        result.stdout.fnmatch_lines(
            [
                "data has 5 bytes",
                "*where:*case tiny-fake-make, check SIZE-1",
                "*clause:*SIZE-1: outputs are small",
                "*again:*mlcube-conformance test tiny --platform fake --task make*",
            ]
        )


def test_a_run_that_failed_is_not_checked(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("fail")
    pytester.makepyfile(theirs=CHECKS.replace("LIMIT", "0"))

    result = run("-k", "test_check")

    assert "failed" not in result.parseoutcomes()
    result.stdout.fnmatch_lines(["*not checked: task 'make' failed"])


@pytest.mark.parametrize("check", ["lambda run: 1 / 0", "lambda run: 'no list'"])
def test_what_fails_in_a_check_is_an_error(
    check: str, run: Run, pytester: pytest.Pytester
) -> None:
    text = f"def pytest_mlcube_checks():\n    return {{'broken': {check}}}\n"
    pytester.makepyfile(theirs=text)

    result = run()

    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["errors"]) == (17, 2)
    assert "failed" not in outcomes
    result.stdout.fnmatch_lines(
        ["the hook pytest_mlcube_checks failed", "*found:*check broken: *Error: *"]
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("checks(): return 1 / 0", "ZeroDivisionError: division by zero"),
        ("checks(): return {'a b': len}", "'a b' is not a name of letters"),
        ("clauses(): return ['X-1']", "'X-1' is not a Clause"),
        (f"clauses(): {TAKEN}", "another clause has the id 'EXIT-1'"),
    ],
)
def test_what_cannot_be_added_is_one_error(
    text: str, says: str, run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(theirs=f"def pytest_mlcube_{text}\n")

    result = run()

    name = text.partition("(")[0]
    assert result.ret != 0
    outcomes = result.parseoutcomes()
    assert outcomes.get("errors", 0) + outcomes.get("error", 0) == 1
    assert "failed" not in outcomes
    result.stdout.fnmatch_lines(
        [f"*the hook pytest_mlcube_{name} failed", f"*found:*{says}*"]
    )


def test_own_test_may_be_one_of_a_clause_that_is_not_known(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(theirs="")
    pytester.makepyfile(
        test_own="""
        import pytest
        from mlcube_conformance.base.errors import Message, Violation

        @pytest.mark.clause("OWN-1")
        def test_own(task_run):
            raise Violation(Message(what="it is wrong"))
        """
    )

    result = run("test_own.py")

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["it is wrong", "  clause:   OWN-1"])
    result.stdout.no_fnmatch_line("*more:*")


@pytest.mark.parametrize("name", hookspecs.__all__)
def test_each_hook_says_when_it_is_called(name: str) -> None:
    contract = getattr(hookspecs, name).__doc__

    assert "Called once" in contract
    assert "Args:" in contract or "Returns:" in contract


def test_the_example_of_the_docs_works_as_it_is_written(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs/hooks.md"
    blocks = dict(
        re.findall(r"```(\w+)\n(.*?)```", page.read_text("utf-8"), re.DOTALL)[:2]
    )
    (tmp_path / "size_limit.py").write_text(blocks["python"], encoding="utf-8")
    make_cube(tmp_path / "cube").fake_platform("pass")
    variable, program, *words = blocks["shell"].replace("CUBE", "cube").split()
    assert program == "mlcube-conformance"

    # As the installed program: the current folder is not on the path of Python.
    more = dict([variable.split("=")]) | {"PYTHONSAFEPATH": "1"}
    done = call(*words, "--platform=fake", "-v", place=tmp_path, more=more)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SIZE-1" in done.stdout
