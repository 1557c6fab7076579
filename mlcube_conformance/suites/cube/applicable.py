"""Which clauses mean something for a case: only these are tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.checks.promised import KINDS
from mlcube_conformance.plan.conditions import CONDITIONS, conditions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlcube_conformance.model import Case

__all__ = ["rule_of"]

_UNDER_CONDITIONS = {each.clause for each in CONDITIONS}
#: Kinds of platform that tell what a task left outside of all mounts.
_TELL_WHAT_IS_LEFT = ("docker", "local")


def rule_of(clause: str) -> Callable[[Case], bool] | None:
    """Return what says whether a clause is about a case; None for one about every case.

    Args:
        clause: Id of a clause; "" for a test of the user's own.
    """
    kinds = [kind for kind, named in KINDS.items() if named == clause]
    if kinds:
        return lambda case: bool(case.promises.of_kind(*kinds))
    if clause in _UNDER_CONDITIONS:
        return lambda case: clause in {each.clause for each in conditions_of(case)}
    return _RULES.get(clause)


def _is_deterministic(case: Case) -> bool:
    task = case.invocation.task.name
    return any(task == each for each, _ in case.cube.deterministic)


#: The other clauses that are not about every case.
_RULES: Mapping[str, Callable[[Case], bool]] = {
    "HERMETIC-2": lambda case: case.platform.kind in _TELL_WHAT_IS_LEFT,
    "HERMETIC-3": lambda case: (
        case.promises.network is False
        and (case.platform.inner or case.platform).kind != "local"
    ),
    # A container ends with its first process, and all that runs in it.
    "HERMETIC-10": lambda case: case.platform.kind == "local",
    "HERMETIC-9": lambda case: case.platform.place is None,
    "PROMISE-8": lambda case: (
        bool(case.promises.negative) and case.platform.place is None
    ),
    "TWICE-1": lambda case: case.platform.place is None,
    "TWICE-2": lambda case: case.platform.place is None and _is_deterministic(case),
}
