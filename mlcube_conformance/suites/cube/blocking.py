"""Why a case is not run: what had to come first failed."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Violation

if TYPE_CHECKING:
    from mlcube_conformance.model import Case
    from mlcube_conformance.plan.order import Placement
    from mlcube_conformance.suites.cube.execution import Execution

__all__ = ["blocked_by"]


def blocked_by(execution: Execution, placement: Placement, case: Case) -> str:
    """Return what keeps a case from being run, as "not run: … failed" has it, or "".

    Its producers and its image are run and made, if they were not before.

    Raises:
        MachineError: The platform is at fault.
    """
    for producer in placement.producers(case):
        made = execution.run(placement, producer)
        if not made.succeeded:
            return made.blocked_by or f"case {producer.id}"
    late = _late(execution, placement)
    if late >= execution.max_timeouts:
        return f"the last {late} tasks, which ran past their deadline (--max-timeouts),"
    try:
        execution.image(placement)
    except Violation:
        return f"the image of {placement.id}"
    return ""


def _late(execution: Execution, placement: Placement) -> int:
    """Return how many of the last tasks in a row ran past their deadline."""
    runs = (execution.run_of(each) for each in reversed(placement.all_cases))
    ended = [run for run in runs if run is not None and run.result is not None]
    return len(list(takewhile(lambda run: run.ended.timed_out, ended)))
