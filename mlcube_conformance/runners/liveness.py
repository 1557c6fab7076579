"""Tells whether the process that started a container or job still lives.

A run holds a lock file for as long as it lives; the kernel lets go of it however
the process ends. What carries the name of a lock that nobody holds was left over.
"""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from mlcube_conformance.errors import MachineError, Message
from mlcube_conformance.workspace import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = [
    "HOST_LABEL",
    "OWNER_LABEL",
    "RUN_LABEL",
    "Liveness",
    "build_lock",
    "lock_folder",
]

RUN_LABEL = "mlcube-conformance.run"
OWNER_LABEL = "mlcube-conformance.owner"
HOST_LABEL = "mlcube-conformance.host"


def lock_folder() -> Path:
    """Return the folder of the lock files of this user, made if need be."""
    folder = user_cache_path("mlcube-conformance") / "locks"
    make_folder(folder)
    return folder


class Liveness:
    """The lock that says "this run lives", and the labels that lead to it."""

    def __init__(self, run_id: str) -> None:
        """Take the lock."""
        # One for each runner of each process of the run.
        mark = f"{run_id}-{os.getpid()}-{secrets.token_hex(4)}"
        self._file = lock_folder() / f"run-{mark}.lock"
        self._lock = FileLock(self._file)
        self._lock.acquire()
        self.run_id = run_id

    def labels(self) -> dict[str, str]:
        """Return the labels to put on what must not outlive the run."""
        return {
            RUN_LABEL: self.run_id,
            OWNER_LABEL: str(self._file),
            HOST_LABEL: socket.gethostname(),
        }

    def is_left_over(self, labels: Mapping[str, str]) -> bool:
        """Say whether what has these labels belongs to a run that is over.

        What another machine or another user started is never said to be.
        """
        owner = labels.get(OWNER_LABEL, "")
        if not owner or labels.get(HOST_LABEL) != socket.gethostname():
            return False
        file = lock_folder() / os.path.basename(owner)  # noqa: PTH119 - no I/O
        if owner == str(self._file) or owner != str(file):
            return False
        if not file.exists():
            return True
        try:
            with FileLock(file, timeout=0):
                file.unlink()
        except Timeout:
            return False
        return True

    def end(self) -> None:
        """Let go of the lock."""
        self._lock.release()
        self._file.unlink(missing_ok=True)


@contextmanager
def build_lock(
    key: str, what: str, timeout: float, note: Callable[[str], None]
) -> Iterator[None]:
    """Hold the only right on this machine to make one thing.

    Args:
        key: A short text without separators, the same for the same thing.
        what: What messages call it.
        timeout: Seconds to wait for another process at most.
        note: Told once if another process holds the right.

    Raises:
        MachineError: It was not to be had in time.
    """
    lock = FileLock(lock_folder() / f"build-{key}.lock")
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            note(f"waiting for another run to make {what}")
            lock.acquire(timeout=timeout)
    except Timeout as error:
        raise MachineError(
            Message(
                what=f"another run has been making {what} for {timeout:g} s",
                where=str(lock.lock_file),
                found="a lock that is held",
                expected="the end of it within --configure-timeout",
                do="end the other run, or give more seconds",
            )
        ) from error
    try:
        yield
    finally:
        lock.release()
