"""Runs cubes on another host, by ssh, on the Docker or Singularity of that host.

A place, not a container: it brings the cube there, runs our own runner there by its
command line, and brings the workspace back. A task outlives the connection that
began it; the next run learns what became of it.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError
from mlcube_conformance.base.interrupts import waiting_requests
from mlcube_conformance.runners.common.liveness import Liveness, build_lock, lock_folder
from mlcube_conformance.runners.common.recipes import is_made_for, not_made_for
from mlcube_conformance.runners.places.ssh.connection import Connection
from mlcube_conformance.runners.places.ssh.cube import CubeThere
from mlcube_conformance.runners.places.ssh.faults import at_fault, no_word
from mlcube_conformance.runners.places.ssh.folders import owner
from mlcube_conformance.runners.places.ssh.host import (
    check_host,
    look_at_host,
    use_package,
)
from mlcube_conformance.runners.places.ssh.package import has_folder, prepare_agent
from mlcube_conformance.runners.places.ssh.programs import programs_missing
from mlcube_conformance.runners.places.ssh.task import TaskThere

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.model import Cube, Image, Platform, PlatformFile, RunResult
    from mlcube_conformance.place import Place
    from mlcube_conformance.runners.contract import ConfigureRequest, RunRequest

__all__ = ["CleanedFolder", "SshRunner", "clean_host"]

#: Seconds for the removal of old folders.
_CLEAN = 600


class SshRunner:
    """Configures and runs cubes on the hosts that platform files name."""

    protects_inputs = True

    def __init__(self, run_id: str) -> None:
        """Prepare, without connecting yet."""
        self._liveness = Liveness(run_id)
        self._connections: dict[object, Connection] = {}
        self._cubes: dict[tuple[Path, PlatformFile], CubeThere] = {}

    def unavailable(self) -> MachineError | None:
        """Return why no host can be reached from here, or None when one can."""
        try:
            lock_folder()
        except MachineError as error:
            return error
        return programs_missing()

    def engine(self) -> str:
        """Return nothing: that of the other host is not asked for."""
        return ""

    def configure(self, request: ConfigureRequest) -> Image:
        """Bring a cube to its host, and make its image there."""
        kind = (request.platform.inner or request.platform).kind
        if request.platform.serves_any and not is_made_for(request.cube, kind):
            raise not_made_for(request.cube, kind)
        connection = self._connection(request.platform)
        request.watch.note(f"connecting to {connection.name}")
        connection.open()
        there = CubeThere(connection, request.cube, request.platform)
        timeout = request.options.configure_timeout
        facts = check_host(connection, request.platform)
        request.watch.note(
            f"preparing {connection.name} for {request.cube.id}; the first time takes "
            "longer"
        )
        log = request.log.with_name("environment.log")
        there.make_environment(facts, log, request.watch, timeout)
        # Equal cubes have one folder, where a sender removes what it does not know.
        with build_lock(
            f"ssh-{there.content_key}",
            f"{request.cube.id} on {connection.name}",
            timeout,
            request.watch.note,
        ):
            there.send({"cube": str(request.cube.place)}, timeout)
            request.watch.begin(
                f"configuring {request.cube.id} by {there.version_note()}", request.log
            )
            outcome = there.configure(request)
        if outcome.error is not None:
            raise at_fault(outcome.error, connection.name)
        if outcome.image is None:
            raise no_word(connection, "an image")
        self._cubes[request.cube.place, request.platform.source] = there
        where = f"on {connection.name}"
        source = outcome.image.source
        return replace(outcome.image, source=f"{source}, {where}" if source else where)

    def _connection(self, platform: Platform) -> Connection:
        place = platform.place
        if place is None:
            msg = f"{platform.file} names no host"
            raise ValueError(msg)
        # One connection for all that is reached and used in one way.
        key = repr(place)
        if key not in self._connections:
            self._connections[key] = Connection(place, self._liveness)
        return self._connections[key]

    def find_image(self, cube: Cube, platform: Platform) -> Image | None:
        """Return None: what a host has may have changed, and configuring tells."""
        del cube, platform
        return None

    def run(self, request: RunRequest) -> RunResult:
        """Run a task on the host to its end, and fetch its results."""
        there = self._cubes[request.cube.place, request.platform.source]
        there.connection.open()
        with build_lock(
            f"ssh-{there.workspace_key}",
            f"the results of {request.cube.id} on {there.connection.name}",
            request.options.task_timeout,
            request.watch.note,
        ):
            return TaskThere(request, there, self._liveness).run()

    def remove_leftovers(self) -> tuple[str, ...]:
        """End the connections of runs that are over; what they ran on hosts stays."""
        return self._liveness.remove_noted()

    def close(self) -> None:
        """Let go of the hosts; no request to end leaves one connected."""
        with waiting_requests(), ExitStack() as closing:
            closing.callback(self._liveness.end)
            for connection in self._connections.values():
                closing.callback(connection.close)


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanedFolder:
    """A folder on a host, and what became of it."""

    folder: str
    cube: str
    size: int
    """Bytes."""
    kept: str
    """Why it was kept; "" when it was removed."""


def clean_host(place: Place, *, days: float, force: bool) -> list[CleanedFolder]:
    """Remove the folders of this user's cubes on a host.

    Args:
        place: The host.
        days: Only those that were not used for so long.
        force: Also those where a task runs, or whose results were not fetched.

    Raises:
        MachineError: The host cannot be reached, or cannot do it.
    """
    trouble = programs_missing()
    if trouble is not None:
        raise trouble
    liveness = Liveness("clean")
    connection = Connection(place, liveness)
    try:
        connection.open()
        if not has_folder(connection, place.root):
            return []
        if not use_package(connection, look_at_host(connection, None)):
            prepare_agent(connection)
        found = connection.ask(
            {
                "do": "clean",
                "root": place.root,
                "owner": owner(),
                "days": days,
                "force": force,
            },
            doing="removing old folders",
            timeout=_CLEAN,
        )["found"]
    finally:
        with waiting_requests():
            connection.close()
            liveness.end()
    return [
        CleanedFolder(
            folder=each["folder"],
            cube=each["cube"],
            size=each["bytes"],
            kept=each["kept"],
        )
        for each in found
    ]
