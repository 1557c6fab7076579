"""Finds and removes the folders of runs."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from mlcube_conformance.base.names import FOLDER
from mlcube_conformance.base.trees import remove_tree
from mlcube_conformance.results.record import LINES, WHOLE

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["last_record", "old_runs", "remove_old_runs"]

_RUN = re.compile(r"\d{8}-\d{6}-(?:[0-9a-f]{4}){1,2}")
_DAY = 24 * 3600


def last_record(place: Path) -> Path | None:
    """Return the record of the last run, which may still go on, or was killed.

    Args:
        place: Folder that the runs were started in.
    """
    for folder in sorted((place / FOLDER).glob("*"), reverse=True):
        if _RUN.fullmatch(folder.name) and not folder.is_symlink():
            for each in (folder / WHOLE, folder / LINES):
                if each.is_file():
                    return each
    return None


def old_runs(place: Path, *, days: float = 0) -> list[Path]:
    """Return the folders of runs that have ended, the oldest first.

    A run that was killed has no whole record: it counts after a day without a word.

    Args:
        place: Folder that the runs were started in.
        days: Days for which nothing was written to a run.
    """
    found = []
    for folder in sorted((place / FOLDER).glob("*")):
        if not _RUN.fullmatch(folder.name) or folder.is_symlink():
            continue
        age = time.time() - _last_word(folder)
        ended = (folder / WHOLE).is_file() or age > _DAY
        if ended and age >= days * _DAY:
            found.append(folder)
    return found


def _last_word(folder: Path) -> float:
    """Return when something was last written to the record of a run."""
    times = [
        each.stat().st_mtime
        for each in (folder / LINES, folder / WHOLE, folder)
        if each.exists()
    ]
    return max(times, default=time.time())


def remove_old_runs(place: Path, kept: int) -> list[Path]:
    """Remove all but the last runs that have ended; return what was removed.

    Args:
        place: Folder that the runs were started in.
        kept: Runs that stay.
    """
    removed = old_runs(place)
    removed = removed[: max(0, len(removed) - kept)]
    for each in removed:
        remove_tree(each)
    return removed
