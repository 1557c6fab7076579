"""One cube on another host: brought there, and run by the commands of our runners."""

from __future__ import annotations

import os
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mlcube_conformance import __version__
from mlcube_conformance.base.errors import MachineError, Message
from mlcube_conformance.base.files import resolved
from mlcube_conformance.formats.main_files import main_file
from mlcube_conformance.runners.places.outcome import read_outcome
from mlcube_conformance.runners.places.ssh.command import RemoteCommand, option_words
from mlcube_conformance.runners.places.ssh.data import GIVEN, WORKSPACE
from mlcube_conformance.runners.places.ssh.faults import no_outcome, not_understood
from mlcube_conformance.runners.places.ssh.folders import (
    NOT_SENT,
    CubeFolders,
    is_sent,
    owner,
)
from mlcube_conformance.runners.places.ssh.host import use_package
from mlcube_conformance.runners.places.ssh.job import stop
from mlcube_conformance.runners.places.ssh.package import (
    SAFE,
    SMALL,
    prepare_agent,
    use_python,
)
from mlcube_conformance.runners.places.ssh.transfer import push
from mlcube_conformance.runners.places.wheel import package_key
from mlcube_conformance.runners.work import heartbeat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlcube_conformance.base.process import Ended
    from mlcube_conformance.model import Cube, Invocation, Platform
    from mlcube_conformance.option import Taker
    from mlcube_conformance.runners.contract import ConfigureRequest, Options, Watch
    from mlcube_conformance.runners.places.outcome import Outcome
    from mlcube_conformance.runners.places.ssh.connection import Connection
    from mlcube_conformance.runners.places.ssh.host import HostFacts

__all__ = ["CubeThere"]

#: Seconds that the host has, beyond a deadline, to tell what became of it.
_GRACE = 60
#: Folders beside a cube on the host, for small files from elsewhere.
_BESIDE = ("platform", "task", "certificates", "context")


