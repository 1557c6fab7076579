"""Runs child processes: argument lists, a deadline, output in files, no leftovers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Required, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = [
    "DiskFullError",
    "Ended",
    "Streams",
    "find_program",
    "kill_all",
    "processes_in_session",
    "processes_with",
    "run_process",
    "safe_environment",
    "search_path",
]

#: Seconds between two looks at a running process.
_PAUSE = 0.05
#: Bytes passed on at a time.
_PIECE = 1024 * 1024
#: Seconds that a process has to end after it was asked to.
_GRACE = 5.0
#: Bytes that must be free on the disk of a log: less is not a place for a line.
_ROOM = 4096


class DiskFullError(OSError):
    """The disk that takes a process's output is full, so it was ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended."""

    exit_code: int
    """128 + n where signal n ended it."""
    timed_out: bool
    seconds: float


def search_path(*folders: str) -> str:
    """Return a PATH of these folders, without those that depend on where one stands.

    An empty entry and a relative one mean the current folder, which may be a cube's:
    a file in it would be taken for the program of that name.
    """
    kept = [each for each in folders if each.startswith("/") and ":" not in each]
    return ":".join(kept) or os.defpath  # an empty PATH means the current folder, too


def safe_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment, this process's by default, with the PATH of a child."""
    found = dict(os.environ if environment is None else environment)
    if "PATH" in found:
        found["PATH"] = search_path(*found["PATH"].split(":"))
    return found


def find_program(name: str) -> str | None:
    """Return the path of a program, as a child would find it; None for none."""
    return shutil.which(name, path=safe_environment().get("PATH", os.defpath))


class Streams(TypedDict, total=False):
    """What `run_process` learns of the streams of a process, and of its time."""

    stdout: Required[Path]
    stderr: Required[Path]
    timeout: Required[float]
    stdin: Path | None
    out: Callable[[bytes], None] | None
    err: Callable[[bytes], None] | None
    waiting: Callable[[float], None] | None


def run_process(  # noqa: PLR0913 - each is one fact of the process
    argv: Sequence[str],
    *,
    stdout: Path,
    stderr: Path,
    timeout: float,
    stdin: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    out: Callable[[bytes], None] | None = None,
    err: Callable[[bytes], None] | None = None,
    waiting: Callable[[float], None] | None = None,
    begun: Callable[[int], None] | None = None,
) -> Ended:
    """Run a process in a session of its own to its end, or kill it at its deadline.

    Whatever happens, nothing of the session is left when this returns.

    Args:
        argv: Its arguments, the program first; no shell reads them.
        stdout: File for its standard output; written over.
        stderr: File for its standard error; may be the same file.
        timeout: Seconds.
        stdin: File that it reads as its standard input; None for nothing.
        env: Its whole environment; None for that of this process. No program is found
            in the folder that it starts in: see `search_path`.
        cwd: Folder to start in.
        out: Takes its standard output as it comes.
        err: Takes its standard error as it comes.
        waiting: Called again and again with the seconds since the start.
        begun: Called once with the number of the session.

    Raises:
        DiskFullError: The disk with its output is full.
        OSError: It cannot be started.
    """
    started = time.monotonic()
    stdout.write_bytes(b"")
    # Both at the end, since they may be one file.
    reader = stdin.open("rb") if stdin else nullcontext(subprocess.DEVNULL)
    with reader as given, stdout.open("ab") as out_file, stderr.open("ab") as err_file:
        process = subprocess.Popen(  # noqa: S603 - what to run is the caller's word
            argv,
            env=safe_environment(env),
            cwd=cwd,
            stdin=given,
            stdout=out_file,
            stderr=err_file,
            start_new_session=True,
        )
    try:
        if begun is not None:
            begun(process.pid)
        with stdout.open("rb") as said, stderr.open("rb") as complained:
            follow = ((said, out), (complained, err))
            timed_out = _wait(process, started + timeout, follow, waiting)
    finally:
        _end_group(process)
    code = process.returncode
    return Ended(
        exit_code=128 - code if code < 0 else code,
        timed_out=timed_out,
        seconds=time.monotonic() - started,
    )


def _wait(
    process: subprocess.Popen[bytes],
    deadline: float,
    follow: Sequence[tuple[BinaryIO, Callable[[bytes], None] | None]],
    waiting: Callable[[float], None] | None,
) -> bool:
    """Wait for the end; say whether the deadline came first."""
    started = time.monotonic()
    while True:
        try:
            process.wait(_PAUSE)
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
        for file, take in follow:
            if take is not None and (piece := file.read(_PIECE)):
                take(piece)
            _refuse_full_disk(file)
        now = time.monotonic()
        if ended or now >= deadline:
            for file, take in follow:
                while take is not None and (piece := file.read(_PIECE)):
                    take(piece)
            return not ended
        if waiting is not None:
            waiting(now - started)


def _refuse_full_disk(file: BinaryIO) -> None:
    """Raise where a log can take no more: its process would not say so."""
    disk = os.fstatvfs(file.fileno())
    if disk.f_blocks == 0:
        return  # What has no size, such as /dev/null, is never full.
    free = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    if free * disk.f_frsize < _ROOM:
        message = f"no space left on the disk of {file.name}"
        raise DiskFullError(ENOSPC, message)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    # Also when it ended by itself: what it started must not outlive it.
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()
    kill_all(list(processes_in_session(process.pid)))


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def processes_with(variable: str) -> Iterator[tuple[int, str]]:
    """Yield the process id and value of each process that has a variable.

    Only processes of this user are seen, and only where there is `/proc`.
    """
    start = f"{variable}=".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # ended, or another user's
        for each in variables:
            if each.startswith(start):
                yield int(folder.name), os.fsdecode(each[len(start) :])


def processes_in_session(session: int) -> Iterator[int]:
    """Yield the process ids of a session, also where its groups are several.

    The number of a session is not used again while any of its processes lives.
    """
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # ended
        # The name, in parentheses, may hold anything; proc(5) has the fields.
        fields = stat.rpartition(")")[2].split()
        if int(fields[3]) == session and fields[0] != "Z":
            yield int(folder.name)


def kill_all(process_ids: Sequence[int]) -> None:
    """Kill processes that may have ended already."""
    for process_id in process_ids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process_id, signal.SIGKILL)
