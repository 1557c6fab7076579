"""What is wrong with a file of a cube, and by which clause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mlcube_conformance.base.source import Source, source_of

if TYPE_CHECKING:
    from mlcube_conformance.base.errors import Message

__all__ = ["Flaw", "Level"]

Level = Literal["error", "warning", "note"]
"""A MUST that is not met, a SHOULD, and what is not supported here, by choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """A place of a file that breaks a clause."""

    clause: str
    """Id of the clause that is not met; "" for a test of the user's own."""
    message: Message
    level: Level

    @property
    def source(self) -> Source | None:
        """Where it is written; None where that is not in a file."""
        return source_of(self.message.where)
