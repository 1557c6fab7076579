"""Checks that a task fails on a broken input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message
from mlcube_conformance.checks.outputs import some
from mlcube_conformance.checks.run import end_of_log, logs

if TYPE_CHECKING:
    from mlcube_conformance.checks.judge import Seen
    from mlcube_conformance.model import Case
    from mlcube_conformance.promise import BrokenInput

__all__ = ["refuses"]


def refuses(case: Case, broken: BrokenInput, seen: Seen) -> tuple[Message, ...]:
    """Check that a task exits with another code than 0, in time, with no result.

    Args:
        case: The task on a platform, with the broken input.
        broken: What is broken.
        seen: What was seen of the run.
    """
    result = seen.result
    if result is None:
        return (seen.not_ready or seen.not_started).messages  # type: ignore[union-attr]
    task = case.invocation.task.name
    claimed = tuple(
        path
        for each in seen.outputs
        if each.binding.parameter.name not in broken.may_write
        for path in each.made_files
    )
    if result.timed_out:
        what, found = "hangs", f"still running after {result.seconds:.0f} s"
        expected = "an exit code other than 0, in time"
        do = "check the input first, and end the task with an error"
    elif result.exit_code == 0:
        what, found = "exits with 0", "exit code 0"
        expected = "an exit code other than 0"
        do = "let the error end the task: do not catch and forget it"
    elif claimed:
        what, found = "claims a result", some(claimed)
        expected = "no output of a task that fails"
        do = "write outputs at the end, or name them in may_write: they are logs"
    else:
        return ()
    return (
        Message(
            what=f"task {task!r} {what} on a broken input {broken.input!r}",
            where=str(broken.source),
            found=f"{found}\nwith the input {broken.name}",
            expected=expected,
            do=do,
            tail=end_of_log(result),
            log=logs(result),
        ),
    )
