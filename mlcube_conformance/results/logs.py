"""The end of a log, as a record keeps it: the file may be gone when it is read."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.text import tail

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["log_facts"]

#: Lines and characters that are kept of a log; fewer where nothing went wrong.
_LINES = 400
_MOST, _MOST_OF_GOOD = 16 * 1024, 2 * 1024


def log_facts(name: str, log: Path, *, good: bool) -> dict[str, Any]:
    """Return what a record keeps of a log.

    Args:
        name: What it is called.
        log: Its file.
        good: Whether what it is about went well.
    """
    size = 0
    with suppress(OSError):
        size = log.stat().st_size
    room = _MOST_OF_GOOD if good else _MOST
    lines: list[str] = []
    for line in reversed(tail(log, _LINES)):
        if len(line) >= room:
            lines += [f"…{line[-room:]}"] if not lines else []
            break
        lines.append(line)
        room -= len(line) + 1
    return {"name": name, "path": str(log), "bytes": size, "tail": lines[::-1]}
