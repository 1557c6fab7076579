"""A program on another host that answers one request after another.

To go there and to start it takes longer than most answers, so it is started once. A
request is a line of JSON with a number; its answer is a line with the same number, and
whatever else is said, such as by a shell that starts, is passed over.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.interrupts import waiting_requests
from mlcube_conformance.base.process import (
    Ended,
    kill_all,
    processes_in_session,
    safe_environment,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Standing"]

#: Seconds that a program has to end whose requests, or answers, have ended.
_GRACE = 2
#: Bytes that are read or written at a time.
_PIECE = 64 * 1024


class Standing:
    """A program that was started and waits for requests."""

    def __init__(
        self, argv: Sequence[str], errors: Path, begun: Callable[[int], None]
    ) -> None:
        """Start it.

        Args:
            argv: Its arguments, the program first; no shell here reads them.
            errors: File for what it says besides, since the last request.
            begun: Called once with the number of its session.
        """
        self.argv = tuple(argv)
        self._errors = errors
        self._number = 0
        self._read = bytearray()
        with errors.open("ab") as log, waiting_requests():
            self._process = subprocess.Popen(  # noqa: S603 - our own argument list
                self.argv,
                bufsize=0,
                env=safe_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        given, said = self._process.stdin, self._process.stdout
        if given is None or said is None:
            msg = "a process without the streams that were asked for"
            raise ValueError(msg)
        os.set_blocking(given.fileno(), False)
        self._given, self._said = given, said
        begun(self._process.pid)

    def ask(
        self, request: Mapping[str, Any], timeout: float
    ) -> tuple[dict[str, Any] | None, Ended]:
        """Return the answer to a request, None for none, and how the program ended.

        One that answers goes on, and counts as one that exited with 0. One that does
        not answer, or whose user does not wait, is ended.
        """
        started = time.monotonic()
        os.truncate(self._errors, 0)
        self._number += 1
        text = json.dumps({**request, "number": self._number}).encode() + b"\n"
        answer, timed_out = None, False
        try:
            answer, timed_out = self._exchange(text, started + timeout)
        finally:
            if answer is None:
                self._kill()
        code = 0 if answer is not None else self._process.returncode
        return answer, Ended(
            exit_code=128 - code if code < 0 else code,
            timed_out=timed_out,
            seconds=time.monotonic() - started,
        )

    def _exchange(
        self, text: bytes, deadline: float
    ) -> tuple[dict[str, Any] | None, bool]:
        """Return the answer, and whether none came before the deadline."""
        with selectors.DefaultSelector() as ready:
            ready.register(self._given, selectors.EVENT_WRITE)
            ready.register(self._said, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0:
                for key, _ in ready.select(left):
                    if key.fileobj is self._given:
                        text = text[self._write(text) :]
                        if not text:
                            ready.unregister(self._given)
                        continue
                    piece = os.read(self._said.fileno(), _PIECE)
                    if not piece:
                        self._wait()
                        return None, False
                    answer = self._answer(piece)
                    if answer is not None:
                        return answer, False
        return None, True

    def _write(self, text: bytes) -> int:
        try:
            return os.write(self._given.fileno(), text[:_PIECE])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(text)  # Its output ends, too, and shows how it ended.

    def _answer(self, piece: bytes) -> dict[str, Any] | None:
        """Return the answer, if its line ends in what was just read."""
        self._read += piece
        if b"\n" not in piece:
            return None
        *lines, self._read = self._read.split(b"\n")
        for each in lines:
            with suppress(ValueError):
                found = json.loads(each)
                if isinstance(found, dict) and found.pop("to", 0) == self._number:
                    return found
        return None

    def _wait(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)

    @property
    def answers(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def end(self) -> None:
        """End it, and all that it started here.

        It ends by itself where it is asked for no more: then its host knows that it
        has, and lets the next in.
        """
        self._given.close()
        self._wait()
        self._kill()

    def _kill(self) -> None:
        self._given.close()
        self._said.close()
        if self.answers:
            self._process.terminate()
            self._wait()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        kill_all(list(processes_in_session(self._process.pid)))
