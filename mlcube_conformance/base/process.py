"""Runs child processes: argument lists, a deadline, output in files, no leftovers."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Required, TypedDict

from mlcube_conformance.base.cut_log import CutLog
from mlcube_conformance.base.interrupts import waiting_requests
from mlcube_conformance.base.output import DiskFullError, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = [
    "END_WITHIN",
    "Ended",
    "Streams",
    "begin_session",
    "end_session",
    "exit_code_of",
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
#: Seconds that a process has to end after it was asked to.
_GRACE = 5.0
#: Seconds in which a task that is asked to end has to do so.
END_WITHIN = 10
#: Seconds in which what a process started has to end after it.
_FOLLOW = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended."""

    exit_code: int
    """128 + n where signal n ended it."""
    timed_out: bool
    seconds: float
    left_running: int = 0
    """Processes that it left when it ended by itself, and that were killed then."""


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
    waiting: Callable[[float], bool | None] | None
    limit: int | None


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
    waiting: Callable[[float], bool | None] | None = None,
    begun: Callable[[int], None] | None = None,
    umask: int = -1,
    asked_after: float | None = None,
    limit: int | None = None,
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
        waiting: Called again and again with the seconds since the start; the process
            is ended when it returns True.
        begun: Called once with the number of the session.
        umask: Rights that new files of it lack; -1 for those of this process.
        asked_after: Seconds after which it is asked to end, by SIGTERM; from then on
            it has `END_WITHIN` seconds.
        limit: Bytes of each stream that are kept: its beginning and its end; None for
            all. The process goes on whatever it says.

    Raises:
        DiskFullError: The disk with its output is full.
        OSError: It cannot be started.
    """
    started = time.monotonic()
    stdout.write_bytes(b"")
    shared = stdout == stderr
    reader = stdin.open("rb") if stdin else nullcontext(subprocess.DEVNULL)
    with (
        reader as given,
        stdout.open("ab", buffering=0) as out_file,
        stderr.open("ab", buffering=0) as err_file,
        Output() as streams,
        ExitStack() as ending,
    ):
        left_running = None
        process = None
        try:
            with waiting_requests():
                process = ending.enter_context(
                    subprocess.Popen(  # noqa: S603 - what to run is the caller's word
                        argv,
                        bufsize=0,
                        env=safe_environment(env),
                        cwd=cwd,
                        stdin=given,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT if shared else subprocess.PIPE,
                        start_new_session=True,
                        umask=umask,
                    )
                )
            streams.keep(process.stdout, CutLog(out_file, limit, out or err), out_file)
            streams.keep(process.stderr, CutLog(err_file, limit, err), err_file)
            if begun is not None:
                begun(process.pid)
            ask = math.inf if asked_after is None else started + asked_after
            timed_out = _wait(process, started + timeout, ask, streams, waiting)
            ended = time.monotonic()
            if not timed_out and process.returncode is not None:
                left_running = _left_by(process, streams)
        finally:
            if process is not None:
                # What was looked for just now need not be looked for again.
                _end_group(process, streams, is_empty=left_running == 0)
                streams.end()
    return Ended(
        exit_code=exit_code_of(process),
        timed_out=timed_out,
        seconds=ended - started,
        left_running=left_running or 0,
    )


def _left_by(process: subprocess.Popen[bytes], streams: Output) -> int:
    """Return how many processes go on after the one that started them has ended."""
    deadline = time.monotonic() + _FOLLOW
    while left := len([*processes_in_session(process.pid)]):
        if time.monotonic() >= deadline:
            break
        if streams.are_open:
            streams.pump(_PAUSE)
        else:
            time.sleep(_PAUSE)
    return left


def _wait(
    process: subprocess.Popen[bytes],
    deadline: float,
    ask: float,
    streams: Output,
    waiting: Callable[[float], bool | None] | None,
) -> bool:
    """Wait for the end; say whether the deadline came first."""
    started = time.monotonic()
    while True:
        ended = _ends(process, streams, _PAUSE)
        now = time.monotonic()
        if now >= ask and not ended:
            process.terminate()
            ask, deadline = math.inf, now + END_WITHIN
        if ended or now >= deadline:
            return not ended
        if waiting is not None and waiting(now - started):
            return False


def _ends(process: subprocess.Popen[bytes], streams: Output, pause: float) -> bool:
    """Write down what a process says, a moment long; say whether it has ended."""
    if streams.are_open:
        streams.pump(pause)
        return process.poll() is not None
    with suppress(subprocess.TimeoutExpired):
        process.wait(pause)
    return process.returncode is not None


def _end_group(
    process: subprocess.Popen[bytes], streams: Output, *, is_empty: bool
) -> None:
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        with suppress(DiskFullError):
            # It may have last words, and not end before somebody takes them.
            while not _ends(process, streams, _PAUSE) and time.monotonic() < deadline:
                pass
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
    _kill_session(process, is_empty=is_empty)


def begin_session(
    argv: Sequence[str],
    *,
    stdin: int | IO[bytes],
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, which goes on until `end_session`.

    Raises:
        OSError: It cannot be started.
    """
    return subprocess.Popen(  # noqa: S603 - what to run is the caller's word
        argv,
        bufsize=0,
        env=safe_environment(),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


def end_session(process: subprocess.Popen[bytes], grace: float = _GRACE) -> None:
    """End a process and everything in its session.

    Args:
        process: The process.
        grace: Seconds that it has to end by itself, once it is asked to.
    """
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(grace)
    _kill_session(process)


def _kill_session(process: subprocess.Popen[bytes], *, is_empty: bool = False) -> None:
    # Also when it ended by itself: what it started must not outlive it.
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()
    if not is_empty:
        kill_all(list(processes_in_session(process.pid)))


def exit_code_of(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a process that has ended; 128 + n for signal n."""
    code = process.returncode
    return 128 - code if code < 0 else code


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
