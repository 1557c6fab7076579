"""Runs cubes on another host, by ssh, on the Docker or Singularity of that host.

A place, not a container: it brings the cube there, runs our own runner there by its
command line, and brings the workspace back. A task outlives the connection that
began it; the next run learns what became of it.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlcube_conformance.errors import MachineError, Message, UsageError
from mlcube_conformance.runners.base import Options, Watch, heartbeat
from mlcube_conformance.runners.liveness import Liveness, build_lock, lock_folder
from mlcube_conformance.runners.ssh_connection import (
    Connection,
    programs_missing,
)
from mlcube_conformance.runners.ssh_cube import CubeThere, owner, prepare_agent
from mlcube_conformance.runners.ssh_data import Bundle, task_data
from mlcube_conformance.runners.ssh_host import entries_on_host
from mlcube_conformance.runners.ssh_transfer import fetch, push

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlcube_conformance.model import Cube, Image, Place, Platform, RunResult
    from mlcube_conformance.runners.base import ConfigureRequest, RunRequest
    from mlcube_conformance.runners.ssh_data import TaskData

__all__ = ["CleanedFolder", "SshRunner", "clean_host"]

#: Seconds that the host has, beyond a deadline, to end the task and say so.
_GRACE = 60
#: Seconds for a task that is to end at once.
_STOP = 15
#: Seconds for the removal of old folders.
_CLEAN = 600
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A task that is about to run, with all of its files."""

    request: RunRequest
    there: CubeThere
    data: TaskData
    before: dict[Path, list[str]]
    """What lay in each base before, at and below the names that are fetched."""


