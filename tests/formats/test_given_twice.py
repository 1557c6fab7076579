"""What the command line gives twice, in one spelling or in two, is one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from mlcube_conformance.plan.values import variables
from tests.cube_folders import CubeFolder, make_cube

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    """Return a cube, and what points to it and to its platform file by links."""
    cube = make_cube(pytester.path / "tiny")
    cube.fake_platform("pass")
    (pytester.path / "link").symlink_to("tiny")
    (cube.root / "platform/again.yaml").symlink_to("fake.yaml")
    (cube.root / "other.yaml").symlink_to("mlcube.yaml")
    (cube.root / "third.yaml").symlink_to("other.yaml")
    (pytester.path / "a.yaml").symlink_to("tiny/platform/fake.yaml")
    for name in ("one.txt", "two.txt"):
        (pytester.path / name).write_text(name)
    (pytester.path / "same.txt").symlink_to("one.txt")
    return cube


@pytest.fixture
def run(pytester: pytest.Pytester, cube: CubeFolder) -> Run:
    """Return what runs pytest in this process, beside the cube."""
    assert cube.root.is_dir()
    return lambda *words: pytester.runpytest("-p", "no:cacheprovider", *words)


_FAKE: Final = ("--platform", "fake")
_CUBE: Final = ("--cube", "tiny")


@pytest.mark.parametrize(
    "other",
    [
        "fake",
        "tiny/platform/fake.yaml",
        "./tiny/platform/fake.yaml",
        "tiny/platform/../platform/fake.yaml",
        "{here}/tiny/platform/fake.yaml",
        "tiny/platform/again.yaml",
        "again",
        "a.yaml",
        "link/platform/fake.yaml",
    ],
)
def test_platform_that_is_given_twice_runs_once(
    other: str, run: Run, pytester: pytest.Pytester
) -> None:
    other = other.format(here=pytester.path)

    result = run(*_CUBE, *_FAKE, "--platform", other)

    # One comparison would be one test more for each task.
    result.assert_outcomes(passed=17)


@pytest.mark.parametrize(
    "other",
    [
        "tiny",
        "./tiny",
        "tiny/mlcube.yaml",
        "link",
        "tiny/other.yaml",
        "link/third.yaml",
        "link/mlcube.yaml",
        "*",
    ],
)
def test_cube_that_is_given_twice_is_tested_once(other: str, run: Run) -> None:
    result = run(*_CUBE, "--cube", other, *_FAKE)

    result.assert_outcomes(passed=17)


@pytest.mark.parametrize("other", ["make", "tiny/run/make.yaml", "link/run/make.yaml"])
def test_task_that_is_given_twice_is_tested_once(other: str, run: Run) -> None:
    result = run(*_CUBE, *_FAKE, "--task", "make", "--task", other)

    result.assert_outcomes(passed=10)


def test_other_platform_of_the_same_content_is_another(
    run: Run, cube: CubeFolder
) -> None:
    text = (cube.root / "platform/fake.yaml").read_text()
    cube.write("platform/other.yaml", text)

    result = run(*_CUBE, *_FAKE, "--platform", "other")

    result.assert_outcomes(passed=35)


@pytest.mark.parametrize(
    "values",
    [
        ("seed=one.txt", "seed=./one.txt"),
        ("seed=one.txt", "make.seed=one.txt"),
        ("make.seed=same.txt", "make.seed=one.txt"),
    ],
)
def test_value_that_is_given_twice_counts_once(
    values: tuple[str, ...], run: Run
) -> None:
    result = run(*_CUBE, *_FAKE, *(f"--parameter={each}" for each in values))

    result.assert_outcomes(passed=17)


@pytest.mark.parametrize(
    "values",
    [
        ("seed=one.txt", "seed=two.txt"),
        ("make.seed=two.txt", "make.seed=same.txt"),
        ("seed=one.txt", "make.seed=one.txt", "seed=two.txt", "make.seed=two.txt"),
    ],
)
def test_two_values_for_one_parameter_are_refused(
    values: tuple[str, ...], run: Run
) -> None:
    result = run(*_CUBE, *_FAKE, *(f"--parameter={each}" for each in values))

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "*the parameter 'seed' of task 'make' is given several values",
            "*found: *seed=*.txt",
            "*seed=*.txt",
        ]
    )


@pytest.mark.parametrize("turned", [False, True])
def test_value_for_one_task_counts_before_one_for_all(
    turned: bool,  # noqa: FBT001 - a parameter
    run: Run,
    pytester: pytest.Pytester,
) -> None:
    values = ["--parameter=data=all", "--parameter=use.data=one"]
    (pytester.path / "one").mkdir()

    result = run(*_CUBE, *_FAKE, *(values[::-1] if turned else values))

    result.assert_outcomes(passed=17)
    assert (pytester.path / "all/made").is_file()


@pytest.mark.parametrize(
    ("values", "counts"),
    [(("A=1", "A=2"), "2"), (("A=1", "A"), "mine"), (("A", "A=1"), "1")],
)
def test_last_value_of_a_variable_counts(
    values: tuple[str, ...], counts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A", "mine")

    assert variables("--env", values) == {"A": counts}
