"""Notes on this machine of what the results of a job on a host are for."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from mlcube_conformance.runners.common.liveness import lock_folder

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["note_of", "read_note"]


def read_note(identity: str) -> dict[str, Any]:
    """Return what was noted of a job, nothing where no note can be read."""
    try:
        note: dict[str, Any] = json.loads(note_of(identity).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return note


def note_of(identity: str) -> Path:
    """Return the file that says what the results of a job are for."""
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    return lock_folder() / f"ssh-{name}.json"
