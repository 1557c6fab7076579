"""One cube on another host: its folders there, and the commands run on it.

Below the folder of ours on the host, `cubes/` holds each cube by its content, and
`workspaces/` a workspace for each cube folder of each user of each machine, so that
equal names never meet. Commands are those of our runners on that host.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import re
import socket
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mlcube_conformance import __version__
from mlcube_conformance.base.errors import MachineError, Message, PlatformUnavailable
from mlcube_conformance.base.files import is_folder, read_text, resolved
from mlcube_conformance.formats.main_files import main_file
from mlcube_conformance.runners.common.content import content_key, files_below
from mlcube_conformance.runners.places.outcome import read_outcome
from mlcube_conformance.runners.places.ssh.command import RemoteCommand, option_words
from mlcube_conformance.runners.places.ssh.data import GIVEN, WORKSPACE
from mlcube_conformance.runners.places.ssh.host import look_at_host, what_is_missing
from mlcube_conformance.runners.places.ssh.transfer import push
from mlcube_conformance.runners.places.wheel import make_wheel, package_key
from mlcube_conformance.runners.work import heartbeat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlcube_conformance.base.process import Ended
    from mlcube_conformance.model import Cube, Invocation, Platform
    from mlcube_conformance.place import Place
    from mlcube_conformance.runners.contract import ConfigureRequest, Options, Watch
    from mlcube_conformance.runners.places.outcome import Outcome
    from mlcube_conformance.runners.places.ssh.connection import Connection

__all__ = ["CubeThere", "has_folder", "owner", "prepare_agent"]

#: What of a cube stays here: data, and what tools keep beside it.
_NOT_SENT = ("/workspace", "/.*", "__pycache__")
#: Seconds that the host has, beyond a deadline, to tell what became of it.
_GRACE = 60
#: Seconds for a task that is to end at once.
_STOP = 15
#: Seconds for the wheel and other small files.
_SMALL = ("", 300.0)
_SHOWN = 4
#: Folders beside a cube on the host, for small files from elsewhere.
_BESIDE = ("platform", "task", "certificates", "context")
#: Neither what lies in the home nor the host's language changes what is run.
_SAFE = ("PYTHONSAFEPATH=1", "PYTHONUTF8=1")
_AGENT = ("-m", "mlcube_conformance.runners.places.agent")
#: A word that means itself to any shell.
_PLAIN = re.compile(r"[A-Za-z0-9_./+@=:-]+")


def owner() -> str:
    """Return who asks: one account of the host may serve several."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def has_folder(connection: Connection, folder: str) -> bool:
    """Say whether a folder is on the host; makes none."""
    nowhere = Path(os.devnull)
    ended = connection.run(
        ("test", "-d", folder), stdout=nowhere, stderr=nowhere, timeout=_SMALL[1]
    )
    return ended.exit_code == 0


def prepare_agent(connection: Connection) -> str:
    """Send the package, and let the host answer requests; return the wheel's path.

    Raises:
        MachineError: It cannot be sent.
    """
    place = connection.place
    interpreter = place.interpreter
    if not place.sync_package:
        python = interpreter.python
        if interpreter.kind == "virtualenv":
            location = interpreter.location or f"{place.root}/environments"
            python = f"{location}/{interpreter.name}/bin/python"
        connection.use_agent(("env", *_SAFE, python, *_AGENT))
        return ""
    folder = f"{place.root}/packages/{package_key()}"
    said = connection.folder / "mkdir"
    ended = connection.run(
        ("mkdir", "-p", folder), stdout=said, stderr=said, timeout=_SMALL[1]
    )
    if ended.exit_code:
        if connection.is_cut(ended.exit_code):
            raise connection.lost("making a folder on it")
        raise _no_folder(connection, folder, said.read_text(errors="replace"))
    wheel = make_wheel(connection.folder)
    push(
        connection,
        wheel.parent,
        [wheel.name],
        folder,
        mirror=False,
        limit=_SMALL,
    )
    path = f"{folder}/{wheel.name}"
    words = (f"PYTHONPATH={path}", *_SAFE, interpreter.python, *_AGENT)
    connection.use_agent(("env", *words))
    return path


