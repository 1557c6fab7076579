"""The text of logs: their last lines, and secrets that must not be shown."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TAIL_LINES", "last_lines", "mask", "plain", "tail"]

#: Lines of a log that a message shows.
TAIL_LINES = 20

#: Up to the last @ of a word, since a password may hold any sign.
_CREDENTIALS = re.compile(r"(?<=://)\S+@")
_PROXY = re.compile(r"(?i)(\b\w+_proxy=)(?!\S+://)\S+@")
_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|.)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_TAIL_BYTES = 64 * 1024


def plain(text: str) -> str:
    """Return a text without what could steer a terminal; tabs and lines stay."""
    return _CONTROL.sub("", _ESCAPE.sub("", text))


def mask(text: str) -> str:
    """Return a text without the user names and passwords of its URLs."""
    return _PROXY.sub(r"\1***@", _CREDENTIALS.sub("***@", text))


def tail(log: Path, lines: int = TAIL_LINES) -> tuple[str, ...]:
    """Return the last lines of a log, oldest first; none when it is not there."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ()
    return last_lines(text, lines)


def last_lines(text: str, lines: int = TAIL_LINES) -> tuple[str, ...]:
    """Return the last lines of a text that say something, fit to be shown."""
    said = (plain(line).rstrip() for line in mask(text).splitlines())
    return tuple(deque((line for line in said if line), maxlen=lines))