class SshRunner:
    """Configures and runs cubes on the hosts that platform files name."""

    protects_inputs = True

    def __init__(self, run_id: str) -> None:
        """Prepare, without connecting yet."""
        self._liveness = Liveness(run_id)
        self._connections: dict[object, Connection] = {}
        self._cubes: dict[tuple[Path, Path], CubeThere] = {}

    def unavailable(self) -> MachineError | None:
        """Return why no host can be reached from here, or None when one can."""
        try:
            lock_folder()
        except MachineError as error:
            return error
        return programs_missing()

    def configure(self, request: ConfigureRequest) -> Image:
        """Bring a cube to its host, and make its image there."""
        connection = self._connection(request.platform)
        connection.open()
        there = CubeThere(connection, request.cube, request.platform)
        timeout = request.options.configure_timeout
        there.check_host()
        there.make_environment(request.log, request.watch, timeout)
        there.send({"cube": str(request.cube.root)}, timeout)
        request.watch.note(
            f"configuring {request.cube.id} by {there.version_note()}; "
            f"log: {request.log}"
        )
        outcome = there.configure(request)
        if outcome.error is not None:
            raise _at_fault(outcome.error)
        if outcome.image is None:
            raise _no_word(connection, "an image")
        self._cubes[request.cube.root, request.platform.file] = there
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
        """Return the image that was configured on the host for this very cube."""
        connection = self._connection(platform)
        connection.open()
        there = CubeThere(connection, cube, platform)
        image = there.image()
        if image is not None:
            log = connection.folder / "environment.log"
            there.make_environment(log, Watch(), Options().configure_timeout)
            self._cubes[cube.root, platform.file] = there
        return image

    def run(self, request: RunRequest) -> RunResult:
        """Run a task on the host to its end, and bring back what it made."""
        there = self._cubes[request.cube.root, request.platform.file]
        there.connection.open()
        data = task_data(request.invocation, request.workspace)
        fetched = [each for each in data.bundles if each.fetched]
        task = _Task(
            request=request,
            there=there,
            data=data,
            before={each.base: each.present() for each in fetched},
        )
        with build_lock(
            f"ssh-{there.workspace_key}",
            f"the results of {request.cube.id} on {there.connection.name}",
            request.options.task_timeout,
            request.watch.note,
        ):
            return self._run(task)

    def _run(self, task: _Task) -> RunResult:
        request, there = task.request, task.there
        identity = _identity(task)
        if not self._settle(task, identity):
            self._send(task)
            there.start(
                there.run_job,
                "run",
                self._words(task),
                request.options,
                self._record(task, identity),
            )
        self._follow(task)
        outcome = there.outcome(
            there.run_job, request.stdout, request.stderr, f"task {request.case_id}"
        )
        self._fetch(task)
        remote = entries_on_host(
            there.connection,
            {
                name: f"{there.workspace_folder}/{place}"
                for name, place in task.data.outputs
            },
        )
        there.connection.ask({"do": "end", "folder": there.run_job}, doing="tidying up")
        if outcome.error is not None:
            raise _at_fault(outcome.error)
        if outcome.result is None:
            raise _no_word(there.connection, "a result")
        return replace(
            outcome.result,
            remote=remote,
            command=_by_hand(there.connection.place, outcome.result.command),
        )

    def _words(self, task: _Task) -> list[str]:
        request, options = task.request, task.request.options
        words = task.there.run_words(
            request.invocation.file, task.data.overrides, request.invocation.task.name
        )
        words += ["--task-timeout", f"{options.task_timeout:g}"]
        words += ["--configure-timeout", f"{options.configure_timeout:g}"]
        if options.gpus is not None:
            words += ["--gpus", options.gpus or "0"]
        return words

    @staticmethod
    def _record(task: _Task, identity: str) -> dict[str, Any]:
        request = task.request
        return {
            "id": identity,
            "case": request.case_id,
            "timeout": request.options.task_timeout,
            "workspace": str(request.workspace),
            "stdout": str(request.stdout),
            "stderr": str(request.stderr),
            "fetched": [
                {"base": str(each.base), "there": each.there, "names": each.names}
                for each in task.data.bundles
                if each.fetched
            ],
        }

    def _settle(self, task: _Task, identity: str) -> bool:
        """Learn what became of an earlier task; say whether it is this very one.

        Raises:
            MachineError: Another one is still at work in this workspace.
        """
        there, note = task.there, task.request.watch.note
        connection, job = there.connection, there.run_job
        found = connection.ask(
            {"do": "look", "folder": job}, doing="asking for earlier tasks"
        )
        state, record = found["state"], found["record"] or {}
        outcome = found["outcome"] or {}
        if state == "ended" and not outcome.get("result") and not outcome.get("error"):
            state = "lost"  # It was interrupted.
        if state in {"none", "lost"}:
            if state == "lost":
                note(
                    f"{record['case']}, begun on {connection.name} at "
                    f"{record['began']}, was ended there and left no result"
                )
            return False
        what = f"{record['case']}, begun on {connection.name} at {record['began']},"
        if record["id"] == identity:
            note(
                f"{what} still runs: following it"
                if state == "running"
                else f"{what} has ended since: fetching its results"
            )
            return True
        if state == "running":
            raise _still_running(connection, record)
        self._fetch_for_another(task, record, what)
        return False

    def _fetch_for_another(
        self, task: _Task, record: dict[str, Any], what: str
    ) -> None:
        """Bring the results of an earlier run to where that one wanted them."""
        there, note = task.there, task.request.watch.note
        workspace, stdout = Path(record["workspace"]), Path(record["stdout"])
        if not workspace.is_dir() or not stdout.parent.is_dir():
            note(f"{what} has ended since; {workspace} is gone, and so are its results")
            return
        for each in record["fetched"]:
            bundle = Bundle(
                base=Path(each["base"]),
                there=each["there"],
                names=tuple(each["names"]),
                fetched=True,
            )
            self._fetch_bundle(task, bundle, before=())
        there.connection.follow(
            {
                "folder": there.run_job,
                "stdout": "stdout.log",
                "stderr": "stderr.log",
            },
            stdout=stdout,
            stderr=Path(record["stderr"]),
            timeout=_GRACE,
        )
        outcome = there.outcome(there.run_job, stdout, stdout, record["case"])
        code = outcome.result.exit_code if outcome.result else "unknown"
        note(f"{what} has ended since with exit code {code}; its results: {workspace}")

    def _send(self, task: _Task) -> None:
        request, connection = task.request, task.there.connection
        sent = sum(
            push(
                connection,
                each.base,
                each.names,
                f"{task.there.workspace_folder}/{each.there}",
                mirror=True,
                timeout=request.options.task_timeout,
            )
            for each in task.data.bundles
        )
        request.watch.note(
            f"sent {sent / _MEGABYTE:.1f} MB for {request.case_id} to {connection.name}"
        )

    def _follow(self, task: _Task) -> None:
        """Pass on what the task says until it ends.

        Raises:
            LinkLost: The connection ended; the task goes on.
            MachineError: The host does not end it.
        """
        request, there = task.request, task.there
        timeout = request.options.task_timeout
        try:
            ended = there.connection.follow(
                {
                    "folder": there.run_job,
                    "stdout": "stdout.log",
                    "stderr": "stderr.log",
                },
                stdout=request.stdout,
                stderr=request.stderr,
                timeout=timeout + _GRACE,
                out=request.watch.out,
                err=request.watch.err,
                waiting=heartbeat(
                    request.watch,
                    f"still running {request.case_id} on {there.connection.name}",
                    request.stdout,
                ),
            )
        except KeyboardInterrupt:
            # Whoever interrupts means the task, too.
            there.connection.ask(
                {"do": "stop", "folder": there.run_job, "grace": _STOP},
                doing="ending the task",
                timeout=_GRACE,
            )
            there.connection.ask(
                {"do": "end", "folder": there.run_job}, doing="tidying up"
            )
            raise
        if there.connection.is_cut(ended.exit_code):
            msg = f"{request.case_id} ran there"
            raise there.connection.lost(
                msg,
                f"run the same again: the task goes on there for {timeout:g} s at most;"
                "\nthe next run fetches its results, follows it, or says that it runs",
            )

    def _fetch(self, task: _Task) -> None:
        request = task.request
        received = sum(
            self._fetch_bundle(task, each, before=task.before[each.base])
            for each in task.data.bundles
            if each.fetched
        )
        request.watch.note(
            f"fetched {received / _MEGABYTE:.1f} MB of {request.case_id} from "
            f"{task.there.connection.name}"
        )

    def _fetch_bundle(
        self, task: _Task, bundle: Bundle, before: list[str] | tuple[str, ...]
    ) -> int:
        connection = task.there.connection
        folder = f"{task.there.workspace_folder}/{bundle.there}"

        def remote_names() -> list[str]:
            names: list[str] = connection.ask(
                {"do": "names", "base": folder, "names": bundle.names},
                doing="listing results",
            )["names"]
            return names

        return fetch(
            connection,
            folder,
            bundle.names,
            bundle.base,
            remote_names=remote_names,
            before=before,
            timeout=task.request.options.task_timeout,
            liveness=self._liveness,
        )

    def remove_leftovers(self) -> tuple[str, ...]:
        """End the connections of runs that are over; what they ran on hosts stays."""
        return self._liveness.remove_noted()

    def close(self) -> None:
        """Let go of the hosts."""
        for connection in self._connections.values():
            connection.close()
        self._liveness.end()


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


