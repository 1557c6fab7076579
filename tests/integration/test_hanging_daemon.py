"""A Docker daemon stops answering, or pytest is killed, at each step of a run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import pytest

from tests.docker_proxy import Proxy, serving

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

pytestmark = pytest.mark.docker

DAEMON: Final = "/var/run/docker.sock"
SECONDS: Final = 60
#: A run removes its container by its name, and what others left by its id.
REMOVAL: Final = rb"^DELETE \S*/containers/mlcube-"
#: The command line, with less patience than it has.
HASTY: Final = (
    "from mlcube_conformance.runners.docker import runner\n"
    "runner._API_TIMEOUT = 2\n"
    "from mlcube_conformance.commands.project import main\n"
    "main()"
)


def _start(
    cube: CubeFolder, proxy: Proxy, *words: str, code: str = HASTY
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-c", code, "test", cube.root, "--platform=docker"),
            *("-p", "no:cacheprovider", "-v", *words),
        ],
        cwd=cube.root.parent,
        env={
            **os.environ,
            "DOCKER_HOST": proxy.address,
            "XDG_CACHE_HOME": str(proxy.place.with_name("cache")),
        },
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    ("at", "what"),
    [
        (b"/_ping", "cannot use Docker: its daemon does not answer"),
        (b"/images/", "Docker failed while configuring tiny"),
        (b"/containers/create", "Docker stopped answering while tiny-docker-make ran"),
        (b"/start", "Docker stopped answering while tiny-docker-make ran"),
    ],
)
def test_daemon_that_hangs_is_the_machines_fault_in_time(
    at: bytes, what: str, cube_folder: CubeFolder, tmp_path: Path
) -> None:
    with serving(Proxy(tmp_path / "proxy", at), DAEMON) as proxy:
        process = _start(cube_folder, proxy, "--task=make")
        said = process.communicate(timeout=SECONDS)[0]

    assert proxy.seen
    assert process.returncode == 1, said
    assert what in said
    assert "no answer within 2 s" in said
    assert " 1 error" in said
    assert "failed" not in said.splitlines()[-1]
    assert "Traceback" not in said


def test_daemon_that_tells_nobody_of_an_end_is_asked(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    with serving(Proxy(tmp_path / "proxy", b"/wait"), DAEMON) as proxy:
        process = _start(cube_folder, proxy, "--task=make")
        said = process.communicate(timeout=SECONDS)[0]

    assert proxy.seen
    assert process.returncode == 0, said


@pytest.mark.parametrize(
    ("task", "words", "asked"),
    [
        ('echo made > "$data/part"', (), False),
        # No file, no byte in it, and an old one with other rights.
        ("true", (), True),
        ('touch "$data/part"', (), True),
        ('chmod 644 "$data/part"', ("--workspace=kept",), True),
        ('echo made > "$data/part"', ("--level=L3",), True),
    ],
)
def test_changes_of_a_container_are_asked_for_where_they_count(
    task: str,
    words: tuple[str, ...],
    *,
    asked: bool,
    cube_folder: CubeFolder,
    tmp_path: Path,
) -> None:
    """The daemon compares all files of the image for them."""
    cube_folder.tasks(make=task)
    (old := cube_folder.root.parent / "kept/data/part").parent.mkdir(parents=True)
    old.write_text("old")
    old.chmod(0o600)
    with serving(Proxy(tmp_path / "proxy", rb"/changes"), DAEMON) as proxy:
        process = _start(cube_folder, proxy, "--task=make", *words)
        said = process.communicate(timeout=SECONDS)[0]

    assert bool(proxy.seen) == asked, said
    assert process.returncode == (0 if task.startswith("echo") else 1), said


def test_daemon_that_hangs_in_a_removal_loses_no_result_and_is_told(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    docker_client: docker.DockerClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(Proxy(tmp_path / "proxy", rb"^DELETE "), DAEMON) as proxy:
        process = _start(cube_folder, proxy, "--task=make")
        said = process.communicate(timeout=SECONDS)[0]
    left = _left(docker_client, proxy)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    after = run_suite("--cube", cube_folder.root, "--platform=docker", "--task=make")

    assert process.returncode == 0, said
    assert f"Docker did not remove the container {left}; the next run does" in said
    assert after.exit_code == 0, after.output
    assert not _left(docker_client, proxy)


def _left(client: docker.DockerClient, proxy: Proxy) -> str:
    """Return the name of the container whose removal was seen, while it is there."""
    seen = next(each for each in proxy.seen if re.search(REMOVAL, each.encode()))
    name = seen.split("/")[3].partition("?")[0]
    there = [
        each.name for each in client.containers.list(all=True, ignore_removed=True)
    ]
    return name if name in there else ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["alone", "workers"])
def test_run_that_is_killed_in_a_removal_leaves_nothing_to_the_next(
    number: signal.Signals,
    words: tuple[str, ...],
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    docker_client: docker.DockerClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = HASTY.replace("= 2", "= 20")
    with serving(Proxy(tmp_path / "proxy", REMOVAL), DAEMON) as proxy:
        process = _start(cube_folder, proxy, "--task=make", *words, code=code)
        deadline = time.monotonic() + SECONDS
        while not proxy.seen:
            assert time.monotonic() < deadline, "nothing was removed"
            time.sleep(0.05)
        proxy.at = b"that all is passed on"
        os.killpg(process.pid, number)
        said = process.communicate(timeout=SECONDS)[0]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    after = run_suite("--cube", cube_folder.root, "--platform=docker", "--task=make")

    assert process.returncode in {2, -number}, said
    assert "Traceback" not in said
    assert after.exit_code == 0, after.output
    assert not _left(docker_client, proxy)
    (folder,) = (cube_folder.root.parent / ".mlcube-conformance").glob("*-*")
    lines = (folder / "record.jsonl").read_text(encoding="utf-8").splitlines()
    kinds = [json.loads(each) for each in lines if each]
    assert {"begun", "finding"} <= {each["kind"] for each in kinds}, kinds
