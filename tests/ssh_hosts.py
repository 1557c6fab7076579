"""Hosts to reach by ssh, each with an sshd, keys and programs of its own, for tests."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SSHD = "/usr/sbin/sshd"
_DEADLINE = 10.0

_CONFIG = """\
ListenAddress {address}
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
KexAlgorithms curve25519-sha256
{more}
"""


@dataclass(slots=True)
class SshHost:
    """A host with an sshd of the test's own; the files are those of this machine."""

    folder: Path
    address: str = "127.0.0.1"
    port: int = 0
    before: Sequence[str] = ()
    """Words before the command of sshd, such as those that enter a namespace."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What its sessions get beside what sshd gives."""
    settings: Sequence[str] = ()
    """More lines for sshd_config."""
    _sshd: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> Path:
        """Folder in which the host keeps what we bring."""
        return self.folder / "root"

    @property
    def key(self) -> Path:
        """Key that is let in."""
        return self.folder / "key"

    @property
    def known_hosts(self) -> Path:
        """File with the key of the host."""
        return self.folder / "known_hosts"

    @property
    def fingerprint(self) -> str:
        """Fingerprint of its key."""
        listed = subprocess.run(
            ["ssh-keygen", "-lf", self.folder / "host_key.pub"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return listed.stdout.split()[1]

    def __enter__(self) -> Self:
        """Start it, and return itself."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> None:
        """Make its keys, if need be, and start its sshd."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("key", "host_key"):
            if not (self.folder / name).exists():
                _make_key(self.folder / name)
        shutil.copy(self.folder / "key.pub", self.folder / "authorized_keys")
        self.port = self.port or _free_port()
        public = (self.folder / "host_key.pub").read_text(encoding="utf-8")
        self.known_hosts.write_text(f"[{self.address}]:{self.port} {public}")
        # sshd asks for it of root.
        with suppress(PermissionError):
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        # In a shell that is not the first, bash reads no ~/.bashrc: what the user of
        # this machine has there may start hundreds of programs for each command.
        given = {"PATH": os.environ["PATH"], "SHLVL": "1", **self.environment}
        words = " ".join(f'"{name}={text}"' for name, text in given.items())
        config = self.folder / "sshd_config"
        config.write_text(
            _CONFIG.format(
                address=self.address,
                port=self.port,
                folder=self.folder,
                more="\n".join((f"SetEnv {words}", *self.settings)),
            ),
            encoding="utf-8",
        )
        log = self.folder / "sshd.log"
        with log.open("ab") as said:
            self._sshd = subprocess.Popen(
                [*self.before, _SSHD, "-D", "-e", "-f", config],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        deadline = time.monotonic() + _DEADLINE
        while "Server listening" not in log.read_text(encoding="utf-8"):
            assert self._sshd.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, "sshd does not listen"
            time.sleep(0.02)

    def stop(self) -> None:
        """End its sshd; what its sessions started goes on."""
        if self._sshd is not None:
            self._sshd.terminate()
            self._sshd.wait(10)
            self._sshd = None

    def platform(self, inner: str, **changes: str) -> str:
        """Return a platform file that points to the host, with lines changed."""
        lines = {
            "host": self.address,
            "port": str(self.port),
            "authentication": f"{{user: {getpass.getuser()}, "
            f"identity_file: {self.key}}}",
            "known_hosts": str(self.known_hosts),
            "platform": inner,
            "interpreter": f"{{type: system, python: {sys.executable}}}",
            "env": f"{{path: {self.root}}}",
            **changes,
        }
        return "".join(f"{key}: {text}\n" for key, text in lines.items() if text)


def programs(folder: Path, *names: str) -> str:
    """Return a PATH with these programs of this machine alone."""
    folder.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found, f"no program {name}"
        (folder / name).symlink_to(found)
    return str(folder)


def _make_key(path: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path],
        timeout=60,
        check=True,
    )


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class NamespaceHost(SshHost):
    """A host in a network namespace of its own, whose link can be cut."""

    _name: str = ""

    def start(self) -> None:
        """Make the namespace and its link, and start sshd in it."""
        if not self._name:
            self._name = f"mlc{uuid4().hex[:6]}"
            # A network of its own, so tests may run side by side.
            number = int(uuid4().hex[:4], 16)
            net = f"10.{64 + number % 64}.{number // 64 % 256}"
            here, there = f"{self._name}h", f"{self._name}n"
            for words in (
                ("netns", "add", self._name),
                ("link", "add", here, "type", "veth", "peer", "name", there),
                ("link", "set", there, "netns", self._name),
                ("addr", "add", f"{net}.1/24", "dev", here),
                ("link", "set", here, "up"),
                ("-n", self._name, "addr", "add", f"{net}.2/24", "dev", there),
                ("-n", self._name, "link", "set", there, "up"),
                ("-n", self._name, "link", "set", "lo", "up"),
            ):
                _ip(*words)
            self.address, self.port = f"{net}.2", 2222
            self.before = ("ip", "netns", "exec", self._name)
        super().start()

    def cut(self) -> None:
        """Take the link down, as when a cable is pulled."""
        _ip("link", "set", f"{self._name}h", "down")

    def mend(self) -> None:
        """Bring the link back."""
        _ip("link", "set", f"{self._name}h", "up")

    def stop(self) -> None:
        """End its sshd, and remove the namespace."""
        super().stop()
        if self._name:
            for words in (
                ("link", "del", f"{self._name}h"),
                ("netns", "del", self._name),
            ):
                with suppress(subprocess.CalledProcessError):
                    _ip(*words)
            self._name = ""


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, timeout=30, check=True)
