"""One set-up at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from steps import PREFIX, SetUpError, say

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def one_at_a_time(seconds: float) -> Iterator[None]:
    """Hold the user's lock file, so two calls do no work twice."""
    path = Path(tempfile.gettempdir()) / f"{PREFIX}-set-up-{os.geteuid()}.lock"
    deadline = time.monotonic() + seconds
    told = False
    with path.open("a", encoding="utf-8") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                _wait_for_lock(path, deadline, told=told)
                told = True
        yield


def _wait_for_lock(path: Path, deadline: float, *, told: bool) -> None:
    if time.monotonic() > deadline:
        raise SetUpError(
            what="another set-up has not ended in time",
            where=str(path),
            found="the file is locked",
            todo="wait for the other process or end it, then run this again",
        )
    if not told:
        say(f"waiting for another set-up to end (lock {path}) ...")
    time.sleep(0.2)
