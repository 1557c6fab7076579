"""`mlcube-conformance configure` and `run`: a cube on any platform."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import warm
from tests.command import call
from tests.cube_folders import CubeFolder, make_cube

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


def test_an_output_that_may_not_be_written_is_no_fault_of_the_task(
    cube: CubeFolder,
) -> None:
    folder = cube.root / "workspace/data"
    folder.mkdir()
    folder.chmod(0o555)
    if os.geteuid() == 0:
        # Root may write to any folder, but not to a disk that is read-only.
        mount = ["mount", "-t", "tmpfs", "-o", "ro", "none", str(folder)]
        if subprocess.run(mount, timeout=60, check=False).returncode:
            pytest.skip("this root may not mount a disk")
    try:
        done = call("run", "--platform=local", "--task=make", place=cube.root)
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", folder], check=True, timeout=60)

    assert done.returncode == 125
    assert done.stdout == ""
    assert "the output 'data' cannot be written" in done.stderr
    assert f"where:    {folder}" in done.stderr
    assert "do:       fix the permissions, or choose another workspace" in done.stderr


def _run_into(
    stdout: int, cube: CubeFolder, *words: str, workflow: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(*warm.python("mlcube_conformance"), "run"),
            *("--platform=local", "--task=make", *words),
        ],
        cwd=cube.root,
        env=os.environ | {"GITHUB_ACTIONS": workflow},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("words", [[], ["--logs=kept"]])
@pytest.mark.parametrize("workflow", ["", "true"])
def test_what_a_task_says_is_not_lost_to_a_full_disk(
    words: list[str], workflow: str, cube: CubeFolder
) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        done = _run_into(full, cube, *words, workflow=workflow)
    finally:
        os.close(full)

    assert done.returncode == 125
    assert "the output cannot be written" in done.stderr
    assert "Exception ignored" not in done.stderr
    (folder,) = re.findall(r"logs are kept in (.+)", done.stderr)
    assert (Path(folder) / "stdout.log").read_text().startswith("made ")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_nobody_has_to_read_what_a_task_says(
    cube: CubeFolder, monkeypatch: pytest.MonkeyPatch, unbuffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = _run_into(writing, cube)
    finally:
        os.close(writing)

    assert done.returncode == 0, done.stderr
    assert "cannot be written" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert (cube.root / "workspace/data/part").is_file()


def test_a_full_disk_takes_neither_an_output_nor_what_was_in_its_place(
    cube: CubeFolder, tmp_path: Path
) -> None:
    cube.fake_platform("pass")
    cube.write("workspace/data/part", "x")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, timeout=60, check=False).returncode:
        pytest.skip("this user may not mount a disk")
    try:
        for each in ("result.txt", "other"):
            (disk / each).write_bytes(b"o" * 4096)
        done = call(
            *("run", "--platform=fake", "--task=use"),
            f"--parameter=use.result={disk}/result.txt",
            place=cube.root,
        )
        left = {each.name: each.read_bytes()[:1] for each in disk.iterdir()}
    finally:
        subprocess.run(["umount", disk], check=True, timeout=60)

    assert done.returncode == 125, done.stderr
    assert "No space left on device" in done.stderr
    assert left == {"result.txt": b"o", "other": b"o"}
    (kept,) = re.findall(r"the output is kept in (.+)", done.stderr)
    assert Path(kept).read_text(encoding="utf-8") == "made\n"
    shutil.rmtree(Path(kept).parents[1])


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
        (["tiny", "--task=make", "--logs=tiny/mlcube.yaml/a"], "not a folder\n"),
        (
            ["tiny", "--task=make", "--workspace=tiny/mlcube.yaml/a/b"],
            "is not a folder",
        ),
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


@pytest.mark.parametrize("file", ["mlcube.yaml", "run/use.yaml", "build/Dockerfile"])
def test_no_output_replaces_what_defines_the_cube(cube: CubeFolder, file: str) -> None:
    cube.fake_platform("pass")
    cube.write("workspace/data/part", "x")
    before = (cube.root / file).read_text(encoding="utf-8")

    done = call(
        *("run", "--platform=fake", "--task=use", f"--parameter=result={file}"),
        place=cube.root,
    )

    assert done.returncode == 2
    assert "the output would replace a file of the same command" in done.stderr
    assert (cube.root / file).read_text(encoding="utf-8") == before
