"""Clauses of other packages, which come by entry point."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message
from mlcube_conformance.clauses.clause import Clause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "clauses_of_others"]

#: Entry points name a tuple of clauses: `package.module:CLAUSES`.
GROUP = "mlcube_conformance.clauses"


@cache
def clauses_of_others() -> tuple[Clause, ...]:
    """Return the clauses of other packages, in the order of their entry points.

    Raises:
        MachineError: One cannot be imported, or is not made of clauses.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes time, and few have any

    found = entry_points(group=GROUP)
    return tuple(clause for each in found for clause in _loaded(each))


def _loaded(point: EntryPoint) -> Iterator[Clause]:
    try:
        found: Iterable[object] = point.load()
        clauses = list(found)
    except Exception as error:
        raise _unusable(point, f"{type(error).__name__}: {error}") from error
    for each in clauses:
        if not isinstance(each, Clause):
            raise _unusable(point, f"{each!r} is not a Clause")
        yield each


def _unusable(point: EntryPoint, found: str) -> MachineError:
    return MachineError(
        Message(
            what="the clauses of another package cannot be used",
            where=f"entry point {point.name} = {point.value}",
            found=found[:500],
            expected="a tuple of mlcube_conformance.clauses.Clause",
            do="fix that package, or remove it",
        )
    )
