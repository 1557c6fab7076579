"""A Docker daemon is killed and started again, in the middle of each step of a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.docker_proxy import Proxy, serving
from tests.own_daemon import SECONDS, Daemon, own_daemon, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.cube_folders import CubeFolder

pytestmark = pytest.mark.docker


@pytest.fixture
def daemon(docker_client: docker.DockerClient) -> Iterator[Daemon]:
    """Return a daemon that has the image of small cubes."""
    with own_daemon(docker_client) as daemon:
        yield daemon


def _sleeping(seconds: str) -> list[int]:
    """Return the processes of containers that sleep so long."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if file.read_bytes() == f"sleep\0{seconds}\0".encode():
                found.append(int(file.parent.name))
    return found


def _test(cube: CubeFolder, address: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "mlcube_conformance", "test", cube.root),
            *("--platform=docker", "--network=host", "-p", "no:cacheprovider", "-v"),
        ],
        cwd=cube.root.parent,
        env={**os.environ, "DOCKER_HOST": address},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _containers(daemon: Daemon, *, running: bool = False) -> list[str]:
    with closing(daemon.client()) as client:
        found = client.containers.list(all=not running, ignore_removed=True)
        return [str(each.name) for each in found]


@pytest.mark.parametrize("step", ["build", "run"])
def test_daemon_that_is_killed_is_an_error_and_the_next_run_passes(
    step: str,
    daemon: Daemon,
    cube_folder: CubeFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    seconds = f"3{uuid4().int % 10**7}"
    recipe, script = (
        cube_folder.root / f"build/{name}" for name in ("Dockerfile", "task.sh")
    )
    texts = recipe.read_text(), script.read_text()
    if step == "build":
        cube_folder.edit("build/Dockerfile", "COPY", f"RUN sleep {seconds}\nCOPY")
    else:
        cube_folder.tasks(
            make=f'cat "$seed" >"$data/part"; trap exit TERM; sleep {seconds} & wait'
        )

    process = _test(cube_folder, daemon.address)
    until("no sleep", lambda: _sleeping(seconds))
    if step == "run":
        # A daemon that is killed before it wrote this down never ends the task.
        until("not running", lambda: _containers(daemon, running=True))
    daemon.kill()
    daemon.start()
    said = process.communicate(timeout=SECONDS)[0]
    recipe.write_text(texts[0])
    script.write_text(texts[1])
    after = _test(cube_folder, daemon.address)
    then = after.communicate(timeout=SECONDS)[0]

    left = _containers(daemon)
    if step == "build":
        # What BuildKit started is out of everybody's reach.
        for each in _sleeping(seconds):
            os.kill(each, signal.SIGKILL)

    assert process.returncode == 1, said
    lines = [each for each in said.splitlines() if "-make] " in each]
    assert not [each for each in lines if "PASSED" in each], said
    assert " 1 error" in said
    assert "failed" not in said.splitlines()[-1]
    assert "Traceback" not in said
    assert after.returncode == 0, then
    assert left == []
    if step == "run":
        until("it runs on", lambda: not _sleeping(seconds))


def test_daemon_that_is_killed_in_a_removal_loses_no_result(
    daemon: Daemon,
    cube_folder: CubeFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def again() -> None:
        daemon.kill()
        daemon.start()

    proxy = Proxy(tmp_path / "proxy", b"DELETE /", again)
    with serving(proxy, f"{daemon.folder}/sock"):
        process = _test(cube_folder, proxy.address)
        said = process.communicate(timeout=SECONDS)[0]
    process = _test(cube_folder, daemon.address)
    then = process.communicate(timeout=SECONDS)[0]

    assert "/containers/" in proxy.seen[0]
    (line,) = (
        each for each in said.splitlines() if "exits_zero[tiny-docker-make]" in each
    )
    assert "PASSED" in line
    assert "Traceback" not in said
    assert process.returncode == 0, then
    assert _containers(daemon) == []
