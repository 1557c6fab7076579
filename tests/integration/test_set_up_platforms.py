"""The script that brings up platforms: its messages, its keys, its patience."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "set_up_platforms"


def _load(name: str) -> Any:  # noqa: ANN401 (a module that is not on the path)
    """Import a module of the script as Python does when it runs the folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPT)
        return importlib.import_module(name)


docker_daemon = _load("docker_daemon")
engine_api = _load("engine")
recipes = _load("recipes")
steps = _load("steps")


def _run(
    *arguments: str | Path, **environment: str | Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        env=os.environ | {key: str(value) for key, value in environment.items()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(name="requirements")
def _requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text("numpy==2.0.0\n", encoding="utf-8")
    return path


@pytest.fixture(name="empty")
def _empty(tmp_path: Path) -> Path:
    path = tmp_path / "empty"
    path.mkdir()
    return path


class _EverythingThere(BaseHTTPRequestHandler):
    """A daemon that has every image asked for, and refuses to change anything."""

    def do_GET(self) -> None:
        body = b'{"Version": "99.1"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture(name="daemon")
def _daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("d") / "s"
    with ThreadingUnixStreamServer(str(path), _EverythingThere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield path
        server.shutdown()
        thread.join()


def test_without_daemon_and_apt_one_message_says_what_to_do(empty: Path) -> None:
    missing = empty / "docker.sock"
    result = _run("docker", PATH=empty, DOCKER_HOST=f"unix://{missing}", TMPDIR=empty)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (
        "error: docker: no daemon answers, and none can be installed and started here\n"
        f"  where: unix socket {missing}\n"
        f"  found: user id {os.geteuid()} (0 is needed),"
        " dockerd: not on PATH, apt-get: not on PATH\n"
        "  do: start a Docker daemon (DOCKER_HOST may name its unix socket),"
        " or run this as root on a Debian-like system\n"
    )


def test_docker_host_that_is_no_unix_socket_is_refused(empty: Path) -> None:
    result = _run("docker", PATH=empty, DOCKER_HOST="tcp://10.0.0.1:2375")
    assert result.returncode == 1
    assert "where: environment variable DOCKER_HOST" in result.stderr
    assert "found: tcp://10.0.0.1:2375" in result.stderr
    assert "Traceback" not in result.stderr


def test_unknown_platform_is_a_usage_error_with_the_list() -> None:
    result = _run("dokcer")
    assert result.returncode == 2
    assert "invalid choice: 'dokcer' (choose from" in result.stderr
    assert "docker" in result.stderr.rpartition("choose from")[2]


def test_unreadable_requirements_are_named(daemon: Path, empty: Path) -> None:
    missing = empty / "requirements.txt"
    host = f"unix://{daemon}"
    result = _run("docker", "--requirements", missing, DOCKER_HOST=host, TMPDIR=empty)
    assert result.returncode == 1
    assert f"where: {missing}\n" in result.stderr
    assert "Traceback" not in result.stderr


def test_nothing_is_done_when_all_is_there(
    daemon: Path, requirements: Path, empty: Path, tmp_path: Path
) -> None:
    env_file = tmp_path / "env"
    env_file.write_text(
        "OTHER=stays\nMLCUBE_CONFORMANCE_BASE_TORCH=old\n", encoding="utf-8"
    )
    arguments = ("docker", "--requirements", requirements, "--env-file", env_file)
    for _ in range(2):
        result = _run(
            *arguments, PATH=empty, DOCKER_HOST=f"unix://{daemon}", TMPDIR=empty
        )
        assert result.returncode == 0, result.stderr
    busybox = recipes.busybox_recipe().image
    torch = recipes.torch_recipe("numpy==2.0.0\n").image
    assert result.stderr == (
        "docker: daemon answers (99.1)\n"
        f"base-busybox: nothing to do, {busybox} is there\n"
        f"base-torch: nothing to do, {torch} is there\n"
    )
    assert result.stdout == (
        f"MLCUBE_CONFORMANCE_BASE_BUSYBOX={busybox}\n"
        f"MLCUBE_CONFORMANCE_BASE_TORCH={torch}\n"
    )
    assert env_file.read_text(encoding="utf-8") == "OTHER=stays\n" + result.stdout


def test_key_of_torch_image_follows_the_requirements_and_nothing_else() -> None:
    recipe = recipes.torch_recipe
    before = (recipes.busybox_recipe(), recipes.debian_recipe())
    assert recipe("torch==2.13.0\n").image == recipe("torch==2.13.0\n").image
    assert recipe("torch==2.13.0\n").image != recipe("torch==2.12.0\n").image
    after = (recipes.busybox_recipe(), recipes.debian_recipe())
    assert [recipe.image for recipe in before] == [recipe.image for recipe in after]


def test_failed_command_is_reported_with_the_end_of_its_output() -> None:
    command = [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"]
    with pytest.raises(steps.CommandError) as caught:
        steps.run("step", command)
    message = str(caught.value)
    assert message.startswith("step: python")
    assert "exit code 3; the output ends with:\n    the reason" in message


def test_command_past_its_deadline_is_ended() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(steps.CommandError, match=r"no end within 0 s"):
        steps.run("step", command, seconds=0.2)


@pytest.mark.docker
def test_second_run_against_a_real_daemon_does_nothing() -> None:
    engine = engine_api.Engine(engine_api.DEFAULT_SOCKET)
    if not engine.answers():
        pytest.skip(f"no Docker daemon answers at {engine.socket_path}")
    requirements = SCRIPT.parents[1] / "cubes/mnist/build/requirements.txt"
    if not requirements.exists():
        pytest.skip(f"{requirements} is not there")
    text = requirements.read_text(encoding="utf-8")
    expected = (recipes.busybox_recipe(), recipes.torch_recipe(text))
    missing = [item.image for item in expected if not engine.has_image(item.image)]
    if missing:
        pytest.skip(f"not built yet: {missing}; run {SCRIPT} docker first")
    result = _run("docker", DOCKER_HOST=f"unix://{engine.socket_path}")
    assert result.returncode == 0, result.stderr
    assert "building" not in result.stderr
    assert [line.split("=")[1] for line in result.stdout.splitlines()] == [
        recipe.image for recipe in expected
    ]


def test_file_of_a_daemon_that_is_gone_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number may be another process's by now, as this one's here."""
    gone, nothing = tmp_path / "docker.pid", tmp_path / "containerd.pid"
    gone.write_text(str(os.getpid()), encoding="utf-8")
    monkeypatch.setattr(docker_daemon, "DAEMON_PID", gone)
    monkeypatch.setattr(docker_daemon, "CONTAINERD_PID", nothing)

    docker_daemon._forget_dead_daemon()  # noqa: SLF001 - starts no daemon here

    assert not gone.exists()
