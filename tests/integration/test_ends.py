"""How a run ends before its time: by a signal, a full disk, or somebody else."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import requests

from mlcube_conformance.runners.docker.client import BoundedAPI
from tests import warm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import docker

    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

SECONDS: Final = 60


@pytest.fixture(autouse=True)
def _own_locks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no other test take what this one leaves behind for its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _until(what: str, found: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def _containers(client: docker.DockerClient, cube: CubeFolder) -> list[str]:
    """Return the names of the containers that see a file of a cube's run."""
    found = client.containers.list(all=True, ignore_removed=True)
    place = str(cube.root.parent)
    return [str(each.name) for each in found if place in str(each.attrs["Mounts"])]


def _start(
    cube: CubeFolder, *words: str, terminal: int | None = None
) -> subprocess.Popen[bytes]:
    """Start the suite on a cube, in a session of its own beside the cube."""
    cube.tasks(make="echo begun; sleep 300")
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "mlcube_conformance", "test", str(cube.root)),
            *("--platform", "docker", "-p", "no:cacheprovider", *words),
        ],
        cwd=cube.root.parent,
        start_new_session=True,
        stdin=subprocess.DEVNULL if terminal is None else terminal,
        stdout=subprocess.PIPE if terminal is None else terminal,
        stderr=subprocess.STDOUT,
    )


@pytest.mark.docker
def test_terminal_that_is_closed_leaves_no_container(
    cube_folder: CubeFolder, docker_client: docker.DockerClient
) -> None:
    ours, its = pty.openpty()
    process = _start(cube_folder, terminal=its)
    os.close(its)
    _until("no container", lambda: _containers(docker_client, cube_folder))

    os.close(ours)
    process.send_signal(signal.SIGHUP)

    process.wait(timeout=SECONDS)
    assert _containers(docker_client, cube_folder) == []


@pytest.mark.docker
def test_second_interrupt_neither_breaks_the_end_nor_prints_a_traceback(
    cube_folder: CubeFolder, docker_client: docker.DockerClient
) -> None:
    process = _start(cube_folder)
    _until("no container", lambda: _containers(docker_client, cube_folder))

    process.send_signal(signal.SIGINT)
    time.sleep(0.02)
    process.send_signal(signal.SIGINT)

    said = process.communicate(timeout=SECONDS)[0].decode()
    assert process.returncode == pytest.ExitCode.INTERRUPTED, said
    assert "Traceback" not in said
    assert _containers(docker_client, cube_folder) == []


