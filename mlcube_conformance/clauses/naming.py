"""How a failure names its clause, and where to read more of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.addresses import PAGES
from mlcube_conformance.clauses import CLAUSES
from mlcube_conformance.clauses.others import clauses_of_others

if TYPE_CHECKING:
    from mlcube_conformance.clauses.clause import Clause

__all__ = ["explaining", "known_clause", "known_ids", "naming", "page_of"]

_OURS = {each.id: each for each in CLAUSES}


def known_clause(clause_id: str) -> Clause | None:
    """Return the clause with that id, ours or of another package, if there is one.

    Raises:
        MachineError: The clauses of another package cannot be used.
    """
    ours = _OURS.get(clause_id)
    others = () if ours else clauses_of_others()
    return ours or next((each for each in others if each.id == clause_id), None)


def known_ids() -> tuple[str, ...]:
    """Return the ids of all clauses, ours and then those of other packages.

    Raises:
        MachineError: The clauses of another package cannot be used.
    """
    return (*_OURS, *(each.id for each in clauses_of_others()))


def explaining(clause_id: str) -> str:
    """Return the command that explains a clause, "" where none does.

    Raises:
        MachineError: The clauses of another package cannot be used.
    """
    known = known_clause(clause_id)
    return f"mlcube-conformance explain {known.id}" if known else ""


def naming(clause_id: str, sentence: str = "") -> dict[str, str]:
    """Return the lines by which a failure names its clause, by their labels.

    Args:
        clause_id: Id of a clause, which only a hook or a mark may know.
        sentence: What it says, where that is known.

    Raises:
        MachineError: The clauses of another package cannot be used.
    """
    lines = {"clause": f"{clause_id}: {sentence}" if sentence else clause_id}
    more = explaining(clause_id)
    return {**lines, "more": more} if more else lines


def page_of(clause_id: str) -> str:
    """Return the address of the page on a clause, "" for one of another package."""
    return f"{PAGES}/clauses/{clause_id}/" if clause_id in _OURS else ""
