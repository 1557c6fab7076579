"""`mlcube-conformance configure` and `run`: a cube on any platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command import call
from tests.cube_folders import CubeFolder, make_cube

if TYPE_CHECKING:
    from pathlib import Path

MADE = 'echo "made $data"; echo x > "$data/part"'


@pytest.fixture
def cube(tmp_path: Path) -> CubeFolder:
    """Return a cube whose task `make` writes one file."""
    cube = make_cube(tmp_path / "tiny")
    cube.tasks(make=MADE)
    return cube


def test_the_cube_of_the_current_folder_runs(cube: CubeFolder) -> None:
    made = call("configure", "--platform=local", place=cube.root)
    done = call("run", "--platform=local", "--task=make", place=cube.root)

    assert made.returncode == 0, made.stderr
    assert "mlcube: image " in made.stderr
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("made ")
    assert (cube.root / "workspace/data/part").read_text() == "x\n"


def test_the_exit_code_is_that_of_the_task(cube: CubeFolder, tmp_path: Path) -> None:
    cube.tasks(make="exit 42")

    done = call("run", "tiny", "--platform=local", "--task=make", place=tmp_path)

    assert done.returncode == 42


def test_a_platform_file_says_the_kind(cube: CubeFolder, tmp_path: Path) -> None:
    cube.fake_platform("pass", name="mine")

    done = call("run", "tiny", "--platform=mine", "--task=make", place=tmp_path)

    assert done.returncode == 0, done.stderr
    assert (cube.root / "workspace/data/made").is_file()


@pytest.mark.usefixtures("cube")
def test_without_a_platform_the_first_that_works_is_taken(tmp_path: Path) -> None:
    done = call("run", "tiny", "--task=make", place=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "so the first that works here: local\n" in done.stderr


@pytest.mark.docker
@pytest.mark.usefixtures("cube")
def test_docker_is_one_of_them(tmp_path: Path) -> None:
    done = call("run", "tiny", "--task=make", place=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "so the first that works here: docker\n" in done.stderr
    assert done.stdout == "made /mlcube_io1\n"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["nothere"], "the path of CUBE does not exist"),
        (["tiny"], "--task is missing"),
        (["tiny", "--task=make", "--platform=nothere"], "nothere"),
        (["tiny", "--mlcube=tiny"], "No such option"),
        (["tiny", "--task=make", "--workspace=tiny/mlcube.yaml"], "is not a folder"),
    ],
)
@pytest.mark.usefixtures("cube")
def test_what_is_wrong_is_said_before_anything_runs(
    words: list[str], found: str, tmp_path: Path
) -> None:
    done = call("run", *words, place=tmp_path)

    assert done.returncode == 2
    assert found in done.stderr
    assert "Traceback" not in done.stderr
