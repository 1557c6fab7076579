"""Where in a file something is written, as messages name it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.base.text import visible

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where in a cube's files something was written."""

    file: Path
    line: int
    """Counted from 1; 0 where the whole file is meant."""
    key: str = ""
    """Path of keys from the top of the file, such as `input_binding.data_dir`."""

    def __str__(self) -> str:
        """Read as "file, line 3, key a.b"."""
        line = f", line {self.line}" if self.line else ""
        # Both come from a cube, whose names may hold any sign.
        key = f", key {visible(self.key)}" if self.key else ""
        return f"{visible(str(self.file))}{line}{key}"
