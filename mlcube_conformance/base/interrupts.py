"""Turns every termination signal into one interrupt, so containers are removed.

A key at the terminal (SIGINT), `kill` (SIGTERM) and a terminal that goes away (SIGHUP:
a window that is closed, an ssh that drops) ask for the same.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Self

__all__ = [
    "INTERRUPTED",
    "REQUESTS",
    "Interrupts",
    "ignore_requests",
    "waiting_requests",
]

#: Exit code of a command that was interrupted, as shells have it.
INTERRUPTED = 130
REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AGAIN = 2
_STDERR = 2


@contextmanager
def waiting_requests() -> Iterator[None]:
    """Let requests to end wait until this is left, where what was started can be ended.

    An interrupt between the start of a process and the code that ends it would leave
    it running. What ignores requests goes on doing so, and so does a child.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # No request is handled here.
        return
    came: list[int] = []
    known = ((each, signal.getsignal(each)) for each in REQUESTS)
    held = {number: handler for number, handler in known if callable(handler)}
    for number in held:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
        for request in came:
            signal.raise_signal(request)


def ignore_requests() -> None:
    """Ignore requests to end from now on, where one was heeded and the end is near.

    Another would change the exit code while Python takes itself down.
    """
    for number in REQUESTS:
        handler = signal.getsignal(number)
        if isinstance(getattr(handler, "__self__", None), Interrupts):
            signal.signal(number, signal.SIG_IGN)


class Interrupts:
    """Handles requests to end: one interrupts, the second waits, a third exits."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Remember where to say that the end is under way."""
        self._say = say
        self._count = 0
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        """Take the requests, and return itself."""
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        self.give_back()

    def take(self) -> None:
        """Handle requests from now on, except those that are ignored, as by nohup."""
        if threading.current_thread() is not threading.main_thread():
            return  # Only that one may.
        for number in REQUESTS:
            before = signal.getsignal(number)
            if before != signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._handle)

    def give_back(self) -> None:
        """Let requests do what they did before."""
        for number, before in self._before.items():
            if callable(before) or isinstance(before, signal.Handlers):
                signal.signal(number, before)
        self._before.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._count += 1
        if self._count == 1:
            raise KeyboardInterrupt
        if self._count == _AGAIN:
            # What runs is being removed: a second interrupt there would leave it.
            self._tell(
                "stopping the run; interrupt again to stop at once, without cleanup"
            )
        else:
            os._exit(INTERRUPTED)

    def _tell(self, text: str) -> None:
        try:
            self._say(text)
        except RuntimeError:
            # It came in the middle of a write, and a stream takes one at a time.
            with suppress(OSError):
                os.write(_STDERR, f"\n{text}\n".encode())
