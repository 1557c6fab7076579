"""Ends a job on a host, and says what is wrong with one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.errors import MachineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.base.errors import ConformanceError, Violation
    from mlcube_conformance.runners.places.ssh.connection import Connection

__all__ = ["at_fault", "no_outcome", "no_word", "stop"]

#: Seconds for a task that is to end at once.
_STOP = 15
#: Seconds that the host has, beyond a deadline, to tell what became of it.
_GRACE = 60
_SHOWN = 4


def stop(connection: Connection, job: str) -> None:
    """End a job whose user has interrupted us, as far as it can be reached."""
    if connection.alive:
        connection.ask(
            {"do": "stop", "folder": job, "grace": _STOP},
            doing="ending what runs there",
            timeout=_GRACE,
        )
        connection.ask({"do": "end", "folder": job}, doing="tidying up")


def no_outcome(
    connection: Connection, job: str, doing: str, found: Mapping[str, Any]
) -> MachineError:
    """Return the error of a job that has not ended, or left no word of its end."""
    said = tuple(found.get("said", ()))[-_SHOWN:]
    free = found.get("free", 1 << 30) // 1024**2
    full = "; its disk is full" if free < 1 else ""
    return connection.fault(
        what=f"no result of {doing} from {connection.name}",
        at=job,
        found=f"a command that is {found['state']}{full}",
        expected="a command that ends, and says how",
        do="fix what it reports below, or what ended it, and run it again",
        tail=said,
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
