"""Measures what a task writes, and tells when it is too much."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from mlcube_conformance.base.trees import walk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mlcube_conformance.runners.contract import Options

__all__ = ["Gauge"]

#: Seconds between two looks: the shortest, and the longest where a look is quick.
_SHORTEST, _LONGEST = 1.0, 10.0
#: Part of the time of a run that looks may take.
_SHARE = 0.05


class Gauge:
    """What is in the folders that a task writes to, beside what was there before."""

    def __init__(self, places: Iterable[Path], options: Options) -> None:
        """Measure what is there now."""
        self._places = tuple(places)
        self._most = (options.max_files, options.max_output_size)
        self._before = (0, 0)
        self.pause = _SHORTEST
        """Seconds until the next look is due."""
        self.found = ""
        """What is too much, and the option that says so; "" where nothing is."""
        self._before = self._measure(stops=False)
        self._next = time.monotonic() + self.pause

    def is_over(self) -> bool:
        """Say whether the task has written too much; look again where that is due."""
        if not self.found and time.monotonic() >= self._next:
            self.look()
        return bool(self.found)

    def look(self) -> str:
        """Measure again; return what is too much, and the option that says so."""
        if self.found:
            return self.found
        began = time.monotonic()
        (files, size), (most_files, most_size) = self._measure(stops=True), self._most
        if files > most_files:
            self.found = f"more than {most_files:,} files (--max-files)"
        elif size > most_size:
            self.found = f"more than {most_size:,} bytes (--max-output-size)"
        now = time.monotonic()
        slow = (now - began) / _SHARE
        self.pause = max(min(_LONGEST, self.pause * 1.5), slow)
        self._next = now + self.pause
        return self.found

    def _measure(self, *, stops: bool) -> tuple[int, int]:
        """Return how many files there are, and their bytes; stop at too much."""
        files, size = -self._before[0], -self._before[1]
        for place in self._places:
            for each in walk(place):
                files += 1
                if not each.is_folder:
                    with suppress(OSError):  # gone again
                        size += os.lstat(each.name, dir_fd=each.folder).st_size
                if stops and (files > self._most[0] or size > self._most[1]):
                    return files, size
        return files, size
