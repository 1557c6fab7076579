"""Ends a job on a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlcube_conformance.runners.places.ssh.connection import Connection

__all__ = ["stop"]

#: Seconds for a task that is to end at once.
_STOP = 15
#: Seconds that the host has, beyond a deadline, to tell what became of it.
_GRACE = 60


def stop(connection: Connection, job: str) -> None:
    """End a job whose user has interrupted us, as far as it can be reached."""
    if connection.alive:
        connection.ask(
            {"do": "stop", "folder": job, "grace": _STOP},
            doing="ending what runs there",
            timeout=_GRACE,
        )
        connection.ask({"do": "end", "folder": job}, doing="tidying up")
