"""Calls the command line of any runner, as its description says."""

from __future__ import annotations

import errno
import os
import re
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message
from mlcube_conformance.base.process import run_process
from mlcube_conformance.base.text import tail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Called", "ask", "call"]

#: Variables by which a call would not be one of a plain user: proxies, and those of a
#: CI, for whose log a runner may change what it passes on.
_NOT_PASSED = re.compile(
    r"(https?|no|all|ftp)_proxy|CI|GITHUB_ACTIONS|GITLAB_CI|TF_BUILD", re.IGNORECASE
)
#: What helps where a program does not start; otherwise it is missing.
_HELPS = {
    errno.EACCES: "make it executable (chmod +x)",
    errno.ENOEXEC: "let its first line name its interpreter",
}
#: A message is not to be broken into lines in the middle of a name.
_WIDE = {"COLUMNS": "1000", "NO_COLOR": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """The result of a call of a command line."""

    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]
    """What was set beside the environment of this process."""
    exit_code: int
    timed_out: bool
    seconds: float
    stdout: bytes
    stderr: bytes
    logs: Path

    @property
    def said(self) -> str:
        """Both streams as text."""
        return (self.stdout + b"\n" + self.stderr).decode("utf-8", "replace")


@dataclass(slots=True, kw_only=True)
class _Interrupt:
    """Interrupts a session once, when its output has come to some words."""

    at: bytes
    stdout: Path
    _session: int = 0

    def begun(self, session: int) -> None:
        """Take the number of the session."""
        self._session = session if self.at else 0

    def waiting(self, seconds: float) -> None:
        """Look at the output."""
        del seconds
        if self._session and self.at in self.stdout.read_bytes():
            with suppress(ProcessLookupError):
                os.killpg(self._session, signal.SIGINT)
            self._session = 0


def call(  # noqa: PLR0913 - each is one fact of the call
    argv: Sequence[str],
    *,
    logs: Path,
    cwd: Path,
    timeout: float,
    base: Mapping[str, str] | None = None,
    environment: Mapping[str, str],
    interrupt_at: bytes = b"",
) -> Called:
    """Run a command to its end, or kill it at its deadline.

    Args:
        argv: The program and its arguments; no shell reads them.
        logs: Folder for its streams.
        cwd: Folder to start in.
        timeout: Seconds.
        base: Environment to start from; None for that of a plain user.
        environment: What is set beside it.
        interrupt_at: Words on its standard output at which it is interrupted, as by a
            key at a terminal; nothing for never.

    Raises:
        MachineError: The program does not exist, or cannot be started.
    """
    logs.mkdir(parents=True, exist_ok=True)
    stdout, stderr = logs / "stdout.log", logs / "stderr.log"
    stderr.unlink(missing_ok=True)
    interrupt = _Interrupt(at=interrupt_at, stdout=stdout)
    try:
        ended = run_process(
            argv,
            stdout=stdout,
            stderr=stderr,
            timeout=timeout,
            env={**(_environment() if base is None else base), **environment},
            cwd=cwd,
            begun=interrupt.begun,
            waiting=interrupt.waiting,
        )
    except OSError as error:
        raise MachineError(
            Message(
                what="cannot start the program of the runner",
                where=argv[0],
                found=str(error.strerror),
                expected="a program that can be executed",
                do=f"{_HELPS.get(error.errno or 0, 'install it')}, or fix the "
                "runner's description",
            )
        ) from error
    return Called(
        argv=tuple(argv),
        cwd=cwd,
        environment=dict(environment),
        exit_code=ended.exit_code,
        timed_out=ended.timed_out,
        seconds=ended.seconds,
        stdout=stdout.read_bytes(),
        stderr=stderr.read_bytes(),
        logs=logs,
    )


def ask(argv: Sequence[str], *, logs: Path, timeout: float) -> str:
    """Return what a command of the runner's description says on its standard output.

    Raises:
        MachineError: It fails.
    """
    logs.mkdir(parents=True, exist_ok=True)
    called = call(argv, logs=logs, cwd=logs, timeout=timeout, environment={})
    if called.exit_code:
        raise MachineError(
            Message(
                what="a command of the runner's description fails",
                where=" ".join(argv),
                found=f"exit code {called.exit_code}",
                expected="exit code 0",
                do="run it by hand, or fix the description",
                tail=tail(logs / "stderr.log", 5),
            )
        )
    return called.stdout.decode("utf-8", "replace")


def _environment() -> dict[str, str]:
    """Return the environment of calls: proxies are set by the tests that need them."""
    kept = {k: v for k, v in os.environ.items() if not _NOT_PASSED.fullmatch(k)}
    return kept | _WIDE
