"""A command of a runner on this host, which outlives the connection that began it.

It has a folder: `job.json` says what it is for, `logs/` holds what it says and,
when it has ended, the result of it. A lock beside the folder is held by the command
itself: the kernel lets go of it however the command ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from mlcube_conformance.base.process import (
    kill_all,
    processes_in_session,
    safe_environment,
)
from mlcube_conformance.runners.places.outcome import OUTCOME, RESERVE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["NOTE", "end", "follow", "is_running", "look", "start", "stop"]

#: Beside a job: whom the folder belongs to; its time says when it was used.
NOTE = "place.json"
_RECORD = "job.json"
_SESSION = "session"
#: What the command says beside the task, such as a traceback.
_SAID = "runner.log"
#: Seconds between two looks at a log.
_PAUSE = 0.1
#: Bytes passed on at a time.
_PIECE = 256 * 1024
#: Times that the lock is asked for: one who looks holds it for a moment.
_ATTEMPTS = 20
#: Bytes that are enough for an outcome.
_RESERVED = 256 * 1024


@contextmanager
def _lock(folder: Path, mode: Literal["a", "r+"] = "a") -> Iterator[IO[str]]:
    """Hold the lock of a job; it is made by the mode "a" only.

    Raises:
        BlockingIOError: The job runs.
        FileNotFoundError: There is no lock, and none is made.
    """
    with folder.with_name(f"{folder.name}.lock").open(mode, encoding="utf-8") as lock:
        for attempt in range(_ATTEMPTS):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(_PAUSE / _ATTEMPTS)
            else:
                break
        yield lock


def is_running(folder: Path) -> bool:
    """Say whether the command of a job still runs; leaves all as it is."""
    try:
        # No lock is made: its folder may be about to be removed by another.
        with _lock(folder, "r+"):
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


def start(request: Mapping[str, Any]) -> dict[str, Any]:
    """Start a command, unless the job runs already; `mine` says which.

    Args:
        request: `folder` of the job, `argv`, `env`, and `record`, which is kept.
    """
    folder = Path(request["folder"])
    folder.parent.mkdir(parents=True, exist_ok=True)
    if is_running(folder):
        return {**look(request), "mine": False}
    with suppress(OSError):
        os.utime(folder.parent / NOTE)  # It is in use.
    with _lock(folder) as lock:
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "logs").mkdir(parents=True)
        (folder / "logs" / RESERVE).write_bytes(bytes(_RESERVED))
        (folder / _RECORD).write_text(json.dumps(request["record"]), encoding="utf-8")
        with (folder / _SAID).open("wb") as said:
            process = subprocess.Popen(  # noqa: S603 - what to run is the caller's word
                [*request["argv"], "--logs", str(folder / "logs")],
                cwd=folder,
                env=safe_environment({**os.environ, **request["env"]}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
                pass_fds=(lock.fileno(),),
            )
        (folder / _SESSION).write_text(str(process.pid), encoding="ascii")
    return {**look(request), "mine": True}


def follow(request: Mapping[str, Any]) -> None:
    """Pass on what a job says, to the same streams, until it has ended.

    Args:
        request: `folder` of the job; `stdout` and `stderr`, names of its logs.
    """
    folder = Path(request["folder"])
    streams = {"stdout": sys.stdout.buffer, "stderr": sys.stderr.buffer}
    places = {
        folder / "logs" / request[name]: stream
        for name, stream in streams.items()
        if request.get(name)
    }
    read = dict.fromkeys(places, 0)
    while True:
        running = is_running(folder)
        for path, stream in places.items():
            with suppress(FileNotFoundError), path.open("rb") as file:
                file.seek(read[path])
                while piece := file.read(_PIECE):
                    stream.write(piece)
                    read[path] += len(piece)
                stream.flush()
        if not running:
            return
        time.sleep(_PAUSE)


def look(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a job: `state`, `record`, `outcome` and `said`.

    The state is `none`, `running`, `ended`, or `lost` where it left no outcome.
    """
    folder = Path(request["folder"])
    found: dict[str, Any] = {"state": "none", "record": None, "outcome": None}
    # Before the files: what has ended has written them.
    running = is_running(folder)
    with suppress(OSError, ValueError):
        found["record"] = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        found["state"] = "running" if running else "lost"
    with suppress(OSError, ValueError):
        text = (folder / "logs" / OUTCOME).read_text(encoding="utf-8")
        if not running:
            found |= {"state": "ended", "outcome": json.loads(text)}
    with suppress(OSError):
        said = (folder / _SAID).read_bytes()[-_PIECE:]
        found["said"] = said.decode("utf-8", errors="replace").splitlines()[-20:]
    with suppress(OSError):
        found["free"] = shutil.disk_usage(folder.parent).free
    return found


def stop(request: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the command of a job to end, and insist after `grace` seconds."""
    folder = Path(request["folder"])
    with suppress(OSError, ValueError):
        session = int((folder / _SESSION).read_text(encoding="ascii"))
        if is_running(folder):
            with suppress(ProcessLookupError):
                os.kill(session, signal.SIGTERM)
            deadline = time.monotonic() + request["grace"]
            while is_running(folder) and time.monotonic() < deadline:
                time.sleep(_PAUSE)
        if is_running(folder):
            kill_all(list(processes_in_session(session)))
    return look(request)


def end(request: Mapping[str, Any]) -> dict[str, Any]:
    """Forget a job that has ended."""
    folder = Path(request["folder"])
    if not is_running(folder):
        shutil.rmtree(folder, ignore_errors=True)
    return look(request)
