"""One connection to another host, by OpenSSH, which all that is done there shares.

The settings of ssh are in a file of their own, in the form of ssh_config(5), so the
very same holds for ssh, for rsync and for whoever else connects. The user's own
configuration is read after it: there, the first word counts.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from mlcube_conformance.base.errors import MachineError, Message, PlatformUnavailable
from mlcube_conformance.base.interrupts import waiting_requests
from mlcube_conformance.base.process import (
    begin_session,
    end_session,
    run_process,
)
from mlcube_conformance.base.text import last_lines, tail
from mlcube_conformance.runners.common.scratch import remove_all
from mlcube_conformance.runners.places.ssh.agent_session import AgentSession
from mlcube_conformance.runners.places.ssh.answers import (
    LONGEST,
    answer_in,
    is_answer,
    request_of,
    trouble_in,
)
from mlcube_conformance.runners.places.ssh.configuration import (
    CONNECT_TIMEOUT,
    check_place,
    configuration,
)
from mlcube_conformance.runners.places.ssh.faults import no_python, not_understood
from mlcube_conformance.runners.places.ssh.trouble import (
    Trouble,
    by_hand,
    what_ssh_means,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlcube_conformance.base.errors import Fields
    from mlcube_conformance.base.process import Ended, Streams
    from mlcube_conformance.place import Place
    from mlcube_conformance.runners.common.liveness import Liveness

__all__ = ["Connection", "LinkLost"]

#: Seconds for a short question to be answered.
_ANSWER_TIMEOUT = 60
#: Number of a request to a program that is asked nothing else.
_ONE = 1
#: Programs that pass on what one job says, should one after another be killed.
_FOLLOWERS = 5
#: Exit code of a shell that finds no such program.
_NOT_FOUND = 127
_PAUSE = 0.05
#: A socket's path may have a hundred bytes: not every TMPDIR is short enough.
_SHORT = Path("/tmp")  # noqa: S108 - a folder in it that is ours alone


class LinkLost(MachineError):  # noqa: N818 - names a state
    """The connection ended before the request."""


class Connection:
    """A connection to a place; made once, and shared by all that is done there."""

    def __init__(self, place: Place, liveness: Liveness) -> None:
        """Prepare; nothing is connected yet."""
        self.place = place
        self._liveness = liveness
        self._master: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._agent: tuple[str, ...] = ()
        self._stays = False
        self._session: AgentSession | None = None
        self._allows_one_session: bool | None = None

    @property
    def name(self) -> str:
        """What messages call the host, as in `me@host:2222`."""
        place = self.place
        user = f"{place.user}@" if place.user else ""
        return f"{user}{place.host}" + (f":{place.port}" if place.port else "")

    @property
    def where(self) -> str:
        """Where messages say that the trouble is."""
        return f"{self.place.file}, host {self.place.host}"

    @property
    def folder(self) -> Path:
        """Folder of this connection's files, once open; its path holds no space."""
        if self._folder is None:
            raise ValueError("not connected")
        return self._folder

    @property
    def config(self) -> Path:
        """The file that tells ssh all about the host."""
        return self.folder / "config"

    @property
    def alive(self) -> bool:
        """Whether the connection stands; one that has ended is tidied up."""
        if self._master is not None and self._master.poll() is not None:
            # At once: its number may be that of another process later.
            end_session(self._master)
            self._master = None
        return self._master is not None

    def open(self) -> None:
        """Connect, unless the connection stands.

        Raises:
            MachineError: It cannot be made; says why and what to do.
        """
        if self.alive:
            return
        self.close()
        check_place(self.place)
        where = _SHORT if os.access(_SHORT, os.W_OK) else None
        self._folder = Path(tempfile.mkdtemp(prefix="mlcube-", dir=where))
        self._liveness.remember_path(self._folder)
        self.config.write_text(configuration(self.place, self.folder), encoding="utf-8")
        said = self.folder / "said"
        nothing = subprocess.DEVNULL
        argv = [*self.client, "-o", "ControlMaster=yes", "-N", self.place.host]
        with said.open("wb") as log, waiting_requests():
            self._master = begin_session(
                argv, stdin=nothing, stdout=nothing, stderr=log
            )
        self._liveness.remember_session(self._master.pid)
        deadline = time.monotonic() + CONNECT_TIMEOUT
        while not (self.folder / "control").exists():
            if not self.alive or time.monotonic() > deadline:
                error = self._not_connected(said)
                self.close()
                raise error
            time.sleep(_PAUSE)

    @property
    def client(self) -> tuple[str, ...]:
        """The first words of every command line of ssh."""
        return ("ssh", "-F", str(self.config))

    def _not_connected(self, said: Path) -> MachineError:
        words = said.read_text(encoding="utf-8", errors="replace")
        shown = self.folder / "shown"
        key = shown.read_text(encoding="utf-8") if shown.exists() else ""
        trouble = what_ssh_means(words, self.place, key)
        if self.alive:
            what = f"no connection within {CONNECT_TIMEOUT} s"
            trouble = Trouble(what, f"try it by hand: {by_hand(self.place)}")
        return PlatformUnavailable(
            Message(
                what=f"cannot connect to {self.name}",
                where=self.where,
                found="\n".join([trouble.what, *last_lines(words, 4)]),
                expected="a host that accepts this user by ssh, without a prompt",
                do=trouble.do,
            )
        )

    def fault(
        self, *, what: str, at: str = "", **fields: Unpack[Fields]
    ) -> MachineError:
        """Return the error of a host that fails at a request."""
        where = f"{self.where}, {at}" if at else self.where
        return MachineError(Message(what=what, where=where, **fields))

    def is_cut(self, exit_code: int) -> bool:
        """Say whether a program failed because the connection has ended."""
        if exit_code and self._master is not None:
            # Its clients may end a moment before it.
            with suppress(subprocess.TimeoutExpired):
                self._master.wait(1)
        return not self.alive

    def lost(self, doing: str, do: str = "run it again") -> LinkLost:
        """Return the error of a connection that ended meanwhile."""
        said = tail(self.folder / "said", 2) if self._folder else ()
        return LinkLost(
            Message(
                what=f"the connection to {self.name} was lost while {doing}",
                where=self.where,
                found="; ".join(said) or "no answer any more",
                expected="a host that answers",
                do=do,
            )
        )

    def run(
        self,
        words: Sequence[str],
        options: Sequence[str] = (),
        **streams: Unpack[Streams],
    ) -> Ended:
        """Run a command on the host, where a shell reads its words."""
        return run_process(
            [*self.client, *options, self.place.host, "--", *words],
            begun=self._liveness.remember_session,
            **streams,
        )

    def use_agent(self, words: Sequence[str], *, stays: bool = False) -> None:
        """Say by which command the host answers requests.

        Args:
            words: The command, which holds nothing that a shell reads.
            stays: Whether it answers one after another, which ours does.
        """
        self._agent, self._stays = tuple(words), stays

    def ask(
        self,
        request: Mapping[str, Any],
        *,
        doing: str,
        timeout: float = _ANSWER_TIMEOUT,
        log: Path | None = None,
        waiting: Callable[[float], None] | None = None,
    ) -> dict[str, Any]:
        """Ask the host for something and return its answer.

        Args:
            request: What is asked for; `do` says what.
            doing: What that is, for messages.
            timeout: Seconds.
            log: File for what it says besides.
            waiting: Called again and again with the seconds since the start.

        Raises:
            LinkLost: The connection ended.
            MachineError: The host refuses, or cannot.
        """
        errors = log or self.folder / "errors"
        if self._stays and not (self._allows_one_session or log or waiting):
            found, ended = self._agent_session(errors).ask(request, timeout)
            if found is not None and self._allows_one_session is None:
                self._check_second_session()
        else:
            answer = self.folder / "answer"
            ended = self.run(
                self._agent,
                stdin=self._request(request),
                stdout=answer,
                stderr=errors,
                timeout=timeout,
                waiting=waiting,
                limit=LONGEST,
            )
            lines = answer.read_bytes().splitlines()
            found = answer_in(lines, _ONE, or_unnumbered=True)
        if ended.exit_code == 0 and found is not None and "error" not in found:
            if is_answer(found, request):
                return found
            raise not_understood(self, doing)
        if self.is_cut(ended.exit_code):
            raise self.lost(doing)
        if ended.exit_code == _NOT_FOUND and found is None:
            raise no_python(self, self._agent)
        trouble = trouble_in(found)
        if ended.timed_out:
            said = "no end in time"
        elif ended.exit_code:
            said = f"exit code {ended.exit_code}"
        else:
            said = "an error without a reason" if found else "no answer"
        raise MachineError(
            Message(
                what=f"{self.name} fails at {doing}",
                where=self.where + (f"\nlog: {log}" if log else ""),
                found=trouble.get("found", said),
                expected="an answer",
                do=trouble.get("do", "fix what the log shows"),
                tail=tail(errors, 8),
            )
        )

    def _agent_session(self, errors: Path) -> AgentSession:
        """Return what answers on the host by its present command."""
        argv = (*self.client, self.place.host, "--", *self._agent)
        if not self._session or self._session.argv != argv:
            self._end_agent_session()
            begun = self._liveness.remember_session
            self._session = AgentSession(argv, errors, begun)
        return self._session

    def _check_second_session(self) -> None:
        """Find out whether the host allows a session beside the one that answers.

        Where it does not, that one ends: ssh would log in again, which may be refused.
        """
        said = self.folder / "second"
        options = ("-o", "ProxyCommand=false")  # Nor does this one log in again.
        self.run(("true",), options, stdout=said, stderr=said, timeout=_ANSWER_TIMEOUT)
        self._allows_one_session = b"open refused" in said.read_bytes()
        if self._allows_one_session:
            self._end_agent_session()

    def _end_agent_session(self) -> None:
        if self._session is not None:
            self._session.end()
            self._session = None

    def follow(self, request: Mapping[str, Any], **streams: Unpack[Streams]) -> Ended:
        """Pass on what a job on the host says, until it has ended.

        The job goes on if the program that passes it on is killed; then another one
        starts from the beginning.
        """
        streams["stdin"] = self._request({**request, "do": "follow"})
        deadline = time.monotonic() + streams["timeout"]
        for _ in range(_FOLLOWERS):
            ended = self.run(self._agent, **streams)
            if not ended.exit_code or ended.timed_out or self.is_cut(ended.exit_code):
                break
            streams["timeout"] = max(0.0, deadline - time.monotonic())
        return ended

    def _request(self, request: Mapping[str, Any]) -> Path:
        path = self.folder / "request"
        path.write_bytes(request_of(request, _ONE))
        return path

    def close(self) -> None:
        """End the connection, and remove its files; no request to end cuts it short."""
        with waiting_requests():
            if self._master is not None:
                end_session(self._master)
                self._master = None
            # What answers ended with the connection, and is not waited for.
            self._end_agent_session()
            if self._folder is not None:
                remove_all(self._folder)
                self._folder = None
