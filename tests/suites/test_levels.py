"""Levels, profiles and marks, on the fake platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cube_folders import CubeFolder

    Run = Callable[..., pytest.RunResult]

USAGE, FAILED = pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.TESTS_FAILED
LEVEL = "mlcube-conformance: tiny-fake: {}"


@pytest.mark.parametrize(
    ("behaviour", "words", "says"),
    [
        ("pass", (), "L2, every task runs*; for L3: --level L3"),
        (
            "pass",
            ("--level", "L0"),
            "L0, its definitions are valid; for L1: --level L1",
        ),
        ("nothing-builds", (), "L0, *; for L1: IMAGE-1 of tiny-fake (failed)"),
        ("fail", (), "L1, *; for L2: EXIT-1 of tiny-fake-make (failed)"),
        ("empty", (), "L1, *; for L2: OUTPUT-3 of tiny-fake-make (failed)"),
        ("pass", ("-k", "definitions"), "L0, *; for L1: IMAGE-1 of * was not tested"),
        (
            "pass",
            ("-k", "exits_zero"),
            "no level; for L0: FILE-1 of tiny was not tested",
        ),
    ],
)
def test_level_and_what_is_missing(
    behaviour: str,
    words: tuple[str, ...],
    says: str,
    fake_cube: CubeFolder,
    run_fake: Run,
) -> None:
    fake_cube.fake_platform(behaviour)

    result = run_fake(*words)

    result.stdout.fnmatch_lines([LEVEL.format(says)])


@pytest.mark.parametrize(
    ("expression", "tests"),
    [
        ("L0", 2),
        ("L1", 1),
        ("clause_EXIT_1", 2),
        ("must and L0", 2),
        ("should", 0),
        ("clause_OUTPUT_1 or clause_OUTPUT_3", 4),
    ],
)
@pytest.mark.usefixtures("fake_cube")
def test_marks_select_tests(expression: str, tests: int, run_fake: Run) -> None:
    result = run_fake("-m", expression, "--strict-markers", "--collect-only", "-q")

    chosen = [each for each in result.outlines if "::test_" in each]
    assert len(chosen) == tests


def test_profile_says_which_clauses_count(fake_cube: CubeFolder, run_fake: Run) -> None:
    fake_cube.fake_platform("empty")
    file = fake_cube.root.parent / "own.yaml"
    file.write_text("clauses: {OUTPUT-3: SHOULD, OWNER-*: 'off'}\n", encoding="utf-8")

    result = run_fake("--profile", "own.yaml", "--task", "make")

    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=8, xfailed=1)
    result.stdout.fnmatch_lines(
        ["*WARNINGS: clauses that a cube SHOULD meet*", "the output 'data' is empty"]
    )
    strict = run_fake("--profile", "strict", "--task", "make")
    assert strict.ret == FAILED


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("clauses: {OUTPT-3: MUST}", "did you mean 'OUTPUT-3'?"),
        ("clauses: {OUTPUT-3: MUSTN}", "did you mean 'MUST'?"),
        ("clause: {}", "did you mean 'clauses'?"),
        ("[]", "clauses: a mapping of ids"),
    ],
)
def test_invalid_profile_is_refused(
    text: str, says: str, fake_cube: CubeFolder, run_fake: Run
) -> None:
    (fake_cube.root.parent / "own.yaml").write_text(text, encoding="utf-8")

    result = run_fake("--profile", "own.yaml")

    assert result.ret == USAGE
    result.stderr.fnmatch_lines([f"*{says}*"])


@pytest.mark.usefixtures("fake_cube")
def test_unknown_profile_is_refused(run_fake: Run) -> None:
    result = run_fake("--profile", "strct")

    assert result.ret == USAGE
    result.stderr.fnmatch_lines(["*unknown profile 'strct'", "*did you mean 'strict'?"])