class CubeThere(CubeFolders):
    """A cube on a host, ready to be configured and run."""

    def __init__(self, connection: Connection, cube: Cube, platform: Platform) -> None:
        """Prepare; nothing is asked yet."""
        super().__init__(connection.place, cube, platform)
        self.connection = connection
        self._python: tuple[str, dict[str, str]] = ("", {})

    def make_environment(
        self, facts: HostFacts, log: Path, watch: Watch, timeout: float
    ) -> None:
        """Make an environment on the host, unless the one there has this package.

        Raises:
            MachineError: It cannot be made.
        """
        if use_package(self.connection, facts):
            self._root, self._home = facts.root, facts.home
            self._python = (facts.package_python, {})
            return
        wheel = prepare_agent(self.connection)
        interpreter = self._place.interpreter
        answer = self.connection.ask(
            {
                "do": "environment",
                "root": self._place.root,
                "kind": interpreter.kind,
                "location": interpreter.location,
                "name": interpreter.name,
                "requirements": list(interpreter.requirements),
                "wheel": wheel,
                "key": package_key(),
                "variables": dict(self._place.variables),
                "timeout": timeout,
            },
            doing="making the environment of the runner",
            timeout=timeout + _GRACE,
            log=log,
            waiting=heartbeat(watch, f"still preparing {self.connection.name}", log),
        )
        self._root, self._home = answer["root"], answer["home"]
        self._python = (answer["python"], answer["env"])
        # Installed, it starts faster than from the wheel.
        use_python(self.connection, *self._python)

    def send(self, note: Mapping[str, str], timeout: float) -> None:
        """Bring the cube and its platform file to the host, and make its folders.

        Raises:
            MachineError: It cannot be brought.
        """
        beside = [f"{self._content_folder}/{each}" for each in _BESIDE]
        data = [f"{self.workspace_folder}/{each}" for each in (WORKSPACE, GIVEN)]
        self.connection.ask(
            {
                "do": "use",
                "make": [*beside, *data, self.cube_folder],
                "folders": [self._content_folder, self.workspace_folder],
                "note": {"owner": owner(), **note},
            },
            doing="making folders on it",
        )
        if self._place.sync_cube:
            if self._place.cube_folder:
                self._claim_cube_folder()
            push(
                self.connection,
                self._cube.root,
                ["."],
                self.cube_folder,
                mirror=True,
                limit=("--configure-timeout", timeout),
                without=NOT_SENT,
            )
        self._send_file(self._inner.file, self._beside(self._inner.file, "platform"))
        if self._context_name:
            push(
                self.connection,
                self._cube.docker.context,
                ["."],
                f"{self._content_folder}/context",
                mirror=True,
                limit=("--configure-timeout", timeout),
            )

    def _claim_cube_folder(self) -> None:
        """Make sure that a folder that the platform file names is this cube's.

        What is there and not in the cube is removed.
        """
        answer = self.connection.ask(
            {
                "do": "claim",
                "folder": self.cube_folder,
                "whose": [owner(), str(self._cube.root)],
            },
            doing="looking at the folder of the cube",
        )
        if answer["found"]:
            raise MachineError(
                Message(
                    what=f"the folder of the cube on {self.connection.name} "
                    "contains something else",
                    where=f"{self._platform.file}, key mlcube.path",
                    found=f"{self.cube_folder}: {answer['found']}",
                    expected="an empty folder, or one that this cube was sent to",
                    do="name another folder, one for each cube, or leave the key out",
                )
            )

    def _send_file(self, file: Path, there: str) -> None:
        """Bring one small file to its place beside the cube."""
        file = resolved(file)  # a link would be broken there
        push(
            self.connection,
            file.parent,
            [file.name],
            str(PurePosixPath(there).parent),
            mirror=False,
            limit=SMALL,
        )

    def configure(self, request: ConfigureRequest) -> Outcome:
        """Make the image on the host, or find it up to date.

        Raises:
            MachineError: The host does not say what became of it.
        """
        job = f"{self._content_folder}/configure"
        timeout = request.options.configure_timeout
        command = self.command("configure", request.options)
        deadline = time.monotonic() + timeout + _GRACE
        mine = False
        while not mine and time.monotonic() < deadline:
            # Another run may be at it, with other build arguments.
            try:
                started = self.start(job, command, {})
                mine = started["mine"]
                ended = self._follow_configure(job, request, deadline)
            except KeyboardInterrupt:
                stop(self.connection, job)
                raise
            if self.connection.is_cut(ended.exit_code):
                raise self.connection.lost("configuring")
        return self.outcome(job, request.log, request.log, "configuring")

    def _follow_configure(
        self, job: str, request: ConfigureRequest, deadline: float
    ) -> Ended:
        return self.connection.follow(
            {"folder": job, "stderr": "configure.log"},
            stdout=Path(os.devnull),
            stderr=request.log,
            timeout=deadline - time.monotonic(),
            err=request.watch.err,
            waiting=heartbeat(
                request.watch,
                f"still configuring {self._cube.id} on {self.connection.name}",
                request.log,
            ),
        )

    def run_command(
        self,
        invocation: Invocation,
        overrides: Sequence[tuple[str, str]],
        options: Options,
    ) -> RemoteCommand:
        """Return the command that runs a task.

        Args:
            invocation: What is to run.
            overrides: Parameters with their places below the workspace's folder.
            options: What the command line asks.
        """
        root, file = self._cube.root, invocation.file
        files: dict[str, Path] = {}
        if file == main_file(self._cube.place):
            there = invocation.name
        elif file.is_relative_to(root) and is_sent(str(file.relative_to(root))):
            there = f"{self.cube_folder}/{file.relative_to(root)}"
        else:
            there = self._beside(file, "task")
            files[there] = file
        words = ["--task", there]
        words += ["--workspace", f"{self.workspace_folder}/{WORKSPACE}"]
        for name, place in overrides:
            name_there = f"{invocation.task.name}.{name}"
            words += ["--parameter", f"{name_there}={self.workspace_folder}/{place}"]
        for each in invocation.bound("input"):
            if each.parameter.optional:
                words += ["--optional", each.parameter.name]
        return self.command("run", options, words, files)

    def command(
        self,
        verb: Taker,
        options: Options,
        more: Sequence[str] = (),
        files: Mapping[str, Path] | None = None,
    ) -> RemoteCommand:
        """Return a command of the runner on the host.

        Args:
            verb: `configure` or `run`.
            options: What the command line asks.
            more: Further words.
            files: Small files that these name, by their places there.
        """
        python, environment = self._python
        words = [
            "--mlcube",
            str(PurePosixPath(self.cube_folder, self._cube.definition)),
        ]
        # A section of the cube's main file is known there by its name.
        platform = self._beside(self._inner.file, "platform")
        words += ["--platform", self._inner.section or platform]
        if self._context_name:
            words += ["--build-context", f"{self._content_folder}/context"]
        elif self._cube.docker.given:
            inside = self._cube.docker.context.relative_to(self._cube.root)
            words += ["--build-context", str(PurePosixPath(self.cube_folder, inside))]
        asked, variables = option_words(verb, options, self._place.variables)
        files = dict(files or {})
        if options.ca_bundle:
            there = self._beside(options.ca_bundle, "certificates")
            asked += ["--ca-bundle", there]
            files[there] = options.ca_bundle
        module = f"mlcube_{self._inner.kind}_run"
        return RemoteCommand(
            argv=(python, "-m", module, verb, *words, *asked, *more),
            environment={
                **variables,
                **environment,
                **dict(each.split("=") for each in SAFE),
            },
            files=files,
        )

    def start(
        self, job: str, command: RemoteCommand, record: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Start a command of the runner on the host, unless the job runs already.

        Raises:
            MachineError: The host cannot start it.
        """
        for there, file in command.files.items():
            self._send_file(file, there)
        return self.connection.ask(
            {
                "do": "start",
                "folder": job,
                "argv": list(command.argv),
                "env": dict(command.environment),
                "record": {"began": time.strftime("%Y-%m-%d %H:%M:%S"), **record},
            },
            doing=f"starting {' '.join(command.argv[2:4])}",
        )

    def outcome(self, job: str, stdout: Path, stderr: Path, doing: str) -> Outcome:
        """Return the result of a job that has ended.

        Raises:
            MachineError: It runs still, or it left no word.
        """
        found = self.connection.ask(
            {"do": "look", "folder": job}, doing=f"asking for the result of {doing}"
        )
        if found["state"] != "ended" or not found["outcome"]:
            raise no_outcome(self.connection, job, doing, found)
        places = self._places(job, stdout, stderr)
        try:
            return read_outcome(
                found["outcome"],
                stdout=stdout,
                stderr=stderr,
                here=lambda text: _replaced(text, places),
            )
        except (KeyError, TypeError) as error:  # of a later version
            asking = f"asking for the result of {doing}"
            raise not_understood(self.connection, asking) from error

    def version_note(self) -> str:
        """Say what runs on the host, for people."""
        python = PurePosixPath(self._python[0])
        return f"mlcube-conformance {__version__} by {python} on {self.connection.name}"


def _replaced(text: str, places: Mapping[str, str]) -> str:
    for there, here in places.items():
        text = text.replace(there, here)
    return text
