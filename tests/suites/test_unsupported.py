"""What a cube may ask for and is not given: no fault of the cube, and never silent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests import warm
from tests.cube_folders import make_cube

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.cube_folders import CubeFolder

    Run = Callable[..., pytest.RunResult]


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    """Return a cube beside the tests, on a platform without containers."""
    made = make_cube(pytester.path / "tiny")
    made.fake_platform("pass")
    return made


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Return what tests the cube."""
    return lambda *words: pytester.runpytest(
        *("-p", "no:cacheprovider", "--cube=tiny", "--platform=fake"),
        *("--record=record.json", *words),
    )


def _verdicts(pytester: pytest.Pytester) -> dict[str, str]:
    found: Any = json.loads((pytester.path / "record.json").read_text())
    return {
        f"{each['clause']} {each['subject']['task']}".strip(): each["verdict"]
        for each in found["findings"]
    }


def test_path_outside_of_the_workspace_is_unsupported(
    cube: CubeFolder, run: Run, pytester: pytest.Pytester
) -> None:
    cube.edit("run/use.yaml", "$WORKSPACE/out/result.txt", "~/.cache/huggingface/x")

    result = run()

    verdicts = _verdicts(pytester)
    assert result.ret == pytest.ExitCode.OK
    assert verdicts["FILE-1"] == verdicts["EXIT-1 use"] == "unsupported"
    assert verdicts["EXIT-1 make"] == "passed"
    assert str(result.stdout).count("the value of 'result' leaves the workspace") == 1
    result.stdout.fnmatch_lines(
        [
            "mlcube-conformance: unsupported, by no fault of the cube:",
            "*do:*--parameter use.result=PATH",
        ]
    )


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["plain", "n2"])
def test_task_that_waits_for_an_unsupported_one_is_not_blamed(
    words: tuple[str, ...], cube: CubeFolder, run: Run, pytester: pytest.Pytester
) -> None:
    cube.edit("run/make.yaml", "$WORKSPACE/seed.txt", "../../configs/seed.txt")

    result = run(*words)

    assert set(_verdicts(pytester).values()) <= {"unsupported", "passed"}
    assert _verdicts(pytester)["EXIT-1 use"] == "unsupported"
    assert result.ret == pytest.ExitCode.OK


def test_task_beside_an_unsupported_one_runs_in_a_workspace_of_the_user(
    cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    (pytester.path / "other.txt").write_text("other")
    cube.edit("run/use.yaml", "$WORKSPACE/data", str(pytester.path))

    result = pytester.run(
        *(*warm.python("mlcube_local_run"), "run", "--mlcube=tiny"),
        *("--platform=local", "--task=use", "--workspace=ws"),
    )

    assert result.ret == 2
    result.stderr.fnmatch_lines(["the value of 'data' leaves the workspace"])
    assert not (pytester.path / "ws/other.txt").exists()


def test_run_of_which_nothing_is_supported_fails(
    cube: CubeFolder, run: Run, pytester: pytest.Pytester
) -> None:
    cube.write(
        "platform/fake.yaml",
        (cube.root / "platform/fake.yaml")
        .read_text()
        .replace("image: pass", "image: pass, run_args: --privileged"),
    )

    result = run()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert {x for x in _verdicts(pytester).values() if x != "passed"} == {"unsupported"}
    result.stdout.fnmatch_lines(
        ["*--privileged*", "*every case was skipped: nothing was tested: this run*"]
    )


def test_value_of_the_command_line_is_supported(
    cube: CubeFolder, run: Run, pytester: pytest.Pytester
) -> None:
    cube.edit("run/make.yaml", "$WORKSPACE/seed.txt", "/elsewhere/seed.txt")
    seed = cube.write("../seed.txt", "mine")

    run(f"--parameter=make.seed={seed}")

    assert _verdicts(pytester)["FILE-1"] == "passed"
    assert _verdicts(pytester)["EXIT-1 make"] == "passed"
