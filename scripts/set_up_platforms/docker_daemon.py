"""A Docker daemon, installed and started where none answers."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from engine import DEFAULT_SOCKET, Engine
from packages import apt_install
from steps import (
    MINUTE,
    PREFIX,
    SetUpError,
    find_program,
    found_on_path,
    last_lines,
    say,
    stop,
)

DAEMON_PID: Final = Path("/var/run/docker.pid")
CONTAINERD_PID: Final = Path("/var/run/docker/containerd/containerd.pid")
DOCKER_PACKAGES: Final = ("docker.io", "iptables")


def engine_socket() -> str:
    """Return the path of the socket behind which the daemon is asked for."""
    host = os.environ.get("DOCKER_HOST") or f"unix://{DEFAULT_SOCKET}"
    scheme, _, path = host.partition("://")
    if scheme != "unix" or not path.startswith("/"):
        raise SetUpError(
            what="docker: only a daemon behind a local unix socket can be set up",
            where="environment variable DOCKER_HOST",
            found=host,
            todo="unset DOCKER_HOST, or set it to unix:///path/to/docker.sock",
        )
    return path


def start_docker_daemon(engine: Engine) -> None:
    """Install the daemon where it is missing, start it, wait until it answers."""
    _need_for_docker(engine)
    if shutil.which("dockerd") is None:
        apt_install("docker", DOCKER_PACKAGES)
    if engine.answers():  # where there is an init system, apt starts it
        return
    _forget_dead_daemon()
    daemon = find_program("docker", "dockerd")
    log = Path(tempfile.gettempdir()) / f"{PREFIX}-dockerd.log"
    say(f"docker: starting {daemon}, its output is in {log}")
    log.unlink(missing_ok=True)
    with log.open("xb") as output:
        process = subprocess.Popen(  # noqa: S603 (a fixed list, no shell)
            [daemon, "--host", f"unix://{engine.socket_path}"],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for_daemon(engine, process, log)
    except BaseException:
        stop(process)
        raise


def _forget_dead_daemon() -> None:
    """Remove the file in which a daemon that was killed still claims to run.

    A new one refuses to start while any process has the number in that file.
    """
    for file, name in ((DAEMON_PID, "dockerd"), (CONTAINERD_PID, "containerd")):
        try:
            status = Path("/proc", file.read_text(encoding="utf-8").strip(), "status")
            fields = status.read_text(encoding="utf-8").splitlines()
        except OSError:
            fields = []  # no such file, or no such process
        of_daemon = f"Name:\t{name}" in fields
        if of_daemon and not any("(zombie)" in field for field in fields):
            continue
        with contextlib.suppress(OSError):
            file.unlink()
            say(f"docker: removed {file}, left by a daemon that is gone")


def _need_for_docker(engine: Engine) -> None:
    """Refuse early, in one message, where the daemon cannot be started."""
    can_install = shutil.which("dockerd") or shutil.which("apt-get")
    if os.geteuid() == 0 and can_install:
        return
    programs = found_on_path("dockerd", "apt-get")
    raise SetUpError(
        what="docker: no daemon answers, and none can be installed and started here",
        where=f"unix socket {engine.socket_path}",
        found=f"user id {os.geteuid()} (0 is needed), {programs}",
        todo="start a Docker daemon (DOCKER_HOST may name its unix socket), or run "
        "this as root on a Debian-like system",
    )


def _wait_for_daemon(
    engine: Engine, process: subprocess.Popen[bytes], log: Path
) -> None:
    deadline = time.monotonic() + MINUTE
    while not engine.answers():
        ended = process.poll()
        if ended is None and time.monotonic() < deadline:
            time.sleep(0.1)
            continue
        state = "no answer within 60 s" if ended is None else f"exit code {ended}"
        with log.open("rb") as output:
            tail = last_lines(output)
        raise SetUpError(
            what="docker: the daemon was started and does not answer",
            where=f"unix socket {engine.socket_path}, log {log}",
            found=f"{state}; the log ends with:\n{tail}",
            todo="read the log; the daemon needs a kernel with overlay and iptables",
        )
