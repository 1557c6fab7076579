"""What is wrong with a line of a file of a cube."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message
from mlcube_conformance.base.source import Source
from mlcube_conformance.clauses import clause
from mlcube_conformance.results.flaw import Flaw

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    from mlcube_conformance.base.errors import Fields
    from mlcube_conformance.results.flaw import Level

__all__ = ["flaw", "softened"]


def flaw(
    name: str, what: str, file: Path, line: int = 0, **fields: Unpack[Fields]
) -> Flaw:
    """Return what is wrong with a line of a file, by a clause that says how bad it is.

    Args:
        name: Id of the clause.
        what: Summary of the message.
        file: The file.
        line: Counted from 1; 0 for the whole file.
        fields: The other fields of the message.
    """
    source = Source(file=file, line=line, column=1 if line else 0)
    return Flaw(
        clause=name,
        message=Message(what=what, where=str(source), **fields),
        level="error" if clause(name).level == "MUST" else "warning",
    )


def softened(found: Flaw, level: Level = "warning") -> Flaw:
    """Return a flaw that counts less, as what it is in need not be used."""
    return replace(found, level=level) if found.level == "error" else found