def _no_folder(connection: Connection, folder: str, said: str) -> MachineError:
    return MachineError(
        Message(
            what=f"{connection.name} cannot hold a cube",
            where=connection.where,
            found=said.strip() or f"mkdir -p {folder} fails",
            expected=f"a folder {connection.place.root} in which files can be made",
            do="mend its permissions, or name another folder (env.path)",
        )
    )


class CubeThere:
    """A cube on a host, ready to be configured and run."""

    def __init__(self, connection: Connection, cube: Cube, platform: Platform) -> None:
        """Prepare; nothing is asked yet."""
        self.connection = connection
        self._cube = cube
        self._platform = platform
        self._inner = platform.inner or platform
        self._home = ""
        self._python: tuple[str, dict[str, str]] = ("", {})
        # Relative to the home, where a command starts, until the host says more.
        self._root = self._place.root

    @property
    def _place(self) -> Place:
        return self.connection.place

    @property
    def name(self) -> str:
        """What the folders of the cube on the host are called, but for their hash."""
        return re.sub(r"[^a-z0-9]+", "-", self._cube.name.lower()).strip("-") or "cube"

    @property
    def workspace_key(self) -> str:
        """What tells the workspace on the host from all others."""
        place = [owner(), str(self._cube.root), self._place.host, self._place.user]
        place += [self._place.root, self._platform.kind, self._inner.kind]
        return hashlib.sha256(json.dumps(place).encode()).hexdigest()[:12]

    @property
    def workspace_folder(self) -> str:
        """Folder on the host that holds the workspace, and the job that works in it."""
        return f"{self._root}/workspaces/{self.name}-{self.workspace_key}"

    @property
    def run_job(self) -> str:
        """Folder of the job that runs a task."""
        return f"{self.workspace_folder}/run"

    @property
    def _content_folder(self) -> str:
        """Folder on the host that holds the cube itself."""
        return f"{self._root}/cubes/{self.name}-{self.content_key}"

    @property
    def cube_folder(self) -> str:
        """Folder of the cube on the host."""
        given = self._place.cube_folder
        if given:
            return str(PurePosixPath(self._home, given))
        # By its own name, as messages of the host are to call it.
        return f"{self._content_folder}/cube/{self._cube.root.name}"

    @property
    def _context_name(self) -> str:
        """Return the folder that the image is built in, where it is not in the cube."""
        context = self._cube.docker.context
        there = is_folder(context) and not context.is_relative_to(self._cube.root)
        return context.name if there else ""

    @cached_property
    def content_key(self) -> str:
        """What tells the content of the cube and its platform file from others.

        Raises:
            MachineError: A file of the cube cannot be read.
        """
        root = self._cube.root
        try:
            names = [each for each in files_below(root) if _is_sent(each)]
            inner = read_text(self._inner.file)
            more = [owner(), inner]
            if self._context_name:
                context = self._cube.docker.context
                more.append(content_key(context, files_below(context)))
            return content_key(root, names, *more)[:12]
        except OSError as error:
            raise MachineError(
                Message(
                    what=f"the cube {self._cube.id!r} cannot be sent",
                    where=str(error.filename or root),
                    found=str(error.strerror),
                    expected="files that can be read",
                    do="mend the permissions",
                )
            ) from error

    def check_host(self) -> None:
        """Look whether the host has all that is needed.

        Raises:
            PlatformUnavailable: Something is missing; one message says it all.
        """
        facts = look_at_host(self.connection, self._platform)
        missing = what_is_missing(facts, self._platform)
        if missing:
            raise PlatformUnavailable(
                Message(
                    what=f"{self.connection.name} lacks what the cube needs",
                    where=str(self._platform.file),
                    found="\n".join(missing),
                    expected="Python 3.11 or newer, rsync, "
                    f"{self._inner.kind}, some disk",
                    do="install it there, or name another host or platform",
                )
            )

    def make_environment(self, log: Path, watch: Watch, timeout: float) -> None:
        """Have an environment on the host that the runner can be started in.

        Raises:
            MachineError: It cannot be had.
        """
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
        words = [f"{name}={text}" for name, text in answer["env"].items()]
        words += [*_SAFE, answer["python"], *_AGENT]
        if all(_PLAIN.fullmatch(each) for each in words):
            self.connection.use_agent(("env", *words))

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
                without=_NOT_SENT,
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
                    what=f"the folder of the cube on {self.connection.name} holds "
                    "something else",
                    where=f"{self._platform.file}, key mlcube.path",
                    found=f"{self.cube_folder}: {answer['found']}",
                    expected="an empty folder, or one that this cube was sent to",
                    do="name another folder, one for each cube, or leave the key out",
                )
            )

    def _beside(self, file: Path, kind: str) -> str:
        """Return the place on the host of one small file from elsewhere."""
        return f"{self._content_folder}/{kind}/{resolved(file).name}"

    def _send_file(self, file: Path, there: str) -> None:
        """Bring one small file to its place beside the cube."""
        file = resolved(file)  # a link would lead nowhere there
        push(
            self.connection,
            file.parent,
            [file.name],
            str(PurePosixPath(there).parent),
            mirror=False,
            limit=_SMALL,
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
                self.stop(job)
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

    def stop(self, job: str) -> None:
        """End a job whose user has interrupted us, as far as it can be reached."""
        if self.connection.alive:
            self.connection.ask(
                {"do": "stop", "folder": job, "grace": _STOP},
                doing="ending what runs there",
                timeout=_GRACE,
            )
            self.connection.ask({"do": "end", "folder": job}, doing="tidying up")

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
        if file == main_file(root):
            there = invocation.name
        elif file.is_relative_to(root) and _is_sent(str(file.relative_to(root))):
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
        verb: str,
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
        words = ["--mlcube", self.cube_folder]
        # A section of the cube's main file is known there by its name.
        platform = self._beside(self._inner.file, "platform")
        words += ["--platform", self._inner.section or platform]
        if self._context_name:
            words += ["--build-context", f"{self._content_folder}/context"]
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
                **dict(each.split("=") for each in _SAFE),
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
        """Return what came of a job that has ended.

        Raises:
            MachineError: It runs still, or it left no word.
        """
        found = self.connection.ask(
            {"do": "look", "folder": job}, doing=f"asking what came of {doing}"
        )
        if found["state"] == "ended":
            with suppress(KeyError, TypeError):
                places = self._places(job, stdout, stderr)
                return read_outcome(
                    found["outcome"],
                    stdout=stdout,
                    stderr=stderr,
                    here=lambda text: _replaced(text, places),
                )
        said = tuple(found.get("said", ()))[-_SHOWN:]
        free = found.get("free", 1 << 30) // 1024**2
        full = "; its disk is full" if free < 1 else ""
        raise MachineError(
            Message(
                what=f"{self.connection.name} does not say what came of {doing}",
                where=f"{self.connection.where}, {job}",
                found=f"a command that is {found['state']}{full}",
                expected="a command that ends, and says how",
                do="mend what it says below, or what ended it, and run it again",
                tail=said,
            )
        )

    def _places(self, job: str, stdout: Path, stderr: Path) -> dict[str, str]:
        """Return paths of the host, with what they are on this machine."""
        inner = self._beside(self._inner.file, "platform")
        return {
            f"{job}/logs/stdout.log": str(stdout),
            f"{job}/logs/stderr.log": str(stderr),
            f"{job}/logs/configure.log": str(stderr),
            inner: str(self._inner.file),
            self.cube_folder: str(self._cube.root),
        }

    def no_word(self, what: str) -> MachineError:
        """Return the error of a command that names neither its result nor an error."""
        return MachineError(
            Message(
                what=f"{self.connection.name} names neither {what} nor an error",
                where=self.connection.where,
                found="a command that was interrupted there",
                expected=what,
                do="run it again",
            )
        )

    def version_note(self) -> str:
        """Say what runs on the host, for people."""
        python = PurePosixPath(self._python[0])
        return f"mlcube-conformance {__version__} by {python} on {self.connection.name}"


def _is_sent(name: str) -> bool:
    """Say whether a path of a cube is sent; see `_NOT_SENT`."""
    first = name.partition("/")[0]
    return not (
        first.startswith(".")
        or first == "workspace"
        or "__pycache__" in name.split("/")
    )


def _replaced(text: str, places: Mapping[str, str]) -> str:
    for there, here in places.items():
        text = text.replace(there, here)
    return text
