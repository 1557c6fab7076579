"""What the command line gives for an input stays as it is, whatever a task does."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import warm
from tests.conftest import run_by_hand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

DOCKER = pytest.param("docker", marks=pytest.mark.docker)
SINGULARITY = pytest.param("singularity", marks=pytest.mark.singularity)
PLATFORMS = ["local", DOCKER, SINGULARITY]
ENGINES = [DOCKER, SINGULARITY]
ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount a folder")


def _folder_input(cube: CubeFolder) -> None:
    cube.edit(
        "tasks/make.yaml", "{name: seed, type: file}", "{name: seed, type: directory}"
    )
    cube.edit("run/make.yaml", "$WORKSPACE/seed.txt", "$WORKSPACE/seed")
    cube.write("workspace/seed/file", "seed\n")


def _task(script: str) -> str:
    return f'{{ {script}; }} 2>/dev/null || true; echo done >"$data/part"'


def _run(run_suite: RunSuite, cube: CubeFolder, platform: str, **given: Path) -> str:
    words = [f"make.{name}={path}" for name, path in given.items()]
    run = run_suite(
        *("--cube", cube.root, "--platform", platform, "--task", "make"),
        *(word for each in words for word in ("--parameter", each)),
    )
    assert "done" not in run.output
    return run.output


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """Return a folder of the user's with another one mounted in it."""
    folder, other = tmp_path / "given", tmp_path / "other"
    (folder / "s u,b").mkdir(parents=True)
    other.mkdir()
    (other / "precious").write_text("mine")
    bind = ["mount", "--bind", str(other), str(folder / "s u,b")]
    if subprocess.run(bind, check=False, capture_output=True, timeout=60).returncode:
        pytest.skip("this root may not mount")
    yield folder
    subprocess.run(["umount", str(folder / "s u,b")], check=True, timeout=60)


@ROOT_ONLY
@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_is_mounted_in_a_given_folder(
    cube_folder: CubeFolder, run_suite: RunSuite, mounted: Path, platform: str
) -> None:
    _folder_input(cube_folder)
    cube_folder.tasks(make=_task('cat "$seed/s u,b/precious"; rm -rf "$seed"/*/*'))

    output = _run(run_suite, cube_folder, platform, seed=mounted)

    assert (mounted / "s u,b/precious").read_text() == "mine", output
    assert [each.name for each in (mounted / "s u,b").iterdir()] == ["precious"]


LINKS = ["{real}/x", "../real/x", "{real}", "{real}/not-there"]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("leads", LINKS)
def test_what_links_in_a_given_folder_lead_to(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    platform: str,
    leads: str,
) -> None:
    real, given = tmp_path / "real", tmp_path / "given"
    real.mkdir()
    given.mkdir()
    (real / "x").write_text("mine")
    (given / "link").symlink_to(leads.format(real=real))
    _folder_input(cube_folder)
    cube_folder.tasks(
        make=_task('echo other >"$seed/link"; echo other >"$seed/link/x"')
    )

    _run(run_suite, cube_folder, platform, seed=given)

    assert [each.name for each in real.iterdir()] == ["x"]
    assert (real / "x").read_text() == "mine"


@pytest.mark.parametrize("platform", ENGINES)
def test_what_lies_beside_an_output_file(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path, platform: str
) -> None:
    place = tmp_path / "place-of-mine"
    place.mkdir()
    for name in ("in.txt", "beside.txt", "result.txt"):
        (place / name).write_text("mine")
    _file_output(cube_folder)
    cube_folder.tasks(
        make='for f in "${seed%/*}" "${data%/*}"; do rm -rf $f/*;'
        ' echo x >$f/beside.txt; done 2>/dev/null || true; cp "$seed" "$data"'
    )

    output = _run(
        run_suite,
        cube_folder,
        platform,
        seed=place / "in.txt",
        data=place / "result.txt",
    )

    assert {each.name: each.read_text() for each in place.iterdir()} == {
        "in.txt": "mine",
        "beside.txt": "mine",
        "result.txt": "mine",
    }, output


def _file_output(cube: CubeFolder) -> None:
    cube.edit(
        "tasks/make.yaml", "{name: data, type: directory}", "{name: data, type: file}"
    )
    cube.edit("run/make.yaml", "$WORKSPACE/data", "$WORKSPACE/out/data")
    cube.edit("run/use.yaml", "$WORKSPACE/data", "$WORKSPACE/other")


@pytest.mark.docker
@pytest.mark.parametrize("folder", ["place", "a, b", 'a"b', "it's $HOME"])
def test_task_with_a_given_output_file_runs_by_hand(
    folder: str, cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    _file_output(cube_folder)
    cube_folder.tasks(make='echo mine >"$data"; exit 3')

    output = _run(run_suite, cube_folder, "docker", data=tmp_path / folder / "mine.txt")

    hand = next(each for each in output.splitlines() if "by hand:" in each)
    done = run_by_hand(hand)
    assert (done.returncode, done.stderr) == (3, "")


@pytest.mark.docker
def test_file_that_is_input_and_output_and_stays_is_not_made(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    _file_output(cube_folder)
    cube_folder.tasks(make="true")
    file = tmp_path / "place-of-mine.txt"
    file.write_text("mine")
    before = file.stat().st_ino

    output = _run(run_suite, cube_folder, "docker", seed=file, data=file)

    assert "the output 'data' did not appear" in output
    assert file.stat().st_ino == before


@pytest.mark.parametrize("platform", ENGINES)
def test_input_in_the_folder_of_an_output(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path, platform: str
) -> None:
    place = tmp_path / "place-of-mine"
    (place / "deep").mkdir(parents=True)
    (place / "deep/in.txt").write_text("mine")
    cube_folder.tasks(make=_task('rm -rf "$data"/*; echo x >"$data/deep/in.txt"'))

    _run(run_suite, cube_folder, platform, seed=place / "deep/in.txt", data=place)

    assert (place / "deep/in.txt").read_text() == "mine"
    assert (place / "part").read_text() == "done\n"


@pytest.mark.docker
def test_input_that_cannot_be_protected_is_refused(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    place = tmp_path / "place-of-mine"
    place.mkdir()
    (place / "real.txt").write_text("mine")
    (place / "in.txt").symlink_to("real.txt")
    cube_folder.tasks(make='rm -rf "$data"/*')

    output = _run(run_suite, cube_folder, "docker", seed=place / "in.txt", data=place)

    assert "the input 'seed' would be writable" in output
    assert (place / "in.txt").is_symlink()
    assert (place / "real.txt").read_text() == "mine"


def test_given_output_with_a_link_out_of_it_is_refused_where_nothing_is_isolated(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    place, real = tmp_path / "place-of-mine", tmp_path / "real"
    place.mkdir()
    real.write_text("mine")
    (place / "part").symlink_to(real)

    output = _run(run_suite, cube_folder, "local", data=place)

    assert "the output 'data' contains a link to a path outside it" in output
    assert real.read_text() == "mine"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_commands_of_runners_keep_inputs_too(
    cube_folder: CubeFolder, tmp_path: Path, platform: str
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    cube_folder.tasks(make=_task('echo other >"$seed"'))

    done = subprocess.run(
        [
            *(*warm.python(f"mlcube_{platform}_run"), "run", "--task=make"),
            *(f"--mlcube={cube_folder.root}", f"--platform={platform}"),
            f"--parameter=seed={mine}",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert mine.read_text() == "mine"
