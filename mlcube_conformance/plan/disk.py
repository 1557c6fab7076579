"""Refuses to begin on a disk that has no room for the logs and results of a task."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["refuse_full_disk"]

#: Bytes below which a disk counts as full: records and logs alone need as much.
_LEAST = 1024 * 1024


def refuse_full_disk(folder: Path) -> None:
    """Make sure that a disk has room, before anything is built or run for nothing.

    Args:
        folder: An existing folder on it.

    Raises:
        MachineError: It has none.
    """
    try:
        disk = os.statvfs(folder)
    except OSError:
        return  # Whoever writes there will say why.
    free = disk.f_bavail * disk.f_frsize
    if disk.f_blocks and free < _LEAST:
        raise MachineError(
            Message(
                what="the disk is full: there is no room for logs and results",
                where=str(folder),
                found=f"{free:,} bytes free",
                expected=f"at least {_LEAST:,} bytes, and what the tasks write",
                do="free some disk space, or start in a folder on another disk",
            )
        )
