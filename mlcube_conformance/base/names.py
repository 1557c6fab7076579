"""How runs of a suite, and the folder that holds them, are called."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FOLDER", "make_run_folder", "new_run_id"]

#: Folder of all runs, below the current one.
FOLDER = ".mlcube-conformance"


def new_run_id() -> str:
    """Return a name that no other run has; they sort by time, within a second too."""
    second, rest = divmod(time.time_ns(), 10**9)
    at = time.strftime("%Y%m%d-%H%M%S", time.localtime(second))
    return f"{at}-{rest * 0x10000 // 10**9:04x}{secrets.token_hex(2)}"


def make_run_folder(folder: Path) -> None:
    """Make the folder of a run, in one that git ignores.

    Raises:
        OSError: It cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), (folder.parent / ".gitignore").open("x") as file:
        file.write("# Made by mlcube-conformance.\n*\n")
