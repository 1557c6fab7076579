"""Where in a file something is written, as messages name it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.text import visible

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Source", "Where", "source_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where in a cube's files something was written."""

    file: Path
    line: int
    """Counted from 1; 0 where the whole file is meant."""
    key: str = ""
    """Path of keys from the top of the file, such as `input_binding.data_dir`."""
    column: int = 0
    """Counted from 1, in characters; 0 where the whole line is meant."""

    def __str__(self) -> str:
        """Read as "file, line 3, key a.b"."""
        line = f", line {self.line}" if self.line else ""
        # Both come from a cube, whose names may hold any sign.
        key = f", key {visible(self.key)}" if self.key else ""
        return Where(f"{visible(str(self.file))}{line}{key}", self)


class Where(str):
    """The text of a source, which still knows its source.

    A message shows the text; what leads an editor to the place needs the numbers.
    """

    __slots__ = ("source",)
    source: Source | None

    def __new__(cls, text: str, source: Source | None = None) -> Self:
        """Return the text; without a source where it is copied."""
        made = super().__new__(cls, text)
        made.source = source
        return made


def source_of(where: str) -> Source | None:
    """Return the place that a message names; None where that is not a file."""
    if isinstance(where, Where):
        return where.source
    return Source(file=Path(where), line=0) if where.startswith("/") else None
