"""Judges a run: the one place that says what is wrong with it, clause by clause."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlcube_conformance.checks.advice import (
    entry_point_is_absolute,
    stderr_ends_without_error,
)
from mlcube_conformance.checks.contents import (
    nothing_dangerous,
    outputs_can_be_read,
    outputs_hold_together,
)
from mlcube_conformance.checks.outputs import (
    inputs_unchanged,
    outputs_appear,
    outputs_are_of_their_type,
    outputs_belong_to_user,
    outputs_not_empty,
    some,
)
from mlcube_conformance.checks.remote import same_on_host
from mlcube_conformance.checks.run import end_of_log, exits_zero, logs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.base.errors import Message, Violation
    from mlcube_conformance.checks.outputs import Observation
    from mlcube_conformance.model import Case, RunResult

__all__ = ["Judgement", "Seen", "judge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of a run, before and after."""

    result: RunResult | None = None
    """None when the task was never started."""
    not_ready: Violation | None = None
    """What is wrong with its inputs or outputs, when that kept it from running."""
    not_started: Violation | None = None
    """Why the image cannot start the task."""
    inputs: tuple[Observation, ...] = ()
    outputs: tuple[Observation, ...] = ()
    beside: tuple[Observation, ...] = ()
    """What inputs point to by links, and what other tasks read or made."""
    entrypoint: tuple[str, ...] = ()
    """What starts the task; empty where it is unknown."""
    elsewhere: tuple[str, ...] = ()
    """What the run wrote to other places than its outputs, where that was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is wrong with a run."""

    clauses: Mapping[str, tuple[Message, ...]] = field(default_factory=dict)
    """Each MUST that was judged, with what is wrong; nothing where it is met."""
    advice: Mapping[str, tuple[Message, ...]] = field(default_factory=dict)
    """The same of each SHOULD that needs no test of its own."""
    usable: bool = False
    """Whether other tasks can read what this one had to make."""

    def of(self, clause: str) -> tuple[Message, ...]:
        """Return what is wrong by a clause.

        Raises:
            KeyError: The clause was not judged: the run did not get that far.
        """
        return self.clauses[clause]

    def met(self, clause: str) -> bool:
        """Say whether a clause was judged, and nothing is wrong."""
        return self.clauses.get(clause) == ()


def judge(case: Case, seen: Seen) -> Judgement:
    """Return what is wrong with a run, by each clause that it got far enough for.

    A task that was blocked is not judged. What a failed task left says nothing of its
    outputs, but its inputs have to be unchanged, and its files have to be the user's.

    Args:
        case: What was run.
        seen: What was seen of it.
    """
    advice = _advice(case, seen)
    if seen.not_ready is not None:
        return Judgement(clauses={"INPUT-1": seen.not_ready.messages})
    if seen.not_started is not None:
        wrong = {"INPUT-1": (), "EXIT-1": seen.not_started.messages}
        return Judgement(clauses=wrong, advice=advice)
    if seen.result is None:
        return Judgement()
    failed = exits_zero(case, seen.result)
    clauses = {
        "INPUT-1": (),
        "EXIT-1": failed,
        "INPUT-2": inputs_unchanged((*seen.inputs, *seen.beside)),
        "OWNER-1": outputs_belong_to_user(seen.outputs),
    }
    if failed:
        return Judgement(clauses=clauses, advice=advice)
    missing = outputs_appear(seen.outputs)
    wrong_type = outputs_are_of_their_type(seen.outputs)
    of_outputs = {
        "OUTPUT-1": missing,
        "OUTPUT-2": (
            *wrong_type,
            *outputs_hold_together(seen.outputs),
            *outputs_can_be_read(seen.outputs),
            *nothing_dangerous(seen.result),
        ),
        "OUTPUT-3": outputs_not_empty(seen.outputs),
    }
    for clause, messages in of_outputs.items():
        instead = clause != "OUTPUT-2"
        clauses[clause] = _with_log(messages, seen.result, seen, instead=instead)
    if case.platform.place is not None:
        both = (*seen.inputs, *seen.outputs)
        clauses["REMOTE-1"] = same_on_host(both, seen.result.remote or {})
    usable = not missing and not wrong_type
    return Judgement(clauses=clauses, advice=advice, usable=usable)


def _advice(case: Case, seen: Seen) -> dict[str, tuple[Message, ...]]:
    found = {"IMAGE-12": entry_point_is_absolute(case, seen.entrypoint)}
    if seen.result is not None:
        found["EXIT-16"] = stderr_ends_without_error(case, seen.result)
    return found


def _with_log(
    messages: tuple[Message, ...], result: RunResult, seen: Seen, *, instead: bool
) -> tuple[Message, ...]:
    """Return messages with the end of the log, and what was written instead."""
    if not messages:
        return ()
    elsewhere = (*result.elsewhere, *seen.elsewhere)
    more = f"\nwritten elsewhere: {some(elsewhere)}" if instead and elsewhere else ""
    last, log = end_of_log(result), logs(result)
    return tuple(
        replace(each, found=f"{each.found}{more}", tail=last, log=log)
        for each in messages
    )
