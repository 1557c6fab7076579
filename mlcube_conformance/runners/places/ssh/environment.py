"""The Python environment of a runner on another host: found ready there, or made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError
from mlcube_conformance.runners.places.ssh.connection import LinkLost
from mlcube_conformance.runners.places.ssh.package import (
    AGENT,
    SAFE,
    own_python,
    prepare_agent,
)
from mlcube_conformance.runners.places.wheel import package_key
from mlcube_conformance.runners.work import heartbeat

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from mlcube_conformance.runners.contract import Watch
    from mlcube_conformance.runners.places.ssh.connection import Connection

__all__ = ["EnvironmentThere", "environment_on"]

#: Seconds that the host has, beyond a deadline, to say what became of it.
_GRACE = 60
#: A word that means itself to any shell.
_PLAIN = re.compile(r"[A-Za-z0-9_./+@=:-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentThere:
    """By what commands of a runner are started on a host."""

    python: str
    variables: Mapping[str, str]
    root: str
    """The folder on the host that is ours."""
    home: str
    """The home of the user there."""


def environment_on(
    connection: Connection, log: Path, watch: Watch, timeout: float
) -> EnvironmentThere:
    """Return the environment that the platform file of a host names; make it if needed.

    Args:
        connection: To the host, which answers requests by the environment from then on.
        log: File for what is said where it is made.
        watch: Hears that it takes long.
        timeout: Seconds to make it.

    Raises:
        MachineError: It cannot be had.
    """
    place = connection.place
    interpreter = place.interpreter
    wanted = {
        "root": place.root,
        "kind": interpreter.kind,
        "location": interpreter.location,
        "name": interpreter.name,
        "requirements": list(interpreter.requirements),
        "key": package_key(),
    }
    answer = _ready(connection, wanted)
    if answer is None:
        answer = connection.ask(
            {
                **wanted,
                "do": "environment",
                "wheel": prepare_agent(connection),
                "variables": dict(place.variables),
                "timeout": timeout,
            },
            doing="making the environment of the runner",
            timeout=timeout + _GRACE,
            log=log,
            waiting=heartbeat(watch, f"still preparing {connection.name}", log),
        )
        # Installed, it starts faster than from the wheel.
        _use_python(connection, answer["python"], answer["env"])
    return EnvironmentThere(
        python=answer["python"],
        variables=answer["env"],
        root=answer["root"],
        home=answer["home"],
    )


def _ready(connection: Connection, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the environment where it says itself that it is ready, else None.

    Raises:
        LinkLost: The connection ended.
    """
    if not _use_python(connection, own_python(connection.place), {}):
        return None
    try:
        answer = connection.ask(
            {**wanted, "do": "ready"}, doing="looking for the environment of the runner"
        )
    except LinkLost:
        raise
    except MachineError:
        return None  # There is none yet, or a broken one, or of another version.
    return answer if answer["python"] else None


def _use_python(
    connection: Connection, python: str, variables: Mapping[str, str]
) -> bool:
    """Let a Python answer requests, unless a shell would read its command otherwise."""
    words = [f"{name}={text}" for name, text in variables.items()]
    words += [*SAFE, python, *AGENT]
    is_plain = all(_PLAIN.fullmatch(each) for each in words)
    if is_plain:
        connection.use_agent(("env", *words), stays=True)
    return is_plain
