"""A cube runs on the platforms that it is made for, and on no image of another name."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cube_folders import make_cube

if TYPE_CHECKING:
    from tests.cube_folders import CubeFolder

_SINGULARITY = """\
name: single
singularity: {image: none.sif, image_dir: "${workspace}"}
tasks: {work: }
"""


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    """Return a cube that says nothing of its image, and has no recipe."""
    made = make_cube(pytester.path / "tiny")
    shutil.rmtree(made.root / "build")
    return made


@pytest.mark.docker
@pytest.mark.parametrize("words", [(), ("--build-strategy=pull",)])
def test_image_of_a_made_up_name_is_not_pulled(
    words: tuple[str, ...], cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    if words:
        cube.write("build/Dockerfile", "FROM scratch\n")

    result = pytester.runpytest("--cube=tiny", "--platform=docker", *words)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes().keys() == {"passed", "skipped"}
    result.stdout.fnmatch_lines(["the cube 'tiny' is not made for docker"])
    result.stdout.no_fnmatch_line("*pulling*")


def test_cube_without_a_recipe_is_not_made_for_local(
    cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    assert cube.root.is_dir()

    result = pytester.runpytest("--cube=tiny", "--platform=local")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["the cube 'tiny' is not made for local"])


@pytest.mark.docker
@pytest.mark.singularity
def test_only_platforms_that_the_cube_is_made_for_are_tried(
    pytester: pytest.Pytester,
) -> None:
    (pytester.path / "single").mkdir()
    (pytester.path / "single/mlcube.yaml").write_text(_SINGULARITY)

    result = pytester.runpytest("--cube=single", "--collect-only")

    result.stdout.fnmatch_lines(["*the first that works here: singularity"])
