"""The three streams that every process is started with, some of which may be closed."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

__all__ = ["drop_streams", "replace_closed_streams"]

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
