"""What runs leave in the current folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["RECORD_ALONE", "left_by_run", "record_in"]

#: What a run leaves of which nothing else was kept.
RECORD_ALONE = ["record.json", "record.jsonl"]


def left_by_run(place: Path) -> list[str]:
    """Return the names in the folder of the only run that was started in a place."""
    (folder,) = (each for each in _folder(place).iterdir() if each.is_dir())
    return sorted(each.name for each in folder.iterdir())


def record_in(place: Path) -> dict[str, Any]:
    """Return the record of the only run that was started in a place."""
    (file,) = _folder(place).glob("*/record.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _folder(place: Path) -> Path:
    return place / ".mlcube-conformance"
