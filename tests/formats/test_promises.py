"""What `conformance.yaml` may say, and what is said of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.formats.cubes import load_cube

if TYPE_CHECKING:
    from tests.cube_folders import CubeFolder


@pytest.mark.parametrize(
    ("text", "promised"),
    [
        ("tasks: {}", set()),
        ("tasks: {make: {}}", set()),
        ("tasks: {make: {deterministic: false}}", set()),
        ("tasks: {make: {deterministic: true}}", {("make", "data")}),
        ("tasks: {use: {deterministic: [result]}}", {("use", "result")}),
        (
            "tasks:\n  make: {deterministic: true}\n  use: {deterministic: true}",
            {("make", "data"), ("use", "result")},
        ),
    ],
)
def test_promises_are_read(
    text: str, promised: set[tuple[str, str]], cube_folder: CubeFolder
) -> None:
    cube_folder.write("conformance.yaml", text)

    loaded = load_cube(cube_folder.root, "tiny")

    assert loaded.problems == ()
    assert loaded.cube.deterministic == promised


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "task: {}",
            (
                "has the unknown key 'task'",
                "line 1, key task",
                "did you mean 'tasks'?",
                "conformance.yaml has no mapping 'tasks'",
            ),
        ),
        ("tasks: []", ("has no mapping 'tasks'", "a list")),
        ("[]", ("file of promises conformance.yaml is not a mapping",)),
        (
            "tasks: {mak: {}}",
            ("unknown task in conformance.yaml", "make, use", "did you mean 'make'?"),
        ),
        (
            "tasks: {make: {determinstic: true}}",
            ("unknown key 'determinstic'", "did you mean 'deterministic'?"),
        ),
        (
            "tasks: {make: {deterministic: [dat]}}",
            (
                "unknown output of task 'make'",
                "line 1, key tasks.make.deterministic",
                "did you mean 'data'?",
            ),
        ),
        ("tasks: {make: {deterministic: yes please}}", ("true, false, or a list",)),
        ("tasks: {make: {deterministic: [1]}}", ("true, false, or a list of data",)),
        ("tasks: {make: 3}", ("the promises of the task 'make' are not a mapping",)),
    ],
)
def test_promise_that_is_wrong_is_told(
    text: str, says: tuple[str, ...], cube_folder: CubeFolder
) -> None:
    cube_folder.write("conformance.yaml", text)

    problems = "\n".join(map(str, load_cube(cube_folder.root, "tiny").problems))

    for part in says:
        assert part in problems
