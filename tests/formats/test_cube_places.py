"""Patterns of `--cube` take the cubes among what they match."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.plan.selection import select
from tests.cube_folders import make_cube

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Return what collects the tests of cubes beside a tree of them."""
    tree = pytester.path / "tree"
    for name in ("one", "deep/two", ".hidden/three", "deep/python/lib/four"):
        make_cube(tree / name).fake_platform("pass")
    (tree / "deep/python/pyvenv.cfg").write_text("home = /usr/bin\n")
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


_SINGLE = "name: {name}\ndocker: {{image: a/b}}\ntasks: {{{name}: }}\n"


def _write(tree: Path, *files: str) -> None:
    for each in files:
        file = tree / each
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_SINGLE.format(name=file.stem.removeprefix("mlcube_")))


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["a/mlcube_gpu.yaml"], {"a-mlcube_gpu": "gpu"}),
        (
            ["a", "a/mlcube_gpu.yaml", "a/cpu.yml"],
            {"a": "mlcube", "a-mlcube_gpu": "gpu", "a-cpu": "cpu"},
        ),
        (["a/mlcube.yaml", "a/../a"], {"a": "mlcube"}),
        (["a/*"], {"a": "mlcube", "a-mlcube_gpu": "gpu", "a-cpu": "cpu"}),
        (["*/mlcube*.yaml"], {"a": "mlcube", "a-mlcube_gpu": "gpu", "b": "mlcube"}),
        (["p/mlcube/mlcube_x.yaml"], {"x-mlcube_x": "x"}),
        (
            ["p/mlcube/mlcube_x.yaml", "q/mlcube/mlcube_x.yaml"],
            {"p-x-mlcube_x": "x", "q-x-mlcube_x": "x"},
        ),
    ],
)
def test_definition_of_another_name_is_a_cube(
    words: list[str], ids: dict[str, str], tmp_path: Path
) -> None:
    _write(tmp_path, "a/mlcube.yaml", "a/mlcube_gpu.yaml", "a/cpu.yml", "b/mlcube.yaml")
    _write(tmp_path, "p/mlcube/mlcube_x.yaml", "q/mlcube/mlcube_x.yaml")
    (tmp_path / "a/parameters.yaml").write_text("epochs: 1\n")
    (tmp_path / "a/README.md").write_text("A cube\n")

    found = select([str(tmp_path / each) for each in words], ["docker"], [], [])

    assert {each.id: each.cube.name for each in found.cubes} == ids
    assert [each.problems for each in found.cubes] == [()] * len(ids)
    assert {each.id for each in found.cases} == {
        f"{each}-docker-{name}" for each, name in ids.items()
    }


def test_cube_in_a_folder_that_says_nothing_goes_by_its_own_name(
    tmp_path: Path,
) -> None:
    _write(tmp_path, "one/mlcube/mlcube.yaml", "two/mlcube/mlcube.yaml")
    file = tmp_path / "two/mlcube/mlcube.yaml"
    file.write_text(file.read_text().replace("name: mlcube", "name: ../../Odd name/x"))

    found = select([str(tmp_path / "*/mlcube")], [], [], [])

    assert [each.id for each in found.cubes] == ["mlcube", "Odd-name-x"]


def test_folder_without_a_main_file_says_which_file_to_give(tmp_path: Path) -> None:
    _write(tmp_path, "one/mlcube_gpu.yaml")

    (found,) = select([str(tmp_path / "one")], [], [], []).cubes

    assert f"give the file itself: {tmp_path}/one/mlcube_gpu.yaml" in str(
        found.problems[0]
    )
