"""Checks of how a task ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message
from mlcube_conformance.base.text import TAIL_LINES, tail
from mlcube_conformance.runners.about import about

if TYPE_CHECKING:
    from mlcube_conformance.model import Case, RunResult

__all__ = ["exits_zero"]

_READ_ONLY = "read-only file system"
_NOT_FOUND = ("no such file or directory", "can't open", "cannot open")
_KILLED = 137
_NOT_EXECUTABLE = (126, 127)


def exits_zero(case: Case, result: RunResult) -> tuple[Message, ...]:
    """Check that the task ended by itself, with exit code 0."""
    if result.exit_code == 0 and not result.timed_out:
        return ()
    task = case.invocation.task.name
    last = tuple(
        f"{name}: {line}"
        for name, log in (("stdout", result.stdout), ("stderr", result.stderr))
        for line in tail(log, TAIL_LINES // 2)
    )
    what, expected, do = f"task {task!r} failed", "exit code 0", ""
    found = f"exit code {result.exit_code}"
    if result.timed_out:
        what = f"task {task!r} ran past its deadline and was killed"
        found = f"still running after {result.seconds:.0f} s"
        expected = "an end within --task-timeout"
        do = "speed it up, or raise --task-timeout"
    elif result.out_of_memory:
        found += ": it ran out of memory and was killed"
        do = "use less memory, or give it more"
    elif any(_READ_ONLY in line.lower() for line in last):
        do = "write to an output: inputs are read-only, on Singularity the image too"
    elif result.exit_code in _NOT_EXECUTABLE:
        do = "give the absolute path of the image's entry point: it cannot be executed"
    elif result.exit_code == _KILLED:
        do = "check its memory use: it was killed, perhaps by the kernel"
    elif (
        (kind := about(case.platform.kind))
        and not kind.keeps_workdir
        and any(words in line.lower() for line in last for words in _NOT_FOUND)
    ):
        do = (
            f"fix what the log shows, and use absolute paths: {kind.title} ignores\n"
            "the working folder of an image"
        )
    else:
        do = "fix what the log shows"
    return (
        Message(
            what=what,
            where=f"case {case.id}, {case.invocation.file}",
            found=found,
            expected=expected,
            do=do,
            tail=last,
            log=f"{result.stdout}\n{result.stderr}",
        ),
    )
