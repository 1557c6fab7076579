"""Lets other users reach a folder of a test: pytest makes folders for its own user."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Asked before a test says otherwise.
_ABOVE = Path(os.environ.get("PYTEST_DEBUG_TEMPROOT") or tempfile.gettempdir())


def let_others_in(folder: Path) -> None:
    """Let other users read a folder of a test, and enter those above it."""
    for each in (folder, *folder.parents):
        if each.is_relative_to(_ABOVE) and each != _ABOVE:
            each.chmod(each.stat().st_mode | 0o055)
