"""What people's own tests get: types to import, and texts."""

from __future__ import annotations

import inspect

import pytest

import mlcube_conformance
from tests.cube_folders import make_cube

_TEST = """
from mlcube_conformance import Case, Cube, Image, Platform, TaskRun

def test_types(cube: Cube, platform: Platform, image: Image, case: Case) -> None:
    assert type(cube) is Cube
    assert type(platform) is Platform
    assert type(image) is Image
    assert type(case) is Case

def test_texts(task_run: TaskRun) -> None:
    assert type(task_run) is TaskRun
    if task_run.case.invocation.task.name == "make":
        assert task_run.stdout == "made \\ufffd\\n"
        assert task_run.stderr == "warned\\n"
    else:
        assert task_run.stdout == ""
"""


def test_own_tests_have_types_and_texts(pytester: pytest.Pytester) -> None:
    cube = make_cube(pytester.path / "tiny")
    cube.tasks(make="printf 'made \\377\\n'; echo warned >&2; echo x > \"$data/part\"")
    pytester.makepyfile(test_own=_TEST)

    done = pytester.runpytest_subprocess(
        f"--cube={cube.root}", "--platform=local", "test_own.py"
    )

    done.assert_outcomes(passed=4)


def test_the_public_names_are_types_and_the_version() -> None:
    for each in mlcube_conformance.__all__:
        found = getattr(mlcube_conformance, each)
        assert inspect.isclass(found) or each == "__version__"
    with pytest.raises(AttributeError, match="no attribute 'Runner'"):
        _ = mlcube_conformance.Runner
