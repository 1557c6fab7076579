"""Clauses that a cube is known to break, as its `conformance.yaml` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cube_folders import CubeFolder, make_cube

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

KNOWN = "expected_failures:\n- {{reason: a known bug, {}}}\n"


@pytest.fixture(params=[(), ("-n", "2")], ids=["plain", "n2"])
def run(request: pytest.FixtureRequest, pytester: pytest.Pytester) -> Run:
    return lambda *arguments: pytester.runpytest(
        *("-p", "no:cacheprovider", "--cube", "tiny", "--platform", "fake"),
        *request.param,
        *arguments,
    )


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    cube = make_cube(pytester.path / "tiny")
    cube.fake_platform("empty")
    return cube


@pytest.mark.parametrize(
    ("row", "is_expected"),
    [
        ("clause: OUTPUT-3", True),
        ("clause: OUTPUT-3, platform: fake", True),
        ("clause: OUTPUT-3, task: make", True),
        ("clause: OUTPUT-3, platform: docker", False),
        ("clause: OUTPUT-3, task: use", False),
        ("clause: OUTPUT-1", False),
    ],
)
def test_failure_is_expected_where_it_is_listed(
    row: str, *, is_expected: bool, cube: CubeFolder, run: Run
) -> None:
    cube.write("conformance.yaml", KNOWN.format(row))

    result = run("--task", "make", "-rx")

    outcome = result.parseoutcomes()
    assert outcome.get("xfailed", 0) == is_expected
    assert (result.ret == pytest.ExitCode.OK) == is_expected
    if is_expected:
        result.stdout.fnmatch_lines(["XFAIL *test_outputs_are_not_empty* a known bug"])


def test_expected_failure_counts_whichever_tests_are_selected(
    cube: CubeFolder, run: Run
) -> None:
    cube.write("conformance.yaml", KNOWN.format("clause: OUTPUT-3"))

    result = run("--task", "make", "-k", "exits_zero")

    assert result.ret == pytest.ExitCode.OK


def test_clause_that_is_met_after_all_fails_the_run(cube: CubeFolder, run: Run) -> None:
    cube.fake_platform("pass")
    cube.write("conformance.yaml", KNOWN.format("clause: OUTPUT-3, task: make"))

    result = run("--task", "make")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "OUTPUT-3 is met, though its failure is expected",
            "*where: *conformance.yaml, line 2, key expected_failures[[]0]",
            "*found: *no failure; expected was: a known bug",
            "*do: *remove it from expected_failures*",
        ]
    )


def test_a_failure_of_one_task_that_another_lacks_is_to_be_limited(
    cube: CubeFolder, run: Run
) -> None:
    cube.fake_platform("pass")
    both = "clause: OUTPUT-3, task: make, platform: fake"
    for known, told in (("clause: OUTPUT-3", True), (both, False)):
        cube.write("conformance.yaml", KNOWN.format(known))

        said = run("--task", "make").stdout.str()

        assert "OUTPUT-3 is met, though its failure is expected" in said
        assert ("or name the task and platform" in said) is told


def test_clause_without_a_test_that_is_met_after_all_fails_the_run(
    cube: CubeFolder, run: Run
) -> None:
    cube.fake_platform("pass")
    cube.write("conformance.yaml", KNOWN.format("clause: EXIT-16, task: make"))

    result = run("--task", "make")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["EXIT-16 is met, though its failure is expected"])


def test_unknown_clause_is_refused(cube: CubeFolder, run: Run) -> None:
    cube.write("conformance.yaml", KNOWN.format("clause: MINE-1"))

    result = run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unknown clause 'MINE-1'"])
