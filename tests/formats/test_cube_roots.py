"""Patterns of `--cube` take the cubes among what they match."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cube_folders import make_cube

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Return what collects the tests of cubes beside a tree of them."""
    tree = pytester.path / "tree"
    for name in ("one", "deep/two", ".hidden/three"):
        make_cube(tree / name).fake_platform("pass")
    kept = pytester.path / "tree/one/.mlcube-conformance/run/main/probe/cube"
    make_cube(kept).fake_platform("pass")
    (tree / "one/workspace/folder").mkdir()
    (tree / "empty").mkdir()
    (tree / "broken").mkdir()
    (tree / "broken/mlcube.yaml").write_text("tasks: 5\n")
    return lambda *words: pytester.runpytest(
        "-p", "no:cacheprovider", "--collect-only", "-q", "--platform=docker", *words
    )


def _cubes(result: pytest.RunResult) -> set[str]:
    lines = (x for x in result.outlines if "test_definitions_are_valid[" in x)
    return {line.partition("[")[2].removesuffix("]") for line in lines}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("tree/*", {"one", "broken"}),
        ("tree/o*", {"one"}),
        ("tree/one/*", {"one"}),
        ("tree/*/", {"one", "broken"}),
        ("tree/*/mlcube.yaml", {"one", "broken"}),
        ("tree/**", {"one", "two", "broken"}),
        ("tree/**/*", {"one", "two", "broken"}),
        ("tree/**/mlcube.yaml", {"one", "two", "broken"}),
        ("tree/**/two", {"two"}),
        ("tree/.h*/*", {"three"}),
        ("tree/one/.mlcube-conformance/**", {"cube"}),
        ("t*/[od]*/**", {"one", "two"}),
    ],
)
def test_pattern_takes_cubes_alone(pattern: str, found: set[str], run: Run) -> None:
    assert _cubes(run("--cube", pattern)) == found


@pytest.mark.parametrize(
    "pattern", ["tree/empty/*", "tree/one/w*", "tree/e*", "no*where", "tree/a**b"]
)
def test_pattern_without_a_cube_is_refused(pattern: str, run: Run) -> None:
    result = run("--cube", pattern)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: there is no cube at *"])
    assert "has a bug" not in str(result.stderr)


def test_folder_that_is_named_is_told_what_it_lacks(run: Run) -> None:
    assert _cubes(run("--cube", "tree/empty")) == {"empty"}


def test_folder_of_an_odd_name_is_no_pattern(
    run: Run, pytester: pytest.Pytester
) -> None:
    make_cube(pytester.path / "tree/[o]ne").fake_platform("pass")

    assert _cubes(run("--cube", "tree/[o]ne")) == {"[o]ne"}
