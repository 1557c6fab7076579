"""A log of bounded size: the beginning and the end of what somebody says."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import io
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["CutLog", "cut_note"]

#: How the line begins that stands for what was left out.
_CUT = "… cut: more than "
#: Bytes of the end that are kept in memory until there is no more.
_END = 1024 * 1024
#: Bytes of the longest note.
_NOTE = 256


class CutLog:
    """Writes what somebody says to a file, in which too much is cut in the middle.

    Whoever speaks is never kept waiting: what is too much is dropped.
    """

    def __init__(
        self,
        file: io.FileIO,
        limit: int | None,
        live: Callable[[bytes], None] | None = None,
    ) -> None:
        """Begin at the end of a file.

        Args:
            file: Unbuffered, for others read it at the same time.
            limit: Bytes to keep; None for all.
            live: Takes what is kept as it is written.
        """
        self._file = file
        self._live = live
        self._end_size = 0 if limit is None else min(_END, limit // 2)
        self._limit = limit
        self._left = None if limit is None else limit - self._end_size
        self._end = bytearray()
        self._cut = False

    def add(self, piece: bytes) -> None:
        """Write a piece down, or what of it is kept.

        Raises:
            OSError: It cannot be written.
        """
        if self._left is None:
            self._write(piece)
            return
        self._write(piece[: self._left])
        rest = piece[self._left :]
        self._left = max(0, self._left - len(piece))
        if not rest:
            return
        self._end += rest
        if len(self._end) > 2 * self._end_size:
            self._drop()

    def _drop(self) -> None:
        if not self._cut:
            self._cut = True
            note = f"\n{_CUT}{self._limit:,} bytes; the end follows …\n"
            self._write(note.encode())
        del self._end[: len(self._end) - self._end_size]

    def end(self) -> None:
        """Write the end down: nobody says any more.

        Raises:
            OSError: It cannot be written.
        """
        if len(self._end) > self._end_size:
            self._drop()
        end, self._end = bytes(self._end), bytearray()
        self._write(end)

    def _write(self, piece: bytes) -> None:
        left = memoryview(piece)
        while left:
            left = left[self._file.write(left) :]
        if piece and self._live is not None:
            with suppress(OSError):  # nobody listens any more
                self._live(piece)


def cut_note(log: Path) -> str:
    """Return the line of a log that says it was cut; "" where it is whole.

    Raises:
        OSError: It cannot be read.
    """
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END - _NOTE))
        before, mark, after = file.read().rpartition(f"\n{_CUT}".encode())
    del before
    if not mark:
        return ""
    line = after.partition(b"\n")[0][:_NOTE]
    return _CUT + line.decode("utf-8", errors="replace")
