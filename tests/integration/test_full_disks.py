"""A disk is full, at each step of a run: the machine's fault, and never a pass."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.command import call
from tests.own_daemon import own_daemon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.cube_folders import CubeFolder
    from tests.own_daemon import Daemon


@pytest.fixture(params=["2m"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of some megabytes."""
    if os.geteuid():
        pytest.skip("only root can mount a disk")
    place = tmp_path / "small"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={request.param}", "none", str(place)]
    subprocess.run(words, check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


def _test_in(
    folder: Path, cube: CubeFolder, platform: str, *words: str
) -> subprocess.CompletedProcess[str]:
    given = ("--platform", platform, "-p", "no:cacheprovider", *words)
    return call("test", cube.root, *given, place=folder, timeout=240)


@pytest.mark.parametrize(
    "platform",
    [
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param(
            "singularity", marks=[pytest.mark.singularity, pytest.mark.docker]
        ),
        "local",
    ],
)
def test_disk_that_a_log_fills_is_the_machines_fault_at_once(
    platform: str, cube_folder: CubeFolder, small_disk: Path
) -> None:
    # It does not care whether anybody can read what it says.
    cube_folder.tasks(make="head -c 5000000 /dev/zero || true; sleep 300")

    done = _test_in(small_disk, cube_folder, platform, "--task", "make")

    assert "cannot write the log of tiny-" in done.stdout, done.stdout
    assert "o space left" in done.stdout
    assert "1 error" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("makes", ["input", "output"])
def test_disk_that_files_of_a_task_fill_is_never_a_pass(
    makes: str, cube_folder: CubeFolder, small_disk: Path
) -> None:
    if makes == "input":
        cube_folder.write("workspace/seed.txt", "x" * 5_000_000)
    else:
        cube_folder.tasks(make='head -c 5000000 /dev/zero >"$data/part"')

    done = _test_in(small_disk, cube_folder, "local", "-v")

    assert done.returncode == 1, done.stdout
    lines = [each for each in done.stdout.splitlines() if "exits_zero[" in each]
    assert not [each for each in lines if "PASSED" in each]
    assert "o space left" in done.stdout or "the disk is full" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "has a bug" not in done.stdout


@pytest.mark.parametrize("small_disk", ["1m"], indirect=True)
def test_disk_that_is_full_is_told_before_anything_is_made(
    cube_folder: CubeFolder, small_disk: Path
) -> None:
    done = _test_in(small_disk, cube_folder, "local")

    assert done.returncode == 1, done.stdout
    assert "the disk is full: there is no room for logs and results" in done.stdout
    assert "1 error" in done.stdout
    assert "failed" not in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("small_disk", ["64k"], indirect=True)
@pytest.mark.parametrize("option", ["--report", "--record"])
def test_report_that_finds_no_room_is_told_and_left_out_whole(
    option: str, cube_folder: CubeFolder, small_disk: Path, tmp_path: Path
) -> None:
    (small_disk / "taken").write_bytes(bytes(64 * 1024))
    names = {"--report": ["r.html", "r.md", "r.xml"], "--record": ["record.json"]}
    words = [f"{option}={small_disk / each}" for each in names[option]]

    done = _test_in(tmp_path, cube_folder, "local", "--task", "make", *words)

    assert done.returncode == 1, done.stdout
    for name in names[option]:
        (line,) = (x for x in done.stdout.splitlines() if f"/{name}: " in x)
        assert line.endswith("No space left on device: this run fails")
    assert [each.name for each in small_disk.iterdir()] == ["taken"]
    assert "failed" not in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("small_disk", ["64k"], indirect=True)
def test_report_that_finds_no_room_later_leaves_the_old_one(
    cube_folder: CubeFolder, small_disk: Path, tmp_path: Path
) -> None:
    record, page = tmp_path / "record.json", small_disk / "page.html"
    page.write_text("the old one", encoding="utf-8")
    (small_disk / "taken").write_bytes(bytes(56 * 1024))
    words = ("--task", "make", f"--record={record}")
    _test_in(tmp_path, cube_folder, "local", *words)

    done = call("report", record, f"--html={page}")

    assert done.returncode == 2
    assert "found:    No space left on device" in done.stderr
    assert page.read_text(encoding="utf-8") == "the old one"
    assert sorted(each.name for each in small_disk.iterdir()) == ["page.html", "taken"]


@pytest.fixture
def small_daemon(docker_client: docker.DockerClient) -> Iterator[Daemon]:
    """Return a daemon of Docker on a disk of some megabytes."""
    with own_daemon(docker_client, size="40m") as daemon:
        yield daemon


@pytest.mark.docker
@pytest.mark.parametrize(
    ("step", "mib"),
    [
        pytest.param("RUN head -c 100000000 /dev/zero >/big\nCOPY", 0, id="run"),
        pytest.param("COPY big /big\nCOPY", 60, id="context"),
    ],
)
def test_image_that_finds_no_room_is_not_the_cubes_fault(
    step: str,
    mib: int,
    small_daemon: Daemon,
    cube_folder: CubeFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", small_daemon.address)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cube_folder.edit("build/Dockerfile", "COPY", step)
    (cube_folder.root / "build/big").write_bytes(os.urandom(mib * 1024**2))

    done = _test_in(
        tmp_path, cube_folder, "docker", "-v", "--network=host", "--task=make"
    )

    assert done.returncode == 1, done.stdout
    assert "1 error" in done.stdout.splitlines()[-1], done.stdout
    assert "failed" not in done.stdout.splitlines()[-1]
    found = next(x for x in done.stdout.splitlines() if "found: " in x).lower()
    assert "no space left on device" in found or "i/o error" in found
    lines = [each for each in done.stdout.splitlines() if "-make] " in each]
    assert not [each for each in lines if "PASSED" in each]
    assert "Traceback" not in done.stdout + done.stderr
