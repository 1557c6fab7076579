"""One task on another host: sent, followed, and its results fetched.

There is one job at a time in a workspace on the host. It outlives the connection, so
the first question is what became of an earlier one. What its results are for
is noted on this machine: a host does not decide where files are written here.
"""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError
from mlcube_conformance.base.text import plain
from mlcube_conformance.runners.common.liveness import lock_folder
from mlcube_conformance.runners.places.ssh.connection import LinkLost
from mlcube_conformance.runners.places.ssh.data import task_data
from mlcube_conformance.runners.places.ssh.faults import (
    at_fault,
    no_word,
    not_understood,
    still_running,
)
from mlcube_conformance.runners.places.ssh.host import entries_on_host
from mlcube_conformance.runners.places.ssh.job import stop
from mlcube_conformance.runners.places.ssh.notes import (
    Note,
    note_of,
    noted_before,
    read_note,
    write_note,
)
from mlcube_conformance.runners.places.ssh.transfer import fetch, push, readable
from mlcube_conformance.runners.places.ssh.trouble import hand_words
from mlcube_conformance.runners.places.wheel import package_key
from mlcube_conformance.runners.work import heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlcube_conformance.model import RunResult
    from mlcube_conformance.place import RemoteEntry
    from mlcube_conformance.runners.common.liveness import Liveness
    from mlcube_conformance.runners.contract import RunRequest
    from mlcube_conformance.runners.places.outcome import Outcome
    from mlcube_conformance.runners.places.ssh.cube import CubeThere
    from mlcube_conformance.runners.places.ssh.data import Bundle

__all__ = ["TaskThere"]

#: Seconds that the host has, beyond a deadline, to end the task and say so.
_GRACE = 60
_LOGS = {"stdout": "stdout.log", "stderr": "stderr.log"}


