"""What a daemon is asked, and what one that does not answer leaves behind."""

from __future__ import annotations

import gc
import json
import threading
import warnings
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from socketserver import BaseRequestHandler, UnixStreamServer
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.runners.docker.images import image_in_daemon
from mlcube_conformance.runners.docker.runner import DockerRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def nothing_there(tmp_path: Path) -> Path:
    """Return a path on which nothing listens."""
    return tmp_path / "docker.sock"


@pytest.fixture
def closes_at_once(nothing_there: Path) -> Iterator[Path]:
    """Return the socket of a program that ends each connection without an answer."""
    with UnixStreamServer(str(nothing_there), BaseRequestHandler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01]).start()
        yield nothing_there
        server.shutdown()


@pytest.mark.parametrize("daemon", ["nothing_there", "closes_at_once"])
@pytest.mark.parametrize(
    "ask",
    [lambda: image_in_daemon("busybox"), lambda: DockerRunner("x").unavailable()],
    ids=["image", "runner"],
)
def test_no_socket_is_left_open(
    ask: Callable[[], object],
    daemon: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{request.getfixturevalue(daemon)}")
    gc.collect()
    gc.disable()
    try:
        ask()
        with warnings.catch_warnings(record=True, action="always") as left:
            gc.collect()
    finally:
        gc.enable()

    assert not left


@pytest.mark.parametrize("address", ["tcp://:x", "unix://", "http://["])
def test_an_invalid_address_has_no_image(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)

    assert image_in_daemon("busybox") == ""


class _Daemon(BaseHTTPRequestHandler):
    """Says its version, and keeps the paths that it is asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        """Answer what a client asks to connect."""
        self.asked.append(self.path.rpartition("/")[2])
        version = json.dumps({"ApiVersion": "1.41", "Version": "20.10"})
        answers = {"_ping": "OK", "version": version, "info": '{"PidsLimit": true}'}
        said = answers[self.asked[-1]].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Say nothing: a socket of this kind has no address of the client."""


def test_a_daemon_is_asked_once_for_its_version_and_its_limits(
    nothing_there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{nothing_there}")
    monkeypatch.setattr(_Daemon, "asked", [], raising=False)
    with UnixStreamServer(str(nothing_there), _Daemon) as server:
        threading.Thread(target=server.serve_forever, args=[0.01]).start()
        with closing(DockerRunner("x")) as runner:
            engines = {runner.engine() for _ in range(3)}
            limits = {runner.client.api.limits_processes for _ in range(3)}
        server.shutdown()

    assert engines == {"Docker 20.10"}
    assert limits == {True}
    assert sorted(_Daemon.asked) == ["_ping", "info", "version"]
