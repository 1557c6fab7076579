"""Cubes written in the other format: the same cube, or a word of what is lost."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.platforms import find_platform, load_platform
from mlcube_conformance.plan.mounts import host_path, task_view
from mlcube_conformance.schemas.named import modeline
from tests import warm
from tests.formats.read_files import errors

if TYPE_CHECKING:
    from mlcube_conformance.model import Cube
    from tests.cube_folders import CubeFolder

PLATFORM = """\
platform: {name: docker, version: ">=20.10"}
container: {image: "example/tiny:1", run_args: --network=none --shm-size=1g}
"""


def _convert(cube: Path, target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*warm.python("mlcube_conformance"), "convert", cube, target],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _read(root: Path) -> Cube:
    found = load_cube(root, "tiny")
    assert found.problems == ()
    return found.cube


def _meaning(cube: Cube) -> object:
    """Return what a cube does: its tasks, their files, its image and what it copies."""
    platform, problems = load_platform(find_platform("docker", cube), cube)
    assert platform is not None
    assert problems == ()
    return (
        sorted(
            (
                each.task.name,
                task_view(each, cube.workspace).arguments,
                [
                    str(host_path(b, cube.workspace)).removeprefix(str(cube.root))
                    for b in each.bindings
                ],
                [(b.parameter.kind, b.parameter.role) for b in each.bindings],
            )
            for each in cube.invocations
        ),
        {**platform.without_gpus, **platform.options},
        platform.image,
        {f.name: f.read_text("utf-8") for f in cube.docker.context.glob("*")},
        {f.name: f.read_text("utf-8") for f in cube.workspace.glob("*.txt")},
    )


def test_there_and_back_is_the_same_cube(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.write("platform/docker.yaml", PLATFORM)
    cube_folder.write("conformance.yaml", "tasks: {make: {deterministic: true}}\n")
    one, several = tmp_path / "one", tmp_path / "several"

    there, back = _convert(cube_folder.root, one), _convert(one, several)

    assert (there.returncode, back.returncode) == (0, 0), there.stderr + back.stderr
    assert not (one / "tasks").exists()
    assert (several / "run" / "make.yaml").is_file()
    assert _meaning(_read(one)) == _meaning(_read(cube_folder.root))
    assert _meaning(_read(several)) == _meaning(_read(cube_folder.root))
    assert _read(several).deterministic == {("make", "data")}


def test_written_files_name_a_schema_by_which_they_are_valid(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.write("platform/docker.yaml", PLATFORM)
    one, several = tmp_path / "one", tmp_path / "several"

    _convert(cube_folder.root, one)
    _convert(one, several)

    written = {
        one / "mlcube.yaml": "mlcube",
        several / "mlcube.yaml": "mlcube",
        several / "tasks/make.yaml": "task",
        several / "run/make.yaml": "run",
        several / "platform/docker.yaml": "platform",
    }
    for file, schema in written.items():
        assert file.read_text("utf-8").splitlines()[0] == modeline(schema)
        assert not errors(schema, file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{entrypoint: sh /x}", "'work' has an entrypoint of its own"),
        (
            "{parameters: {inputs: {a: {type: file, opts: rw}}}}",
            "the input 'a' of 'work' must be writable",
        ),
        ("{parameters: {inputs: {a: b}}}", "the type of 'a' is unknown"),
    ],
)
def test_what_would_be_lost_is_refused(text: str, says: str, tmp_path: Path) -> None:
    cube = tmp_path / "cube"
    cube.mkdir()
    (cube / "mlcube.yaml").write_text(f"tasks: {{work: {text}}}\n", encoding="utf-8")

    done = _convert(cube, tmp_path / "target")

    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_two_run_files_of_a_task_are_refused(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    text = (cube_folder.root / "run/make.yaml").read_text(encoding="utf-8")
    cube_folder.write("run/alice/make.yaml", text)

    done = _convert(cube_folder.root, tmp_path / "target")

    assert done.returncode == 2
    assert "'make' has several run files" in done.stderr
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("place", ["used", "cube/inside"])
def test_a_folder_in_use_is_left_alone(place: str, tmp_path: Path) -> None:
    cube = tmp_path / "cube"
    cube.mkdir()
    (cube / "mlcube.yaml").write_text("tasks: {work: }\n", encoding="utf-8")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").write_text("mine", encoding="utf-8")

    done = _convert(cube, tmp_path / place)

    assert done.returncode == 2
    assert "in use" in done.stderr
    assert not (cube / "inside").exists()


def test_a_cube_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = _convert(tmp_path / "no", tmp_path / "target")

    assert done.returncode == 2
    assert "there is no cube to convert" in done.stderr


def test_a_file_that_a_link_leads_to_is_never_written(tmp_path: Path) -> None:
    cube, mine = tmp_path / "cube", tmp_path / "mine.txt"
    mine.write_text("mine", encoding="utf-8")
    (cube / "context").mkdir(parents=True)
    (cube / "context" / "Dockerfile").symlink_to(mine)
    (cube / "context" / "evil").write_text("FROM evil", encoding="utf-8")
    (cube / "mlcube.yaml").write_text(
        "docker: {image: a, build_context: context, build_file: evil, "
        "build_strategy: auto}\ntasks: {work: }\n",
        encoding="utf-8",
    )

    done = _convert(cube, tmp_path / "target")

    assert done.returncode == 0, done.stderr
    assert mine.read_text(encoding="utf-8") == "mine"
    written = tmp_path / "target" / "build" / "Dockerfile"
    assert written.read_text(encoding="utf-8") == "FROM evil"


@pytest.mark.parametrize("name", ["workspace", "build"])
def test_a_link_that_leaves_the_cube_is_not_followed(
    name: str, cube_folder: CubeFolder, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "id").write_text("secret", encoding="utf-8")
    (cube_folder.root / name).rename(tmp_path / "before")
    (cube_folder.root / name).symlink_to(tmp_path / "home")

    done = _convert(cube_folder.root, tmp_path / "target")

    assert done.returncode == 2
    assert "is a link that leaves the cube" in done.stderr
    assert not (tmp_path / "target").exists()


def test_nothing_is_left_where_the_new_cube_would_be_broken(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    for name in ("tasks", "run"):
        file = cube_folder.root / name / "make.yaml"
        text = file.read_text(encoding="utf-8").replace("name: make", "name: a b")
        file.unlink()
        cube_folder.write(f"{name}/a b.yaml", text)
    cube_folder.edit("mlcube.yaml", "tasks/make.yaml", "tasks/a b.yaml")

    done = _convert(cube_folder.root, tmp_path / "target")

    assert done.returncode == 2
    assert "the name of a task is invalid" in done.stderr
    assert not (tmp_path / "target").exists()


def test_pipes_stay_behind(cube_folder: CubeFolder, tmp_path: Path) -> None:
    os.mkfifo(cube_folder.root / "workspace" / "pipe")

    done = _convert(cube_folder.root, tmp_path / "target")

    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "target" / "workspace" / "pipe").exists()
    assert (tmp_path / "target" / "workspace" / "seed.txt").is_file()


@pytest.mark.parametrize("there", [False, True])
def test_folders_of_the_user_keep_their_mode(
    cube_folder: CubeFolder, tmp_path: Path, *, there: bool
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2775)
    target = shared / "new"
    if there:
        target.mkdir()
        target.chmod(0o770)

    done = _convert(cube_folder.root, target)

    assert done.returncode == 0, done.stderr
    assert shared.stat().st_mode & 0o7777 == 0o2775
    assert target.stat().st_mode & 0o777 == (0o770 if there else 0o755)


def test_folder_that_takes_nothing_new_is_told(cube_folder: CubeFolder) -> None:
    done = _convert(cube_folder.root, Path("/proc/converted"))

    assert done.returncode == 2
    assert "has a bug" not in done.stderr
    assert "/proc/converted" in done.stderr
