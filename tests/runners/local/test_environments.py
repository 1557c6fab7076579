"""What tells one environment from another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.runners.local.environments import environment_key

if TYPE_CHECKING:
    from tests.cube_folders import CubeFolder


def _key(cube: CubeFolder) -> str:
    return environment_key(load_cube(cube.root, "tiny").cube)


@pytest.mark.parametrize(
    "option", ["-r more.txt", "-rmore.txt", "--constraint=more.txt"]
)
def test_files_that_requirements_name_count(
    option: str, cube_folder: CubeFolder
) -> None:
    cube_folder.write("build/requirements.txt", f"a==1\n{option}\n")
    cube_folder.write("build/more.txt", "b==1\n")
    before = _key(cube_folder)

    cube_folder.write("build/more.txt", "b==2\n")

    assert _key(cube_folder) != before


@pytest.mark.parametrize(
    "line", ["-e .", "./a.whl", "--find-links wheels", "a @ file:x"]
)
def test_what_lies_beside_counts_where_a_path_is_named(
    line: str, cube_folder: CubeFolder
) -> None:
    cube_folder.write("build/requirements.txt", f"{line}\n")
    before = _key(cube_folder)

    cube_folder.write("build/wheels/a.whl", "other")

    assert _key(cube_folder) != before


def test_what_lies_beside_does_not_count_elsewhere(cube_folder: CubeFolder) -> None:
    cube_folder.write("build/requirements.txt", "a==1\n")
    before = _key(cube_folder)

    cube_folder.tasks(make="other")

    assert _key(cube_folder) == before


def test_other_python_makes_another_environment(
    cube_folder: CubeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _key(cube_folder)

    monkeypatch.setattr("sys.version", "4.0.0")

    assert _key(cube_folder) != before