@pytest.mark.docker
def test_second_interrupt_of_a_runner_prints_no_traceback(
    cube_folder: CubeFolder, docker_client: docker.DockerClient
) -> None:
    cube_folder.tasks(make="echo begun; sleep 300")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlcube_docker_run", "run"),
            *(f"--mlcube={cube_folder.root}", "--platform=docker", "--task=make"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"

    process.send_signal(signal.SIGINT)
    time.sleep(0.02)
    process.send_signal(signal.SIGTERM)

    err = process.communicate(timeout=SECONDS)[1].decode()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert _containers(docker_client, cube_folder) == []


@pytest.mark.docker
def test_container_that_somebody_removes_is_told(
    cube_folder: CubeFolder, docker_client: docker.DockerClient
) -> None:
    process = _start(cube_folder)
    _until("no container", lambda: _containers(docker_client, cube_folder))
    (name,) = _containers(docker_client, cube_folder)
    _until("not running", lambda: _is_running(docker_client, name))

    subprocess.run(["docker", "rm", "-f", name], check=True, capture_output=True)

    said = process.communicate(timeout=SECONDS)[0].decode()
    assert process.returncode == pytest.ExitCode.TESTS_FAILED
    assert "the container of tiny-docker-make was removed while it ran" in said
    assert "Traceback" not in said
    assert "1 error" in said


def _is_running(client: docker.DockerClient, name: str) -> bool:
    return client.containers.get(name).status == "running"


def _answer(status: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.fixture
def dripping(tmp_path: Path) -> Iterator[str]:
    """Return the address of a daemon that sends a byte now and then, for ever."""
    place = tmp_path / "drips"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(place))
    server.listen()
    ended = threading.Event()

    def drip() -> None:
        client, _ = server.accept()
        with client:
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while not ended.wait(0.2):
                client.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"unix://{place}"
    ended.set()
    thread.join()
    server.close()


def test_answer_that_drips_ends_with_the_deadline(dripping: str) -> None:
    api = BoundedAPI(base_url=dripping, version="1.41", timeout=1)
    started = time.monotonic()

    with pytest.raises(requests.ReadTimeout, match="no complete answer within 6 s"):
        api.ping()

    assert time.monotonic() - started < 10
    api.close()


@pytest.fixture
def answering(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of a daemon that gives one answer to everybody."""
    place = tmp_path / "answers"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(place))
    server.listen()

    def answer() -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                with client, suppress(OSError):
                    client.recv(65536)
                    client.sendall(request.param)

    thread = threading.Thread(target=answer)
    thread.start()
    yield f"unix://{place}"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


@pytest.mark.parametrize(
    "answering",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\xff\x1b[31m" * 20_000, id="noise"),
        pytest.param(_answer("500 No", "<html>"), id="fault"),
        pytest.param(_answer("200 OK", '{"ApiVersion": "1.41"}'), id="object"),
    ],
    indirect=True,
)
def test_daemon_that_answers_anything_is_one_error(
    answering: str,
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", answering)

    run = run_suite("--cube", cube_folder.root, "--platform", "docker")

    assert run.exit_code == 1
    assert len(run.verdict("error")) == 1
    assert not run.verdict("failed")
    assert not [each for each in run.verdict("passed") if "make" in each], run.output
    assert "Traceback" not in run.output
    assert "has a bug" not in run.output
    assert "\x1b" not in run.output


@pytest.mark.docker
def test_second_run_in_a_workspace_is_refused(
    cube_folder: CubeFolder, run_suite: RunSuite, docker_client: docker.DockerClient
) -> None:
    workspace = cube_folder.root.parent / "shared"
    process = _start(cube_folder, f"--workspace={workspace}")
    _until("no container", lambda: _containers(docker_client, cube_folder))
    words = (f"--workspace={workspace}", "--platform")

    suite = run_suite("--cube", cube_folder.root, *words, "local")
    runner = subprocess.run(
        [
            *(*warm.python("mlcube_local_run"), "run", *words, "local"),
            *(f"--mlcube={cube_folder.root}", "--task=make"),
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)

    assert (suite.exit_code, runner.returncode) == (4, 2)
    for said in (suite.output, runner.stderr):
        assert "another run is using the workspace" in said


_RUNNER: Final = """\
#!/bin/sh
case $1 in
version) echo 1 ;;
run)
    trap 'echo ended > "$0.ended"; exit 1' TERM
    echo $$ > "$0.began"
    sleep 300 &
    wait
    ;;
esac
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_runner_under_test_is_ended_with_its_suite(
    number: signal.Signals, tmp_path: Path
) -> None:
    program = tmp_path / "runner"
    program.write_text(_RUNNER)
    program.chmod(0o755)
    description = tmp_path / "slow.yaml"
    words = '"{cube}", "{platform}"'
    description.write_text(
        f"name: slow\nversion: [{program}, version]\nformats: [single-file]\n"
        f'configure: ["true", {words}]\nrun: [{program}, run, {words}]\n'
        'options: {task: "{task}"}\nplatform: docker\n'
    )
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlcube_conformance", "test"),
            *("--runner", str(description), "-k", "test_exit", "--runner-timeout=100"),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    _until("no call", (tmp_path / "runner.began").exists)

    process.send_signal(number)

    said = process.communicate(timeout=SECONDS)[0].decode()
    assert process.returncode == pytest.ExitCode.INTERRUPTED, said
    assert (tmp_path / "runner.ended").exists()
    session = (tmp_path / "runner.began").read_text().strip()
    assert not Path(f"/proc/{session}").exists()
