"""What is wrong with a host, or with what it answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.errors import (
    MachineError,
    Message,
    PlatformUnavailable,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlcube_conformance.base.errors import ConformanceError, Violation
    from mlcube_conformance.runners.places.ssh.connection import Connection

__all__ = [
    "at_fault",
    "no_outcome",
    "no_python",
    "no_word",
    "not_understood",
    "still_running",
]

_SHOWN = 4
_IN_WORDS = {
    "none": "no command",
    "running": "a command that still runs",
    "ended": "a command that ended and left an empty result",
    "lost": "a command that was killed, or died, without a result",
}


def no_python(connection: Connection, command: Sequence[str]) -> MachineError:
    """Return the error of a host on which the Python of a command does not start."""
    python = command[command.index("-m") - 1]
    is_named = python == connection.place.interpreter.python
    return PlatformUnavailable(
        Message(
            what=f"cannot start Python on {connection.name}",
            where=f"{connection.place.file}, key interpreter"
            + (".python" if is_named else ""),
            found=f"no program {python}"
            + (" below the home" if "/" in python and python[0] != "/" else ""),
            expected="Python 3.11 or newer",
            do="fix interpreter.python, or install it there"
            if is_named
            else "run it again with env.sync: true, which makes that environment",
        )
    )


def not_understood(connection: Connection, doing: str) -> MachineError:
    """Return the error of an answer that is not what was asked for."""
    return connection.fault(
        what=f"the answer of {connection.name} at {doing} is invalid",
        found="another version of mlcube-conformance, or a damaged file",
        expected="an answer of this version",
        do="set `env.sync: true`, so this version is sent; or clean the host:\n"
        "python -m mlcube_ssh_run clean --force --platform "
        f"{connection.place.file}",
    )


def no_outcome(
    connection: Connection, job: str, doing: str, found: Mapping[str, Any]
) -> MachineError:
    """Return the error of a job that has not ended, or left no result."""
    said = tuple(found.get("said", ()))[-_SHOWN:]
    free = found.get("free", 1 << 30) // 1024**2
    full = "; its disk is full" if free < 1 else ""
    return connection.fault(
        what=f"no result of {doing} from {connection.name}",
        at=job,
        found=f"{_IN_WORDS[found['state']]}{full}",
        expected="a command that ends, and says how",
        do="run it again: what runs there goes on, and is followed or reported"
        if found["state"] == "running"
        else "fix what it reports below, or what ended it, and run it again",
        tail=said,
    )


def still_running(
    connection: Connection, at: str, record: Mapping[str, Any]
) -> MachineError:
    """Return the error of a workspace on a host that another task is using."""
    return connection.fault(
        what=f"an earlier task still runs on {connection.name}",
        at=at,
        found=f"{record['case']}, begun at {record['began']} (its clock)",
        expected="no other task in the workspace of this cube there",
        do=f"wait for its end, {record['timeout']:g} s after it began at the "
        "latest; or end it\nand lose its results: python -m mlcube_ssh_run "
        f"clean --force --platform {connection.place.file}",
    )


def no_word(connection: Connection, what: str) -> MachineError:
    """Return the error of a command that names neither its result nor an error."""
    return connection.fault(
        what=f"neither {what} nor an error from {connection.name}",
        found="a command that was interrupted there",
        expected=what,
        do="run it again",
    )


def at_fault(
    error: Violation | ConformanceError, host: str
) -> Violation | ConformanceError:
    """Return the error of a command on a host, as it counts and reads here."""
    first, *more = error.messages
    messages = (replace(first, what=f"on {host}: {first.what}"), *more)
    # The request to the host comes from us.
    kind = MachineError if isinstance(error, UsageError) else type(error)
    return kind(*messages)
