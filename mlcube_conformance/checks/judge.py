"""Judges a run: the one place that says what is wrong with it, clause by clause."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlcube_conformance.checks.advice import (
    entry_point_is_absolute,
    stderr_ends_without_error,
)
from mlcube_conformance.checks.causes import DO_WITH_SHELL_FORM
from mlcube_conformance.checks.contents import (
    nothing_dangerous,
    outputs_are_plain,
    outputs_can_be_read,
    outputs_hold_together,
)
from mlcube_conformance.checks.hermetic import (
    container_unchanged,
    nothing_runs_on,
    only_outputs,
    works_offline,
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
from mlcube_conformance.checks.run import end_of_log, exits_zero, is_shell_form, logs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.base.errors import Message, Violation
    from mlcube_conformance.checks.outputs import Observation
    from mlcube_conformance.checks.promised import Metric
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
    left: bool = False
    """Whether its outputs are what an earlier run left, of which nothing is known."""
    inputs: tuple[Observation, ...] = ()
    outputs: tuple[Observation, ...] = ()
    beside: tuple[Observation, ...] = ()
    """What inputs point to by links, and what other tasks read or made."""
    entrypoint: tuple[str, ...] = ()
    """What starts the task; empty where it is unknown."""
    elsewhere: tuple[str, ...] = ()
    """What the run wrote to other places than its outputs, where that was seen."""
    undeclared: tuple[str, ...] | None = None
    """What it wrote to the workspace beside its outputs; None if nobody looked."""
    offline: RunResult | None = None
    """How it ended without the network, where it ended otherwise with it."""
    promised: Mapping[str, tuple[Message, ...]] = field(default_factory=dict)
    """Each clause of what the cube promises of its outputs, with what is wrong."""
    metrics: tuple[Metric, ...] = ()
    """Numbers for which it promises something."""


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
    if seen.left:
        owner = outputs_belong_to_user(seen.outputs)
        return Judgement(clauses={"OWNER-1": owner, **_of_outputs(case, seen)})
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
    for clause, messages in _of_outputs(case, seen).items():
        instead = clause in {"OUTPUT-1", "OUTPUT-3"}
        clauses[clause] = _with_log(messages, seen.result, seen, instead=instead)
    clauses |= _hermetic(case, seen, seen.result)
    if case.platform.place is not None:
        both = (*seen.inputs, *seen.outputs)
        clauses["REMOTE-1"] = same_on_host(both, seen.result.remote or {})
    usable = not clauses["OUTPUT-1"] and not _of_wrong_type(seen)
    return Judgement(clauses=clauses, advice=advice, usable=usable)


def _of_outputs(case: Case, seen: Seen) -> dict[str, tuple[Message, ...]]:
    """Return what is wrong with outputs, by each clause about them alone."""
    missing = outputs_appear(seen.outputs)
    if missing and is_shell_form(case):
        missing = tuple(replace(each, do=DO_WITH_SHELL_FORM) for each in missing)
    return {
        "OUTPUT-1": missing,
        "OUTPUT-2": (
            *_of_wrong_type(seen),
            *outputs_hold_together(seen.outputs),
            *outputs_can_be_read(seen.outputs),
            *(nothing_dangerous(seen.result) if seen.result else ()),
        ),
        "OUTPUT-3": outputs_not_empty(seen.outputs),
        **seen.promised,
    }


def _of_wrong_type(seen: Seen) -> tuple[Message, ...]:
    return (
        *outputs_are_of_their_type(seen.outputs),
        *outputs_are_plain(seen.outputs),
    )


def _hermetic(
    case: Case, seen: Seen, result: RunResult
) -> dict[str, tuple[Message, ...]]:
    found = {}
    if seen.undeclared is not None:
        found["HERMETIC-1"] = only_outputs(case, seen.undeclared)
        found["HERMETIC-2"] = container_unchanged(case, result.elsewhere)
        found["HERMETIC-10"] = nothing_runs_on(case, result)
    if case.promises.network is False:
        found["HERMETIC-3"] = works_offline(case, seen.offline)
    return found


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
