"""What a process says, on its way to files."""

from __future__ import annotations

import os
import selectors
import time
from contextlib import contextmanager
from errno import ENOSPC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from typing import IO, Self

    from mlcube_conformance.base.cut_log import CutLog

__all__ = ["DiskFullError", "Output"]

#: Bytes passed on at a time.
_PIECE = 1024 * 1024
#: Seconds for what a process said before it ended.
_LAST = 2.0
#: Bytes that must be free on the disk of a log: less is not a place for a line.
_ROOM = 4096


class DiskFullError(OSError):
    """The disk that takes a process's output is full, so it was ended."""


class Output:
    """What a process says, on its way to files."""

    def __init__(self) -> None:
        """Begin with no stream."""
        self._ready = selectors.DefaultSelector()
        self._files: list[tuple[CutLog, io.FileIO]] = []

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the streams."""
        self._ready.close()

    def keep(self, stream: IO[bytes] | None, log: CutLog, file: io.FileIO) -> None:
        """Write what comes by a stream to a log from now on."""
        if stream is not None:
            os.set_blocking(stream.fileno(), False)
            self._ready.register(stream, selectors.EVENT_READ, log)
            self._files.append((log, file))

    def pump(self, pause: float) -> bool:
        """Write down what was said, after a wait of `pause` seconds for it at most.

        Returns:
            Whether anything was said.

        Raises:
            DiskFullError: It cannot be written.
        """
        if not self._ready.get_map():
            return False
        found = False
        for key, _ in self._ready.select(pause):
            piece = os.read(key.fd, _PIECE)
            if not piece:
                self._ready.unregister(key.fileobj)
                continue
            found = True
            with _telling_full_disk():
                key.data.add(piece)
        for _, file in self._files:
            _refuse_full_disk(file)
        return found

    @property
    def are_open(self) -> bool:
        """Whether anything may be said yet."""
        return bool(self._ready.get_map())

    def end(self) -> None:
        """Write down the rest, without waiting for whoever got away.

        Raises:
            DiskFullError: It cannot be written.
        """
        deadline = time.monotonic() + _LAST
        while time.monotonic() < deadline and self.pump(0):
            pass
        for log, _ in self._files:
            with _telling_full_disk():
                log.end()


@contextmanager
def _telling_full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskFullError(error.errno, str(error.strerror)) from error


def _refuse_full_disk(file: io.FileIO) -> None:
    """Raise where a log can take no more: its process would not say so."""
    disk = os.fstatvfs(file.fileno())
    if disk.f_blocks == 0:
        return  # What has no size, such as /dev/null, is never full.
    free = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    if free * disk.f_frsize < _ROOM:
        message = f"no space left on the disk of {file.name}"
        raise DiskFullError(ENOSPC, message)
