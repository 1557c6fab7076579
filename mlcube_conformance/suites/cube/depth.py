"""How far cubes are tested: which level, and what a profile makes of clauses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlcube_conformance.clauses import CUBE_CLAUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlcube_conformance.clauses import Clause

__all__ = ["LEVELS", "Depth"]

#: The levels of trust, and what a cube has shown that reaches one and those below it.
LEVELS = {
    "L0": "its definitions are valid",
    "L1": "it configures",
    "L2": "every task runs and makes its outputs",
    "L3": "it needs, changes and leaves nothing else",
    "L4": "it makes the same twice, and on two platforms",
}
_KNOWN = {each.id: each for each in CUBE_CLAUSES}


@dataclass(frozen=True, slots=True)
class Depth:
    """What the command line asks for."""

    level: str | None = None
    """As `--level` says; without it, all that needs no further run of a task."""
    profile: Mapping[str, str] = field(default_factory=dict)
    """MUST, SHOULD or off, by the id of a clause, where it is not as in the table."""

    max_image_size: int | None = None
    """Bytes that an image may have; None for any."""
    find: Callable[[str], Clause | None] = _KNOWN.get
    """Returns the clause with an id, if there is one."""

    def goes_to(self, level: str) -> bool:
        """Say whether a level was asked for, or a higher one."""
        return self.level is not None and self.level >= level

    def includes(self, clause_id: str) -> bool:
        """Say whether a clause is tested."""
        known = self.find(clause_id)
        if known is None:
            return True
        if self.profile.get(clause_id) == "off":
            return False
        if self.level is None:
            return not known.on_request
        return known.depth <= self.level

    def is_must(self, clause_id: str) -> bool:
        """Say whether a clause that is not met fails the run."""
        known = self.find(clause_id)
        level = self.profile.get(clause_id) or (known.level if known else "MUST")
        return level == "MUST"

    def level_of(self, clause_id: str) -> str:
        """Return the level of trust that a clause belongs to."""
        known = self.find(clause_id)
        return known.depth if known else "L2"
