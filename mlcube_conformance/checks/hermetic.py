"""Checks of what a task leaves, and of runs under harder conditions and again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message
from mlcube_conformance.base.process import END_WITHIN
from mlcube_conformance.base.source import Where
from mlcube_conformance.base.text import visible
from mlcube_conformance.checks.outputs import some
from mlcube_conformance.checks.promised import differs_from
from mlcube_conformance.checks.run import end_of_log, exits_zero, logs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlcube_conformance.checks.judge import Seen
    from mlcube_conformance.checks.outputs import Observation
    from mlcube_conformance.model import Case, RunResult
    from mlcube_conformance.plan.conditions import Condition

__all__ = [
    "container_unchanged",
    "ends_when_asked",
    "nothing_runs_on",
    "only_outputs",
    "same_again",
    "same_bytes",
    "works_offline",
    "works_under",
]


#: Where a task may write in its container: temporary files, and caches by HOME.
_TEMPORARY = re.compile(
    r"/(var/)?tmp/|(/root|/home/[^/]+)?/\.(cache|config|local|keras|triton|nv)/"
)
#: Hosts that are named.
_NAMED = 5
#: How programs name a host that they do not reach: curl, busybox, wget, Python, Go.
_ASKED_FOR = re.compile(
    r"(?i)(?:could not resolve host: |bad address |resolve host address |host="
    r"|failed to resolve |lookup |https?://)[\"'`\u2018]?([a-z0-9_-][\w.-]*[a-z0-9])"
)


def only_outputs(case: Case, paths: Sequence[str]) -> tuple[Message, ...]:
    """Check that nothing but outputs was written to the workspace."""
    if not paths:
        return ()
    return (
        Message(
            what=f"task {case.invocation.task.name!r} writes what is not an output",
            where=case.where,
            found=some(tuple(paths)),
            expected="files at and below the declared outputs alone",
            do="declare it as an output, or write it to /tmp",
        ),
    )


def container_unchanged(case: Case, paths: Sequence[str]) -> tuple[Message, ...]:
    """Check that nothing was left in the container but temporary files and caches."""
    paths = [each for each in paths if not _TEMPORARY.match(each)]
    if not paths:
        return ()
    return (
        Message(
            what=f"task {case.invocation.task.name!r} writes to its container",
            where=case.where,
            found=some(tuple(paths)),
            expected="files in outputs, /tmp and caches alone",
            do="write to an output what matters, and to /tmp what does not",
        ),
    )


def works_offline(case: Case, result: RunResult | None) -> tuple[Message, ...]:
    """Check that a task whose cube promises so worked without the network.

    Args:
        case: The task on a platform.
        result: How it ended without the network, where it ended otherwise with it.
    """
    if result is None:
        return ()
    (wrong, *_) = exits_zero(case, result)
    return (
        Message(
            what=f"task {case.invocation.task.name!r} needs the network",
            where=str(case.promises.sources.get("network", case.id)),
            found=f"{wrong.found} without the network, and a success with it"
            f"{_asked_for(result)}",
            expected="a success without it, as the cube promises",
            do="put what it fetches into the image or an input, or promise less",
            tail=wrong.tail,
            log=wrong.log,
        ),
    )


def _asked_for(result: RunResult) -> str:
    """Say which hosts a task tried to reach, where the end of its log names any."""
    said = "\n".join(end_of_log(result))
    hosts = list(dict.fromkeys(_ASKED_FOR.findall(said)))[:_NAMED]
    return f"\nit tried to reach {visible(', '.join(hosts))}" if hosts else ""


def works_under(
    case: Case, condition: Condition, seen: Seen, wrong: Sequence[Message]
) -> tuple[Message, ...]:
    """Return what is wrong with a run under a harder condition.

    Args:
        case: The task on a platform.
        condition: What was harder.
        seen: What was seen of the run.
        wrong: What its judgement says by the clauses that count.
    """
    if not wrong:
        return ()
    task, first = case.invocation.task.name, wrong[0]
    result = seen.result
    return (
        Message(
            what=f"task {task!r} fails {condition.words}"[:100],
            where=case.where,
            found=f"{first.what}: {first.found}",
            expected="the same outputs as without this condition",
            do=condition.do,
            tail=end_of_log(result) if result else first.tail,
            log=logs(result) if result else first.log,
        ),
    )


def ends_when_asked(case: Case, seen: Seen) -> tuple[Message, ...]:
    """Check that a task that was asked to end did so in time, with any exit code."""
    result = seen.result
    if result is None or not result.timed_out:
        return ()
    return (
        Message(
            what=f"task {case.invocation.task.name!r} goes on after SIGTERM",
            where=case.where,
            found=f"still running {END_WITHIN} s later, so it was killed",
            expected=f"an end within {END_WITHIN} s",
            do="end the task on SIGTERM, or start its program by exec: a shell that is "
            "the\nfirst process of a container ignores it, and passes nothing on",
            tail=end_of_log(result),
            log=logs(result),
        ),
    )


def nothing_runs_on(case: Case, result: RunResult) -> tuple[Message, ...]:
    """Check that what a task started ended with it."""
    if not result.left_running:
        return ()
    return (
        Message(
            what=f"task {case.invocation.task.name!r} leaves processes running",
            where=case.where,
            found=f"{result.left_running} after its end, so they were killed",
            expected="everything that it started to end before it does",
            do="wait for background processes at the end of the task, or end them",
            log=logs(result),
        ),
    )


def same_again(
    case: Case, first: Sequence[Observation], again: Seen
) -> tuple[Message, ...]:
    """Check a second run on the outputs of the first."""
    task, result = case.invocation.task.name, again.result
    where = f"case {case.id}, the second run on its own outputs"
    if result is None:
        return (again.not_ready or again.not_started).messages  # type: ignore[union-attr]
    failed = exits_zero(case, result)
    if failed:
        what, found = f"task {task!r} fails when it runs again", failed[0].found
        do = "let the task replace what an earlier run left"
    else:
        other = _other_names(first, again.outputs)
        if not other:
            return ()
        what, found = f"task {task!r} makes other files when it runs again", some(other)
        do = "remove old files first, and give files the same names each time"
    return (
        Message(
            what=what,
            where=where,
            found=found,
            expected="an exit code of 0, and the same files as the first time",
            do=do,
            tail=end_of_log(result),
            log=logs(result),
        ),
    )


def _other_names(
    first: Sequence[Observation], again: Sequence[Observation]
) -> tuple[str, ...]:
    """Return what only one of two runs has, with the output that it is in."""
    before, after = (
        {
            (each.binding.parameter.name, name, entry.kind)
            for each in seen
            for name, entry in each.after.entries.items()
        }
        for seen in (first, again)
    )
    return tuple(
        f"{output}: {name} ({'only the first time' if place in before else 'new'})"
        for place in sorted(before ^ after)
        for output, name, _ in [place]
    )


def same_bytes(
    case: Case, first: Sequence[Observation], again: Seen
) -> tuple[Message, ...]:
    """Check that promised outputs of two runs are the same bytes; tell the first one.

    Args:
        case: The task on a platform.
        first: The outputs of the first run.
        again: The run in a fresh workspace.
    """
    result = again.result
    if result is None or exits_zero(case, result):
        return same_again(case, first, again)
    theirs = {each.binding.parameter.name: each for each in again.outputs}
    messages = []
    for each in first:
        name = each.binding.parameter.name
        other = theirs[name]
        if each.digests == other.digests:
            continue
        different = sorted(
            path
            for path in {*each.digests, *other.digests}
            if each.digests.get(path) != other.digests.get(path)
        )
        messages.append(
            Message(
                what=f"the output {name!r} is not the same twice",
                where=Where(
                    f"case {case.id}, {each.binding.source}", each.binding.source
                ),
                found=differs_from(each, other, different[0])
                + (f"\nand {len(different) - 1} more" if different[1:] else ""),
                expected="the same bytes, as conformance.yaml promises",
                do="set seeds, sort names, leave times out; or name the file in except",
            )
        )
    return tuple(messages)
