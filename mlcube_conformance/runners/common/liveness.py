"""Tells whether the process that started a container or job still lives.

A run holds a lock file for as long as it lives; the kernel lets go of it however
the process ends. What carries the name of a lock that nobody holds was left over.
What cannot carry a name (processes of an engine, temporary files) is written down
in a file beside the lock.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from mlcube_conformance.base.errors import MachineError, Message
from mlcube_conformance.base.homes import cache_folder
from mlcube_conformance.base.process import kill_all, processes_in_session
from mlcube_conformance.plan.workspace import make_folder
from mlcube_conformance.runners.common.scratch import remove_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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
    """Return the folder of the lock files of this user, created if needed."""
    folder = cache_folder() / "locks"
    make_folder(folder)
    return folder


class Liveness:
    """The lock that says "this run lives", and the labels that point to it."""

    def __init__(self, run_id: str) -> None:
        """Prepare; the lock is taken when there is something to point to it."""
        self.run_id = run_id
        # One for each runner of each process of the run.
        self.mark = f"{run_id}-{os.getpid()}-{secrets.token_hex(4)}"
        self._lock: FileLock | None = None

    @property
    def taken(self) -> bool:
        """Whether anything was started that points to the lock."""
        return self._lock is not None

    @property
    def _file(self) -> Path:
        return lock_folder() / f"run-{self.mark}.lock"

    def _take(self) -> None:
        if self._lock is None:
            self._lock = FileLock(self._file)
            self._lock.acquire()

    def labels(self) -> dict[str, str]:
        """Return the labels to put on what must not outlive the run."""
        self._take()
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

    def remember_session(self, session: int) -> None:
        """Write down a session of processes that must not outlive the run."""
        self._note(
            {"session": str(session), "since": _started(session), "boot": _boot()}
        )

    def remember_path(self, path: Path) -> None:
        """Write down a file or folder that must not outlive the run."""
        self._note({"path": str(path)})

    def _note(self, note: Mapping[str, str]) -> None:
        self._take()
        with self._file.with_suffix(".left").open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps({'host': socket.gethostname(), **note})}\n")

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Make a folder for an engine's temporary files, and remove it at the end."""
        folder = Path(tempfile.mkdtemp(prefix="mlcube-"))
        self.remember_path(folder)
        try:
            yield folder
        finally:
            remove_all(folder)

    def remove_noted(self) -> tuple[str, ...]:
        """Kill and remove what runs that are over had written down; return names."""
        removed: list[str] = []
        for file in lock_folder().glob("run-*.left"):
            notes = _read_notes(file)
            # A home may be shared by machines; another's processes are not seen here.
            host = notes[0].get("host", "") if notes else socket.gethostname()
            owner = str(file.with_suffix(".lock"))
            if self.is_left_over({OWNER_LABEL: owner, HOST_LABEL: host}):
                # Processes first: they could make files again.
                for each in sorted(notes, key=lambda note: "path" in note):
                    removed += _remove(each)
                file.unlink(missing_ok=True)
        return tuple(removed)

    def end(self) -> None:
        """Let go of the lock."""
        if self._lock is not None:
            self._lock.release()
            self._file.with_suffix(".left").unlink(missing_ok=True)
            self._file.unlink(missing_ok=True)
            self._lock = None


def _boot() -> str:
    """Return what tells this start of the machine from all others."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _started(process: int) -> str:
    """Return when a process began, in the kernel's own count; "" when it is gone."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(
            encoding="utf-8", errors="replace"
        )
    except OSError:
        return ""
    # proc(5): the 22nd field; the second, in parentheses, may hold anything.
    return text.rpartition(")")[2].split()[19]


def _read_notes(file: Path) -> list[dict[str, str]]:
    notes = []
    with suppress(OSError, ValueError):  # gone by now, or its last line cut short
        for line in file.read_text(encoding="utf-8").splitlines():
            notes.append(json.loads(line))  # noqa: PERF401 - keeps those before a fault
    return notes


def _remove(note: dict[str, str]) -> list[str]:
    if "path" in note:
        path = Path(note["path"])
        found = os.path.lexists(path)
        remove_all(path)
        return [str(path)] if found else []
    session = int(note["session"])
    # A leader that began at another time is somebody else's, with a number used again.
    if note["boot"] != _boot() or _started(session) not in {"", note["since"]}:
        return []
    found_processes = list(processes_in_session(session))
    kill_all(found_processes)
    return [f"process {each}" for each in found_processes]


@contextmanager
def build_lock(
    key: str, what: str, timeout: float, note: Callable[[str], None]
) -> Iterator[None]:
    """Hold the only right on this machine to make one result.

    Args:
        key: A short text without separators, the same for the same result.
        what: What messages call it.
        timeout: Seconds to wait for another process at most.
        note: Called once if another process holds the right.

    Raises:
        MachineError: The lock was not free in time.
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
                found="a lock in use",
                expected="an end within --configure-timeout",
                do="end the other run, or raise --configure-timeout",
            )
        ) from error
    try:
        yield
    finally:
        lock.release()
