"""The requirements a cube is held to, each with its id and level."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CUBE_CLAUSES", "Clause", "clause"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One requirement."""

    id: str
    level: int
    """0 definitions, 1 configures, 2 runs and produces, 3 hermetic, 4 the same."""
    sentence: str


CUBE_CLAUSES = (
    Clause(id="FILE-1", level=0, sentence="the definitions of the cube are valid"),
    Clause(id="FILE-2", level=0, sentence="the platform file is valid"),
    Clause(id="IMAGE-1", level=1, sentence="the image builds, or is to be had"),
    Clause(id="INPUT-1", level=2, sentence="each input is there, of its type"),
    Clause(id="EXIT-1", level=2, sentence="the task ends by itself and exits with 0"),
    Clause(id="OUTPUT-1", level=2, sentence="each declared output is made by this run"),
    Clause(id="OUTPUT-2", level=2, sentence="each output is of its declared type"),
    Clause(id="OUTPUT-3", level=2, sentence="no output is empty"),
    Clause(id="INPUT-2", level=3, sentence="the task leaves its inputs unchanged"),
    Clause(id="OWNER-1", level=3, sentence="outputs belong to the invoking user"),
    Clause(
        id="REMOTE-1",
        level=2,
        sentence="outputs lie on the host where the task ran, and the same here",
    ),
    Clause(id="SAME-1", level=4, sentence="outputs are the same on every platform"),
)

_BY_ID = {each.id: each for each in CUBE_CLAUSES}


def clause(clause_id: str) -> Clause:
    """Return the clause with that id.

    Raises:
        KeyError: There is none.
    """
    return _BY_ID[clause_id]
