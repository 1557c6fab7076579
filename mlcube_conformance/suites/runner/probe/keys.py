"""Makes keys that no host knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message
from mlcube_conformance.base.process import run_process

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["make_key"]


def make_key(path: Path) -> None:
    """Make a private key of ssh.

    Raises:
        MachineError: There is no ssh-keygen, or it fails.
    """
    log = path.with_name("log")
    argv = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path))
    try:
        code = run_process(argv, stdout=log, stderr=log, timeout=20).exit_code
        found = f"exit code {code}" if code else ""
    except OSError as error:
        found = str(error.strerror)
    if found:
        raise MachineError(
            Message(
                what="cannot make an ssh key",
                where=argv[0],
                found=found,
                expected="OpenSSH's ssh-keygen",
                do="install OpenSSH's client",
                log=str(log),
            )
        )
