"""Every path that a failure names is there when somebody looks."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from tests import warm
from tests.cube_folders import CubeFolder, make_cube
from tests.runner_descriptions import refuser

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., pytest.RunResult]

#: Said at the start, with what is kept.
_POLICY: Final = "(kept: "
_OPTIONS: Final = (
    'task: "{task}", parameter: "{name}={value}", workspace: "{workspace}"'
)
_HAND: Final = (
    "from mlcube_conformance.commands.runner import run_command_line as run; "
    "run('fake', 'x')"
)


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Return what runs pytest."""
    return lambda *words: pytester.runpytest("-p", "no:cacheprovider", "-rA", *words)


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    """Return a cube."""
    return make_cube(pytester.path / "tiny")


def _told(text: str, place: Path) -> list[str]:
    """Return the paths below a folder that a text names."""
    lines = [
        # What a command is given need not be there: it may be an output.
        line.partition(" && ")[0]
        for line in text.splitlines()
        if _POLICY not in line
    ]
    found = re.findall(rf"{re.escape(str(place))}/[^\s,:;'\")\]]+", "\n".join(lines))
    return [each.rstrip(".") for each in found]


def _gone(text: str, place: Path) -> list[str]:
    return [each for each in _told(text, place) if not os.path.lexists(each)]


_BEHAVIOURS: Final = (
    *("fail", "hang", "missing", "empty", "nothing-builds", "not-there"),
)


@pytest.mark.parametrize("keep", ["failed", "none", "all"])
@pytest.mark.parametrize("behaviour", _BEHAVIOURS)
def test_paths_of_a_cube_that_fails_are_there(
    keep: str, behaviour: str, run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform(behaviour)

    result = run("--cube=tiny", "--platform=fake", f"--keep={keep}")

    said = str(result.stdout) + str(result.stderr)
    assert result.ret == 1
    assert _gone(said, pytester.path) == []
    if keep == "none":
        assert ".mlcube-conformance" not in "".join(_told(said, pytester.path))
        assert "by hand" not in said


@pytest.mark.parametrize("keep", ["failed", "none"])
@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["plain", "n2"])
def test_paths_of_platforms_that_differ_are_there(
    keep: str,
    words: tuple[str, ...],
    run: Run,
    cube: CubeFolder,
    pytester: pytest.Pytester,
) -> None:
    cube.fake_platform("other-name")
    (cube.root / "platform/fake.yaml").rename(cube.root / "platform/other.yaml")
    cube.fake_platform("pass")

    result = run(
        *("--cube=tiny", "--platform=fake", "--platform=other"),
        *(f"--keep={keep}", *words),
    )

    assert result.ret == 1
    assert _gone(str(result.stdout) + str(result.stderr), pytester.path) == []


@pytest.mark.parametrize("chosen", ["outputs_appear or platform_file", "outputs"])
def test_logs_of_a_task_that_failed_are_kept_where_its_tests_were_left_out(
    chosen: str, run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("fail")

    result = run("--cube=tiny", "--platform=fake", "-k", chosen)

    said = str(result.stdout) + str(result.stderr)
    assert "make.stdout.log" in said
    assert _gone(said, pytester.path) == []


def test_workspace_of_the_user_is_named_though_nothing_is_kept(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("missing")

    result = run("--cube=tiny", "--platform=fake", "--keep=none", "--workspace=place")

    result.stdout.fnmatch_lines([f"*files: *{pytester.path}/place"])
    assert _gone(str(result.stdout), pytester.path) == []


def test_missing_input_is_told_by_its_place_in_the_run(
    run: Run, cube: CubeFolder
) -> None:
    cube.fake_platform("pass")
    (cube.root / "workspace/seed.txt").unlink()

    result = run("--cube=tiny", "--platform=fake", "--keep=none")

    told = "*nothing at $WORKSPACE/seed.txt (tiny/fake/workspace/seed.txt)"
    result.stdout.fnmatch_lines([told])


@pytest.mark.parametrize("keep", ["failed", "none", "all"])
@pytest.mark.parametrize(
    ("configure", "program"), [("true", "false"), ("false", "true"), ("true", "nosuch")]
)
def test_paths_of_a_runner_that_fails_are_there(
    keep: str, configure: str, program: str, run: Run, pytester: pytest.Pytester
) -> None:
    text = refuser(
        formats="single-file, multi-file",
        configure=configure,
        run=program,
        options=_OPTIONS,
    )
    (pytester.path / "refuser.yaml").write_text(text)

    result = run(
        *("--runner=refuser.yaml", f"--keep={keep}"),
        *("-k", "test_exit_code_of_task or test_failed_build or test_usage_error"),
    )

    said = str(result.stdout)
    assert result.ret == 1
    assert _gone(said, pytester.path) == []
    if keep == "none":
        assert "by hand" not in said
        left = pytester.path.glob(".mlcube-conformance/*/*")
        assert sorted(each.name for each in left) == ["record.json", "record.jsonl"]


@pytest.mark.parametrize("behaviour", ["pass", "fail", "hang"])
@pytest.mark.parametrize("logs", [(), ("--logs=logs",)], ids=["without", "with"])
def test_paths_that_a_runner_of_ours_tells_are_there(
    behaviour: str, logs: tuple[str, ...], tmp_path: Path
) -> None:
    make_cube(tmp_path / "tiny").fake_platform(behaviour)

    done = subprocess.run(
        [
            *(*warm.python("-c"), _HAND, "run", "--mlcube=tiny"),
            *("--platform=fake", "--task=make", *logs),
        ],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode == 0) is (behaviour == "pass")
    assert _gone(done.stderr, tmp_path) == []
    kept = list(tmp_path.glob("mlcube-*"))
    if behaviour == "pass" or logs:
        assert kept == []
    else:
        assert f"mlcube: logs are kept in {kept[0]}" in done.stderr
