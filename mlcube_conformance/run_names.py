"""How cubes, runs of a suite, and the folder that holds those, are called."""

from __future__ import annotations

import secrets
import time

__all__ = ["FOLDER", "MAIN_FILES", "new_run_id"]

#: Folder of all runs, below the current one.
FOLDER = ".mlcube-conformance"
#: Names of the file that describes a cube, today and before.
MAIN_FILES = ("mlcube.yaml", "mlbox.yaml")


def new_run_id() -> str:
    """Return a name that no other run has; they sort by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
