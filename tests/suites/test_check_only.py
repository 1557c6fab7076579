"""`--check-only` judges what an earlier run left, and runs nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.cube_folders import CubeFolder, make_cube

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., pytest.RunResult]

CASES = 2
JUDGED = 4
#: INPUT-1, EXIT-1 and INPUT-2 of each case, and IMAGE-1.
SKIPPED = 3 * CASES + 1


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    cube = make_cube(pytester.path / "tiny")
    cube.write("conformance.yaml", "tasks: {make: {outputs: {data: {contains: [p*]}}}}")
    return cube


@pytest.fixture
def left(pytester: pytest.Pytester, cube: CubeFolder) -> Path:
    """Return a workspace as a run of the cube leaves it."""
    workspace = pytester.path / "left"
    for path in ("data/part", "out/result.txt"):
        (workspace / path).parent.mkdir(parents=True)
        (workspace / path).write_text(cube.root.name, encoding="utf-8")
    return workspace


@pytest.fixture(params=[(), ("-n", "2")], ids=["plain", "n2"])
def run(
    request: pytest.FixtureRequest,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    return lambda *arguments: pytester.runpytest(
        *("-p", "no:cacheprovider", "-rs", "--cube", "tiny", "--check-only"),
        *request.param,
        *arguments,
    )


@pytest.mark.parametrize("platform", [(), ("--platform", "docker")], ids=["", "docker"])
def test_sound_files_pass(platform: tuple[str, ...], run: Run, left: Path) -> None:
    times = {each: each.stat().st_mtime_ns for each in left.rglob("*")}

    result = run("--workspace", left, *platform)

    passed = JUDGED * CASES + 2 + bool(platform)  # and a promise, and definitions
    result.assert_outcomes(passed=passed, skipped=SKIPPED)
    reason = "not judged: --check-only runs nothing"
    result.stdout.fnmatch_lines([f"mlcube-conformance: {SKIPPED} skipped: {reason}"])
    result.stdout.no_fnmatch_line("*no --platform given*")
    result.stdout.no_fnmatch_line("*mlcube: running*")
    assert times == {each: each.stat().st_mtime_ns for each in left.rglob("*")}


@pytest.mark.parametrize(
    ("path", "change", "test", "says"),
    [
        ("data/part", "gone", "outputs_appear", "only the empty folder made for it"),
        ("out/result.txt", "gone", "outputs_appear", "nothing at *result.txt"),
        ("out/result.txt", "empty", "outputs_are_not_empty", "left/out/result.txt"),
        ("out/result.txt", "folder", "outputs_are_of_their_type", "a directory: *"),
        ("data/part", "renamed", "outputs_have_promised_files", "renamed"),
        pytest.param(
            *(
                "data/part",
                "given away",
                "outputs_belong_to_the_user",
                "user 1234 owns",
            ),
            marks=pytest.mark.skipif(os.getuid() != 0, reason="only root can give"),
        ),
    ],
)
def test_each_clause_that_files_show_is_judged(
    path: str, change: str, test: str, says: str, run: Run, left: Path
) -> None:
    file = left / path
    if change == "given away":
        os.chown(file, 1234, 1234)
    elif change == "renamed":
        file.rename(file.with_name("renamed"))
    else:
        file.unlink()
        file.touch() if change == "empty" else None
        (file / "x").mkdir(parents=True) if change == "folder" else None

    result = run("--workspace", left)

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            f"*test_{test}[[]tiny-files-*",
            f"*found: *{says}*",
            "*again: *mlcube-conformance test tiny --task * --workspace *--check-only*",
        ]
    )
    result.stdout.no_fnmatch_line("*again: *--platform*")


def test_tasks_are_judged_one_by_one(run: Run, left: Path) -> None:
    (left / "data/part").unlink()

    result = run("--workspace", left, "--task", "use")

    result.assert_outcomes(passed=JUDGED + 1, skipped=4)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "found:    no --workspace"),
        (("--workspace", "none"), "found:    no folder none"),
        (("--workspace", "left", "--cube", "other"), "*needs one cube*"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    words: tuple[str, ...], says: str, run: Run, left: Path
) -> None:
    make_cube(left.with_name("other"))

    result = run(*words)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{says}*"])


def test_own_tests_of_files_run(
    pytester: pytest.Pytester, run: Run, left: Path
) -> None:
    own = pytester.makepyfile(
        test_own="""
        def test_files(workspace, case):
            assert (workspace / "data/part").is_file()
        def test_run(task_run):
            assert task_run.exit_code == 0
        """
    )

    result = run("--workspace", left, own)

    result.assert_outcomes(passed=CASES, skipped=CASES)
