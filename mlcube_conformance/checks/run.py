"""Checks of how a task ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.base.text import TAIL_LINES, tail
from mlcube_conformance.checks.causes import Facts, cause_of
from mlcube_conformance.runners.about import about
from mlcube_conformance.runners.common.layout import recipe_of

if TYPE_CHECKING:
    from mlcube_conformance.model import Case, RunResult

__all__ = ["end_of_log", "exits_zero", "is_shell_form", "logs"]

_SHELL = ("/bin/sh", "-c")
#: Lines of each log that may name the cause.
_READ = 60


def end_of_log(result: RunResult) -> tuple[str, ...]:
    """Return the last lines that a task said."""
    return tuple(
        f"{name}: {line}"
        for name, log in (("stdout", result.stdout), ("stderr", result.stderr))
        for line in tail(log, TAIL_LINES // 2)
    )


def logs(result: RunResult) -> str:
    """Return the paths of the whole logs of a task."""
    return f"{result.stdout}\n{result.stderr}"


def exits_zero(case: Case, result: RunResult) -> tuple[Message, ...]:
    """Check that the task ended by itself, with exit code 0, or the promised one."""
    promises = case.promises
    ended_well = not (result.timed_out or result.over)
    if result.exit_code == promises.exit_code and ended_well:
        return ()
    task = case.invocation.task.name
    last = end_of_log(result)
    what, do = f"task {task!r} failed", ""
    expected = f"exit code {promises.exit_code}{_promised(case, 'exit_code')}"
    if promises.network is False and result.network_off:
        expected += f", without the network{_promised(case, 'network')}"
    found = f"exit code {result.exit_code}"
    if result.timed_out:
        what = f"task {task!r} ran past its deadline and was killed"
        found = f"still running after {result.seconds:.0f} s"
        expected = "an end within --task-timeout"
        do = "speed it up, or raise --task-timeout"
        if promises.timeout is not None and result.seconds < 2 * promises.timeout:
            expected = f"an end within {promises.timeout:g} s"
            expected += _promised(case, "timeout")
            do = "speed it up, or promise more time"
    elif result.over:
        what = f"task {task!r} wrote too much and was ended"
        found = result.over
        expected = "outputs within the limits of this tool"
        option = result.over.partition("(")[2].rstrip(")")
        do = f"write less, or raise {option}"
    elif result.out_of_memory:
        found += ": it ran out of memory and was killed"
        do = "use less memory, or give it more"
    elif result.exit_code == 0:
        do = "end the task with that code, or fix the promise"
    else:
        do = cause_of(_facts(case, result), _said(result)) or "fix what the log shows"
    return (
        Message(
            what=what,
            where=case.where,
            found=found,
            expected=expected,
            do=do,
            tail=last,
            log=logs(result),
        ),
    )


def _promised(case: Case, key: str) -> str:
    """Say where the cube promises something of the task, if it does."""
    source = case.promises.sources.get(key)
    return f", as {source.file.name}, line {source.line} promises" if source else ""


def _facts(case: Case, result: RunResult) -> Facts:
    kind, place = about(case.platform.kind), case.platform.place
    return Facts(
        exit_code=result.exit_code,
        network_off=result.network_off,
        shell_form=is_shell_form(case),
        has_workdir=kind is None or kind.keeps_workdir,
        platform=kind.title if kind else case.platform.kind,
        host=place.host if place else "",
    )


def is_shell_form(case: Case) -> bool:
    """Say whether a line of a shell starts the task, which drops its arguments."""
    if case.invocation.task.entrypoint:
        return False
    try:
        recipe = recipe_of(case.cube, case.cube.docker.args)
    except Violation:
        return False
    return recipe.entrypoint[:2] == _SHELL


def _said(result: RunResult) -> list[str]:
    logs = (result.stdout, result.stderr)
    return [line for log in logs for line in tail(log, _READ)]
