"""A program on another host that answers one request after another.

To go there and to start it takes longer than most answers, so it is started once. A
request is a line of JSON with a number; its answer is a line with the same number, and
whatever else is said, such as by a shell that starts, is passed over.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from mlcube_conformance.base.interrupts import waiting_requests
from mlcube_conformance.base.process import (
    Ended,
    begin_session,
    end_session,
    exit_code_of,
)
from mlcube_conformance.runners.places.ssh.answers import LONGEST, answer_in, request_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["AgentSession"]

#: Seconds that a program has to end whose requests, or answers, have ended.
_GRACE = 2
#: Bytes that are read or written at a time.
_PIECE = 64 * 1024


class AgentSession:
    """A program that is started by a request, and waits for more."""

    def __init__(
        self, argv: Sequence[str], errors: Path, begun: Callable[[int], None]
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            argv: Its arguments, the program first; no shell here reads them.
            errors: File for what it says besides, since the last request.
            begun: Called with the number of its session, each time it is started.
        """
        self.argv = tuple(argv)
        self._errors = errors
        self._begun = begun
        self._number = 0
        self._read = bytearray()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(
        self, request: Mapping[str, Any], timeout: float
    ) -> tuple[dict[str, Any] | None, Ended]:
        """Return the answer to a request, None for none, and how the program ended.

        One that answers goes on, and counts as one that exited with 0. One that does
        not answer, or is interrupted, is ended; the next request starts another.
        """
        started = time.monotonic()
        self._errors.write_bytes(b"")
        self._number += 1
        text = request_of(request, self._number)
        answer: dict[str, Any] | None = None
        timed_out = False
        if self._process and self._process.poll() is not None:
            self._end(0)
        try:
            process = self._process or self._start()
            answer, timed_out = self._exchange(process, text, started + timeout)
        finally:
            if answer is None:
                self._end(0)
        return answer, Ended(
            exit_code=exit_code_of(process) if answer is None else 0,
            timed_out=timed_out,
            seconds=time.monotonic() - started,
        )

    def _start(self) -> subprocess.Popen[bytes]:
        self._read.clear()
        with self._errors.open("ab") as log, waiting_requests():
            self._process = begin_session(
                self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        self._begun(self._process.pid)
        return self._process

    def _exchange(
        self, process: subprocess.Popen[bytes], text: bytes, deadline: float
    ) -> tuple[dict[str, Any] | None, bool]:
        """Return the answer, None for none, and whether it timed out."""
        given, said = _streams(process)
        os.set_blocking(given.fileno(), False)
        rest = memoryview(text)
        with selectors.DefaultSelector() as ready:
            ready.register(given, selectors.EVENT_WRITE)
            ready.register(said, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0:
                for key, _ in ready.select(left):
                    if key.fileobj is given:
                        rest = rest[_write(given, rest) :]
                        if not rest:
                            ready.unregister(given)
                        continue
                    piece = os.read(said.fileno(), _PIECE)
                    if not piece:
                        with suppress(subprocess.TimeoutExpired):
                            process.wait(_GRACE)
                    answer = self._answer(piece)
                    if answer is not None or not piece or len(self._read) > LONGEST:
                        return answer, False
        return None, True

    def _answer(self, piece: bytes) -> dict[str, Any] | None:
        """Return the answer with its number, None while its line has no end."""
        self._read += piece
        if b"\n" not in piece:
            return None
        *lines, self._read = self._read.split(b"\n")
        return answer_in(map(bytes, lines), self._number)

    def end(self) -> None:
        """End it, and all that it started here; no request to end cuts this short.

        Closing its input ends it, so the host frees the session.
        """
        self._end(_GRACE)

    def _end(self, grace: float) -> None:
        if not self._process:
            return
        with waiting_requests():
            given, said = _streams(self._process)
            given.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
            said.close()
            end_session(self._process, _GRACE)
            self._process = None


def _streams(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    """Return what a process is given, and what it says."""
    if not (process.stdin and process.stdout):
        raise ValueError("not started")
    return process.stdin, process.stdout


def _write(stream: IO[bytes], text: memoryview) -> int:
    """Return how many bytes of a text a stream took."""
    try:
        return os.write(stream.fileno(), text[:_PIECE])
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(text)  # Its output ends, too, and shows how it ended.