class TaskThere:
    """A task that is to run on a host, with all of its files."""

    def __init__(
        self, request: RunRequest, there: CubeThere, liveness: Liveness
    ) -> None:
        """Look at its files; nothing is sent yet.

        Raises:
            Violation: A value means another folder on another host.
        """
        self._request = request
        self._there = there
        self._liveness = liveness
        self._link = there.connection
        self._job = there.run_job
        self._data = task_data(request.invocation, request.workspace)
        self._command = there.run_command(
            request.invocation, self._data.overrides, request.options
        )
        self._fetched = [each for each in self._data.bundles if each.fetched]
        #: What was sent, at and below the names that are fetched, by their folder.
        self._before: Mapping[str, Sequence[str]] = {}

    def run(self) -> RunResult:
        """Run the task to its end, or fetch the results where it ran before.

        Raises:
            Violation: The cube is at fault.
            MachineError: The host, the connection or another task is.
        """
        request = self._request
        identity = self.identity
        self._run_there(identity)
        with self._saying_what_waits(request.case_id):
            outcome, remote = self._bring_back()
        self._end(identity)
        if outcome.error is not None:
            raise at_fault(outcome.error, self._link.name)
        if not outcome.result:
            raise no_word(self._link, "a result")
        return replace(
            outcome.result,
            remote=remote,
            # ssh joins its words, and the host's shell reads them.
            command=(
                *hand_words(self._link.place),
                shlex.join(outcome.result.command),
            ),
        )

    @contextmanager
    def _saying_what_waits(self, case: str) -> Iterator[None]:
        """Say, on an interrupt, that results wait on the host."""
        try:
            yield
        except KeyboardInterrupt:
            self._request.watch.note(
                f"interrupted after {case} ended on {self._link.name}; the next run "
                "fetches its results"
            )
            raise

    def _run_there(self, identity: str) -> None:
        """Run the task to its end, where it has not run before."""
        request = self._request
        ours = False
        try:
            ours = self._settle(identity)
            if not ours:
                self._send()
                ours = True
                self._start(identity)
            self._follow()
        except KeyboardInterrupt:
            if ours:
                stop(self._link, self._job)
                note_of(identity).unlink(missing_ok=True)
                request.watch.note(
                    f"stopped {request.case_id} on {self._link.name}; its results so "
                    "far stay there"
                )
            raise

    def _bring_back(self) -> tuple[Outcome, dict[str, dict[str, RemoteEntry]]]:
        """Fetch the results of the task, which has ended, and see what is there."""
        request = self._request
        outcome = self._there.outcome(
            self._job, request.stdout, request.stderr, f"task {request.case_id}"
        )
        self._fetch()
        return outcome, entries_on_host(
            self._link,
            {
                f"{role} {name}": f"{self._there.workspace_folder}/{place}"
                for role, name, place in self._data.places
            },
        )

    @cached_property
    def identity(self) -> str:
        """Identity of a run: equal runs have equal results."""
        request = self._request
        return self._command.identity(
            str(request.workspace),
            list(request.view.arguments),
            request.image.digest,
            self._there.content_key,
            self._data.fingerprint(),
            package_key(),
        )

    def _settle(self, identity: str) -> bool:
        """Find the result of an earlier task; say whether it is this very one.

        Raises:
            MachineError: Another one is still at work in this workspace.
        """
        note = self._request.watch.note
        found = self._link.ask(
            {"do": "look", "folder": self._job}, doing="asking for earlier tasks"
        )
        state, record = found["state"], found["record"] or {}
        outcome = found["outcome"]
        if state == "none":
            return False
        if not {"id", "case", "began", "timeout"} <= record.keys():
            raise not_understood(self._link, "asking for earlier tasks")
        # The host's word, which could steer a terminal.
        case, began = plain(record["case"]), plain(record["began"])
        what = f"{case}, begun on {self._link.name} at {began},"
        if state == "running":
            if record["id"] != identity:
                raise still_running(self._link, self._there.workspace_folder, record)
            note(f"{what} still runs: following it")
            self._before = noted_before(identity)
            return True
        if not outcome or not (outcome["result"] or outcome["error"]):
            note(f"{what} was ended there and left no result")
            self._end(record["id"])
            return False
        if record["id"] == identity:
            note(f"{what} has ended since: fetching its results")
            self._before = noted_before(identity)
            return True
        with self._saying_what_waits(case):
            self._fetch_for_another(record["id"], what)
        return False

    def _fetch_for_another(self, identity: str, what: str) -> None:
        """Bring the results of an earlier run to where that one wanted them."""
        note = self._request.watch.note
        wanted = read_note(identity)
        if not wanted or not wanted.has_place:
            note(f"{what} has ended since; its folder is gone, and so are its results")
            self._end(identity)
            return
        try:
            self._bring(wanted)
            outcome = self._there.outcome(
                self._job, wanted.stdout, wanted.stdout, "an earlier task"
            )
        except LinkLost:
            raise
        except MachineError as error:
            note(f"{what} has ended since; no results: {error.messages[0].found}")
        else:
            code = outcome.result.exit_code if outcome.result else "unknown"
            note(
                f"{what} has ended since with exit code {code}; see {wanted.workspace}"
            )
        self._end(identity)

    def _bring(self, wanted: Note) -> None:
        """Fetch results and logs to where an earlier run wanted them."""
        for each in wanted.fetched:
            self._fetch_bundle(each, wanted.before.get(str(each.base), ()))
        self._link.follow(
            {"folder": self._job, **_LOGS},
            stdout=wanted.stdout,
            stderr=wanted.stderr,
            timeout=_GRACE,
        )

    def _send(self) -> None:
        request = self._request
        # Of another workspace, equal sizes and times would say nothing.
        last = lock_folder() / f"ssh-last-{self._there.workspace_key}"
        here = str(request.workspace)
        same = last.is_file() and last.read_text(encoding="utf-8") == here
        last.unlink(missing_ok=True)
        self._before = {str(each.base): each.present() for each in self._fetched}
        sent = sum(
            push(
                self._link,
                each.base,
                each.sent,
                f"{self._there.workspace_folder}/{each.there}",
                mirror=True,
                by_content=not same,
                limit=("--task-timeout", request.options.task_timeout),
            )
            for each in self._data.bundles
        )
        last.write_text(here, encoding="utf-8")
        request.watch.note(
            f"sent {readable(sent)} for {request.case_id} to {self._link.name}"
        )

    def _start(self, identity: str) -> None:
        request = self._request
        note = Note(
            workspace=request.workspace,
            stdout=request.stdout,
            stderr=request.stderr,
            fetched=tuple(self._fetched),
            before=self._before,
        )
        write_note(identity, note)
        record = {
            "id": identity,
            "case": request.case_id,
            "timeout": request.options.task_timeout,
        }
        self._there.start(self._job, self._command, record)

    def _follow(self) -> None:
        """Pass on what the task says until it ends.

        Raises:
            LinkLost: The connection ended; the task goes on.
        """
        request, options = self._request, self._request.options
        ended = self._link.follow(
            {"folder": self._job, **_LOGS},
            stdout=request.stdout,
            stderr=request.stderr,
            # Its image may have been removed there, and is made again then.
            timeout=options.task_timeout + options.configure_timeout + _GRACE,
            out=request.watch.out,
            err=request.watch.err,
            waiting=heartbeat(
                request.watch,
                f"still running {request.case_id} on {self._link.name}",
                request.stdout,
            ),
        )
        if self._link.is_cut(ended.exit_code):
            doing = f"{request.case_id} ran there"
            raise self._link.lost(
                doing,
                f"run it again: the task goes on there for {options.task_timeout:g} s\n"
                "at most; the next run fetches its results, follows it, or reports it",
            )

    def _end(self, identity: str) -> None:
        """Forget the job: its results are here."""
        self._link.ask({"do": "end", "folder": self._job}, doing="tidying up")
        note_of(identity).unlink(missing_ok=True)

    def _fetch(self) -> None:
        received = sum(
            self._fetch_bundle(each, self._before.get(str(each.base), ()))
            for each in self._fetched
        )
        self._request.watch.note(
            f"fetched {readable(received)} of {self._request.case_id} from "
            f"{self._link.name}"
        )

    def _fetch_bundle(self, bundle: Bundle, before: Sequence[str]) -> int:
        folder = f"{self._there.workspace_folder}/{bundle.there}"

        def remote_names() -> list[str]:
            names: list[str] = self._link.ask(
                {"do": "names", "base": folder, "names": bundle.fetched},
                doing="listing results",
            )["names"]
            return names

        return fetch(
            self._link,
            folder,
            bundle.fetched,
            bundle.base,
            remote_names=remote_names,
            before=before,
            limit=("--task-timeout", self._request.options.task_timeout),
            liveness=self._liveness,
        )
