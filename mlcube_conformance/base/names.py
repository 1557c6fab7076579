"""How runs of a suite, and the folder that holds them, are called."""

from __future__ import annotations

import secrets
import time

__all__ = ["FOLDER", "new_run_id"]

#: Folder of all runs, below the current one.
FOLDER = ".mlcube-conformance"


def new_run_id() -> str:
    """Return a name that no other run has; they sort by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
