"""A Docker daemon of a test's own, that may be killed, or have next to no room."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import docker
import pytest

from mlcube_conformance.base.trees import mount_points_below
from tests.cube_folders import BUSYBOX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS: Final = 60


def until(what: str, found: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@dataclass(slots=True)
class Daemon:
    """A daemon of the test's own, without a network."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"unix://{self.folder}/sock"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        # Where nobody reaps what it left, it takes the dead for the living.
        for name in ("pid", "exec/containerd/containerd.pid"):
            (self.folder / name).unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    # With --bridge=none, a daemon removes docker0: that of the machine,
                    # unless it has a network of its own.
                    *("unshare", "--net"),
                    *("dockerd", "--host", self.address, "--bridge=none"),
                    *("--iptables=false", "--ip6tables=false"),
                    *("--data-root", self.folder / "data"),
                    *("--exec-root", self.folder / "exec"),
                    *("--pidfile", self.folder / "pid"),
                ],
                stdout=log,
                stderr=log,
            )
        until("no daemon", self.answers)

    def answers(self) -> bool:
        """Say whether it answers."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as there:
            there.connect(f"{self.folder}/sock")
            there.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in there.recv(100)
        return False

    def client(self) -> docker.DockerClient:
        """Return a client of it."""
        return docker.DockerClient(base_url=self.address, version="1.41", timeout=10)

    def kill(self) -> None:
        """Kill it, as a machine that has no memory left does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it with all of its containers."""
        if self.process is not None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            self.process.kill()
            self.process.wait()


@contextmanager
def own_daemon(machines: docker.DockerClient, *, size: str = "") -> Iterator[Daemon]:
    """Run a daemon that has the image of small cubes.

    Args:
        machines: The daemon of the machine, which has it, too.
        size: Size of the disk for its images and containers, as mount(8) reads it; ""
            for that of the machine.
    """
    if os.getuid() or not shutil.which("dockerd"):
        pytest.skip("only root can start a daemon, and only where there is dockerd")
    # A short path: those of its sockets have at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="mlcube-", dir="/tmp"))
    if size:
        (folder / "data").mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none"]
        words.append(str(folder / "data"))
        subprocess.run(words, check=True)
    daemon = Daemon(folder)
    try:
        daemon.start()
        with closing(daemon.client()) as client:
            image = machines.images.get(BUSYBOX).save(named=BUSYBOX)
            client.images.load(b"".join(image))
        yield daemon
    finally:
        daemon.stop()
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if os.fsencode(folder) in file.read_bytes():
                    os.kill(int(file.parent.name), signal.SIGKILL)
        for place in reversed(mount_points_below(folder)):
            subprocess.run(["umount", place], check=True)
        shutil.rmtree(folder)
