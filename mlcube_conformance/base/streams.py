"""The three streams that every process is started with, some of which may be closed."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from errno import EAGAIN
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["drop_streams", "replace_closed_streams", "write_all"]

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def replace_closed_streams() -> None:
    """Drop output to a closed stream.

    Python has None in its place, and the next file that is opened would get its number,
    so what a child says would be written into that file.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        if getattr(sys, name) is not None:
            continue
        with suppress(OSError):
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            # Open to the end of the process, as the others are.
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def write_all(stream: BinaryIO, data: bytes) -> None:
    """Write all of what is given, and flush it.

    With PYTHONUNBUFFERED, one call writes no more than there is room for, and says so
    by its result alone.

    Raises:
        OSError: It cannot be written.
    """
    left = memoryview(data)
    while left:
        written: int | None = stream.write(left)
        if written is None:
            raise BlockingIOError(EAGAIN, os.strerror(EAGAIN))
        left = left[written:]
    stream.flush()


def drop_streams(*numbers: int) -> None:
    """Drop buffered output to a full disk, or to a pipe that nobody reads.

    Args:
        numbers: Of the streams; none for both.
    """
    for number in numbers or (1, 2):
        with suppress(OSError):
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, number)
            os.close(null)
