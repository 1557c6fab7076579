"""Notes of this user on what was made here, which no image can claim by a label."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import not_written
from mlcube_conformance.base.homes import cache_folder
from mlcube_conformance.base.writing import write_whole
from mlcube_conformance.plan.workspace import make_folder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_record", "read_records", "write_record"]


def _file(kind: str, words: tuple[str, ...]) -> Path:
    digest = hashlib.sha256(json.dumps(words).encode()).hexdigest()[:32]
    return cache_folder() / "made" / f"{kind}-{digest}"


def read_record(kind: str, *words: str) -> tuple[str, ...]:
    """Return the lines that were written down last; none where nothing was."""
    try:
        return tuple(_file(kind, words).read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError):
        return ()


def read_records(kind: str) -> set[str]:
    """Return all lines that were written down last in records of a sort."""
    found: set[str] = set()
    for file in (cache_folder() / "made").glob(f"{kind}-*"):
        try:
            found |= set(file.read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError):
            continue  # gone by now
    return found


def write_record(kind: str, *words: str, ids: tuple[str, ...]) -> None:
    """Write down some lines, whole or not at all.

    Args:
        kind: What sort of record it is.
        words: What tells the record from others of its sort.
        ids: The lines.

    Raises:
        MachineError: It cannot be written.
    """
    file = _file(kind, words)
    make_folder(file.parent)
    try:
        write_whole(file, "".join(f"{each}\n" for each in ids))
    except OSError as error:
        raise not_written(
            "the note about the result cannot be written",
            file,
            error,
            expected="a writable folder, and a disk with room",
            do="fix the permissions, or free some space",
        ) from error
