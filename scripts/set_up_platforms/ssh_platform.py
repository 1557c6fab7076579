"""The platform ssh: an sshd of our own on loopback, and platform files for it.

It serves the user who runs this alone, with a key of its own; nothing in the user's
`~/.ssh` is read or written, and no sshd of the machine is started or changed.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packages import apt_install
from singularity_platform import needs_user_namespace
from steps import MINUTE, PREFIX, SetUpError, last_lines, run, say, stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steps import Options

STEP: Final = "ssh"
#: Programs, with the package that brings each.
TOOLS: Final = {
    "ssh": "openssh-client",
    "sshd": "openssh-server",
    "rsync": "rsync",
    "ip": "iproute2",  # networks of their own, for the tests
}
#: Where Debian keeps sshd is not on every user's PATH.
SYSTEM_PATH: Final = "/usr/sbin:/sbin"
POLICY: Final = Path("/usr/sbin/policy-rc.d")
START_NOTHING: Final = "#!/bin/sh\nexit 101\n"
ENGINES: Final = ("docker", "singularity")
#: In a shell that is not the first (SHLVL), bash reads no ~/.bashrc: what a user has
#: there may start hundreds of programs for each command. The key exchange that sshd
#: prefers computes for 55 ms, so what is recorded today stays secret from computers
#: to come: nobody records loopback.
CONFIG: Final = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
AllowUsers {user}
PidFile {folder}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
KexAlgorithms curve25519-sha256
SetEnv "PATH={path}" "SHLVL=1"{more}
"""
PLATFORM: Final = """\
# This machine itself, by an sshd of its own on loopback.
host: 127.0.0.1
port: {port}
authentication:
  user: {user}
  identity_file: key
known_hosts: known_hosts
platform: {engine}.yaml
interpreter:
  type: virtualenv
  python: {python}
"""


def set_up_ssh(_: Options) -> dict[str, str]:
    """Have an sshd answer on loopback, and the platform files that point to it."""
    _provide_tools()
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    folder = folder / PREFIX / "ssh"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("key", "host_key"):
        if not (folder / name).exists():
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"]
            run(STEP, [*command, str(folder / name)], seconds=MINUTE)
    port = _running_port(folder)
    if port is None:
        port = _start(folder)
    host_key = (folder / "host_key.pub").read_text(encoding="utf-8")
    _write(folder / "known_hosts", f"[127.0.0.1]:{port} {host_key}")
    for engine in ENGINES:
        text = PLATFORM.format(
            port=port,
            user=getpass.getuser(),
            engine=engine,
            # Not a script in its place, which costs half a second of each call.
            python=sys.executable,
        )
        _write(_platform_file(folder, engine), text)
    say(f"{STEP}: sshd answers on port {port} of loopback; platform files in {folder}")
    return {
        f"MLCUBE_CONFORMANCE_SSH_{engine.upper()}": str(_platform_file(folder, engine))
        for engine in ENGINES
    }


def _platform_file(folder: Path, engine: str) -> Path:
    return folder / f"ssh-{engine}.yaml"


def _path() -> str:
    # An empty one would mean the current folder.
    return os.environ.get("PATH") or os.defpath


def _which(name: str) -> str | None:
    return shutil.which(name, path=f"{_path()}:{SYSTEM_PATH}")


def _provide_tools() -> None:
    missing = [package for name, package in TOOLS.items() if _which(name) is None]
    if missing:
        with _nothing_starts():
            apt_install(STEP, missing)


@contextlib.contextmanager
def _nothing_starts() -> Iterator[None]:
    """Keep the package of sshd from opening the machine to the network.

    Debian asks this program before it starts a service; see invoke-rc.d(8).
    """
    if os.geteuid() != 0 or POLICY.exists():
        yield
        return
    POLICY.write_text(START_NOTHING, encoding="utf-8")
    POLICY.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH)
    try:
        yield
    finally:
        POLICY.unlink()


def _running_port(folder: Path) -> int | None:
    """Return the port of the sshd that was started before, if it still runs."""
    try:
        port = int((folder / "port").read_text(encoding="utf-8"))
        pid = int((folder / "sshd.pid").read_text(encoding="utf-8"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return port if os.fsencode(folder) in command else None


def _start(folder: Path) -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd asks for it of root
    namespace = needs_user_namespace()
    config = folder / "sshd_config"
    _write(
        config,
        CONFIG.format(
            port=port,
            folder=folder,
            user=getpass.getuser(),
            path=_path(),
            more=' "APPTAINER_USERNS=1"' if namespace else "",
        ),
    )
    log = folder / "sshd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (a fixed list, no shell)
            [str(_which("sshd")), "-D", "-e", "-f", str(config)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(process, log)
    except BaseException:
        stop(process)
        raise
    _write(folder / "port", str(port))
    return port


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + MINUTE
    while b"Server listening" not in log.read_bytes():
        if process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
            continue
        with log.open("rb") as output:
            said = last_lines(output)
        raise SetUpError(
            what=f"{STEP}: sshd was started and does not listen",
            where=str(log),
            found=f"the log ends with:\n{said}",
            todo="fix what it reports",
        )


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all: others may read it meanwhile."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