def _by_hand(place: Place, command: Sequence[str]) -> tuple[str, ...]:
    """Return the command line that runs a command on the host; ssh joins its words."""
    port = ("-p", str(place.port)) if place.port else ()
    jump = ("-J", place.jump) if place.jump else ()
    key = ("-i", str(place.identity_file)) if place.identity_file else ()
    target = f"{place.user}@{place.host}" if place.user else place.host
    return ("ssh", *port, *jump, *key, target, shlex.join(command))


def _identity(task: _Task) -> str:
    """Return what tells a run from all others whose result would be another."""
    request = task.request
    words = [
        str(request.workspace),
        request.invocation.name,
        list(request.view.arguments),
        request.image.digest,
        request.options.network,
        request.options.gpus,
        task.data.fingerprint(),
    ]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()


def _still_running(connection: Connection, record: dict[str, Any]) -> MachineError:
    return MachineError(
        Message(
            what=f"an earlier task still runs on {connection.name}",
            where=f"host {connection.place.host}, {record['workspace']}",
            found=f"{record['case']}, begun at {record['began']} (its clock)",
            expected="no other task in the workspace of this cube there",
            do=f"wait for its end, {record['timeout']:g} s after it began at the "
            "latest; or end it and\nlose its results: python -m mlcube_ssh_run clean "
            "--force --platform FILE",
        )
    )


def _at_fault(error: Exception) -> Exception:
    """Return the error of the host, as it counts here."""
    if isinstance(error, UsageError):
        # What the host was told comes from us.
        return MachineError(*error.messages)
    return error


def _no_word(connection: Connection, what: str) -> MachineError:
    return MachineError(
        Message(
            what=f"{connection.name} names neither {what} nor an error",
            where=f"host {connection.place.host}",
            found="a command that was interrupted there",
            expected=what,
            do="run it again",
        )
    )
