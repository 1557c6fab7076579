"""What is wrong with a run is reported, whichever tests were selected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cube_folders import BUSYBOX, CubeFolder, make_cube

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import RunSuite

    Run = Callable[..., pytest.RunResult]

FAILED = pytest.ExitCode.TESTS_FAILED
UNMET = "tiny-fake-make does not meet {} (*): this run fails"
OWN_TEST = """\
import pytest

@pytest.mark.mlcube_task("use")
def test_of_mine(task_run):
    assert task_run.exit_code == 0

def test_of_the_cube(cube):
    assert cube
"""


@pytest.fixture(params=[(), ("-n", "2")], ids=["plain", "n2"])
def run(request: pytest.FixtureRequest, pytester: pytest.Pytester) -> Run:
    """Return what runs the suite on the fake platform, without and with workers."""
    return lambda *arguments: pytester.runpytest(
        *("-p", "no:cacheprovider", "--cube", "tiny", "--platform", "fake"),
        *request.param,
        *arguments,
    )


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    return make_cube(pytester.path / "tiny")


@pytest.mark.parametrize(
    ("behaviour", "words", "clause"),
    [
        ("nothing", "exits_zero", "OUTPUT-1"),
        ("empty", "exits_zero or outputs_appear", "OUTPUT-3"),
        ("fail", "definitions or inputs_are_there", "EXIT-1"),
    ],
)
def test_case_that_failed_fails_the_run(
    cube: CubeFolder, run: Run, behaviour: str, words: str, clause: str
) -> None:
    cube.fake_platform(behaviour)

    result = run("--task=make", "-k", words, "--record=found.json")

    assert result.ret == FAILED
    result.stdout.fnmatch_lines(
        [
            f"*clause: *{clause}: *",
            f"*more: *mlcube-conformance explain {clause}",
            f"*{UNMET.format(clause)}",
        ],
    )
    record = json.loads((cube.root.parent / "found.json").read_text())
    found = [each for each in record["findings"] if each["verdict"] == "failed"]
    assert [each["clause"] for each in found] == [clause]
    assert record["ended"]["exit_code"] == FAILED


def test_own_test_whose_producer_failed_fails_the_run(
    cube: CubeFolder, run: Run, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("nothing")
    pytester.makepyfile(test_own=OWN_TEST)

    result = run("test_own.py")

    assert result.ret == FAILED
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(
        ["the output 'data' did not appear", f"*{UNMET.format('OUTPUT-1')}"]
    )


def test_image_that_no_selected_test_asks_for_fails_the_run(
    cube: CubeFolder, run: Run
) -> None:
    cube.fake_platform("nothing-builds")

    result = run("-k", "definitions or inputs_are_there")

    assert result.ret == FAILED
    result.stdout.fnmatch_lines(["*tiny-fake does not meet IMAGE-1 (the image does*"])


def test_failure_that_a_test_reports_is_reported_once(
    cube: CubeFolder, run: Run
) -> None:
    cube.fake_platform("nothing")

    result = run("--task=make")

    assert result.ret == FAILED
    result.stdout.no_fnmatch_line("*does not meet*")


ENDS = {
    "traceback": "printf 'Traceback (most recent call last):\\n  at x\\nOops: no\\n'",
    "error": "echo 'main.py: error: no such model'",
    "level": "echo '2026-01-01 10:00:00,123 - root - ERROR - no such model'",
    "metric": "echo 'error: 0.25'",
    "handled": "printf 'Traceback (most recent call last):\\n  at x\\nOops: no\\n"
    "a\\nb\\nc\\nd\\ndone\\n'",
    "word": "echo '0 errors in 3 files'",
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("strict", [False, True])
def test_error_at_the_end_of_stderr_is_a_warning(
    cube_folder: CubeFolder, run_suite: RunSuite, end: str, *, strict: bool
) -> None:
    cube_folder.tasks(make=f'cat "$seed" > "$data/part"; {ENDS[end]} >&2')
    options = ("--platform", "local", "--task=make")

    run = run_suite(
        "--cube", cube_folder.root, *options, *["--fail-on-should"] * strict
    )

    is_error = end in {"traceback", "error", "level"}
    assert run.verdict("failed") == {}
    assert ("EXIT-16" in run.output) == is_error
    assert ("| stderr: " in run.output) == is_error
    assert run.exit_code == (1 if strict and is_error else 0), run.output


ENTRIES = {
    '["/bin/sh", "task.sh"]': "task.sh",
    '["/bin/sh", "./task.sh"]': "./task.sh",
    '["/bin/sh", "/task.sh"]': "",
}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(
    "platform", ["local", pytest.param("docker", marks=pytest.mark.docker)]
)
def test_relative_entry_point_is_a_warning_on_every_platform(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    entry: str,
    platform: str,
) -> None:
    cube_folder.edit("build/Dockerfile", '["/bin/sh", "/task.sh"]', entry)
    record = tmp_path / "found.json"

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", platform, "--task=make"),
        *("--record", record),
    )

    assert run.exit_code == 0, run.output
    findings = json.loads(record.read_text())["findings"]
    found = [each for each in findings if each["clause"] == "IMAGE-12"]
    assert bool(found) == bool(ENTRIES[entry])
    assert ("has a relative path" in run.output) == bool(found)
    for each in found:
        assert ENTRIES[entry] in each["messages"][0]["expected"]


SCRIPTS = {
    'exec /bin/sh task.sh "$@"': "task.sh",
    'set -e\n    if true; then exec ./task.sh "$@"; fi': "./task.sh",
    'cd / && exec sh task.sh "$@"': "",
    'echo task.sh > /dev/null\n    exec /bin/sh /task.sh "$@" 2> log/err': "",
}


@pytest.mark.singularity
@pytest.mark.parametrize("script", SCRIPTS)
def test_relative_path_of_a_runscript_is_a_warning(
    cube_folder: CubeFolder, run_suite: RunSuite, script: str
) -> None:
    (cube_folder.root / "build/Dockerfile").unlink()
    cube_folder.write(
        "build/Singularity.recipe",
        f"Bootstrap: docker-daemon\nFrom: {BUSYBOX}\n%files\n    task.sh /task.sh\n"
        f"%runscript\n    {script}\n",
    )

    run = run_suite(
        *("--cube", cube_folder.root, "--platform=singularity", "--task=make")
    )

    relative = SCRIPTS[script]
    assert ("IMAGE-12" in run.output) == bool(relative), run.output
    assert f"an absolute path instead of {relative}" in run.output or not relative
