"""The contract of every runner: configure a cube, run one of its tasks."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from mlcube_conformance.base.errors import MachineError, Message
from mlcube_conformance.base.process import DiskFullError, run_process
from mlcube_conformance.base.text import HIDDEN, mask, tail
from mlcube_conformance.model import RunResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mlcube_conformance.model import (
        Cube,
        Image,
        Invocation,
        Platform,
        Strategy,
    )
    from mlcube_conformance.plan.mounts import TaskView

__all__ = [
    "CA_VARIABLES",
    "HEARTBEAT",
    "ConfigureRequest",
    "Options",
    "RunRequest",
    "Runner",
    "Watch",
    "heartbeat",
    "log_not_kept",
    "proxies",
    "run_task",
    "shown_variables",
]

#: Seconds after which a silent wait says what it waits for.
HEARTBEAT = 10

#: Variables by which programs are told which certificates to trust.
CA_VARIABLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
)

_PROXIES = ("http_proxy", "https_proxy", "no_proxy")


def _ignore(_: str) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Somebody who follows long work as it happens."""

    note: Callable[[str], None] = _ignore
    """Takes one line: what has begun, what is waited for, what is done."""
    out: Callable[[bytes], None] | None = None
    """Takes the standard output of the work, in pieces; None when not wanted."""
    err: Callable[[bytes], None] | None = None
    """Takes its standard error, in pieces; what a build says is taken as such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks of a runner beyond the platform file."""

    build_args: Mapping[str, str] = field(default_factory=dict, repr=False)
    """May hold secrets, as the next ones: they are not to be shown."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables for tasks."""
    network: str | None = None
    """`none`, `host`, or None for the platform's default."""
    gpus: str | None = None
    """`all`, a number, `device=0,1`, or "" for none; None as the platform file asks."""
    build_strategy: Strategy | None = None
    """None as the cube says."""
    names_image: bool = False
    """Whether an image that is built gets the cube's own name, where that is free."""
    retag: bool = False
    """Whether it may be taken from another image."""
    ca_bundle: Path | None = None
    """Certificates to be trusted in builds and tasks, beside the image's own."""
    configure_timeout: float = 3600
    """Seconds."""
    task_timeout: float = 3600
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureRequest:
    """An image to be made for a cube."""

    cube: Cube
    platform: Platform
    options: Options
    log: Path
    watch: Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A task to be run in an image."""

    case_id: str
    cube: Cube
    image: Image
    platform: Platform
    invocation: Invocation
    workspace: Path
    view: TaskView
    options: Options
    stdout: Path
    stderr: Path
    watch: Watch


class Runner(Protocol):
    """Code that configures and runs cubes on one kind of platform."""

    protects_inputs: bool
    """Whether a task is kept from writing to a folder that is not `writable`."""

    def unavailable(self) -> MachineError | None:
        """Return why this platform cannot be used here, or None when it can."""

    def configure(self, request: ConfigureRequest) -> Image:
        """Make the image of a cube, unless it is up to date.

        Raises:
            Violation: The cube's recipe or image name is at fault.
            MachineError: The platform is at fault.
        """

    def find_image(self, cube: Cube, platform: Platform) -> Image | None:
        """Return the image of a cube, if there is any; makes none."""

    def run(self, request: RunRequest) -> RunResult:
        """Run a task to its end, or kill it at its deadline.

        Raises:
            MachineError: The task could not be started or followed.
        """

    def remove_leftovers(self) -> tuple[str, ...]:
        """Remove what runs that are over left behind; return the names."""

    def close(self) -> None:
        """Remove what this run left behind, and let go of the platform."""


def heartbeat(watch: Watch, what: str, log: Path) -> Callable[[float], None]:
    """Return what says, each time that long has passed, what is waited for."""
    said = 0

    def waiting(seconds: float) -> None:
        nonlocal said
        if seconds // HEARTBEAT > said:
            said = int(seconds // HEARTBEAT)
            last = "".join(f": {line}" for line in tail(log, 1))
            watch.note(f"{what} after {seconds:.0f} s{last}")

    return waiting


def run_task(  # noqa: PLR0913 - each says one thing about the process
    request: RunRequest,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    command: tuple[str, ...],
    begun: Callable[[int], None] | None = None,
) -> RunResult:
    """Run a task as a process of this machine, within its time and into its logs.

    Args:
        request: What is asked for.
        argv: The process and its arguments.
        env: Its whole environment.
        cwd: Folder to start in.
        command: The command line that does the same by hand.
        begun: Called once with the number of its session.

    Raises:
        MachineError: Its output cannot be kept, so that it was ended.
        OSError: It cannot be started.
    """
    request.stderr.unlink(missing_ok=True)
    try:
        ended = run_process(
            argv,
            stdout=request.stdout,
            stderr=request.stderr,
            timeout=request.options.task_timeout,
            env=env,
            cwd=cwd,
            out=request.watch.out,
            err=request.watch.err,
            waiting=heartbeat(
                request.watch, f"still running {request.case_id}", request.stdout
            ),
            begun=begun,
        )
    except DiskFullError as error:
        raise log_not_kept(request, str(error)) from error
    return RunResult(
        exit_code=ended.exit_code,
        timed_out=ended.timed_out,
        out_of_memory=False,
        seconds=ended.seconds,
        stdout=request.stdout,
        stderr=request.stderr,
        command=command,
    )


def log_not_kept(request: RunRequest, found: str) -> MachineError:
    """Return the error for a task whose output could not be written down."""
    return MachineError(
        Message(
            what=f"the output of {request.case_id} could not be kept",
            where=str(request.stdout.parent),
            found=found,
            expected="a log of everything that the task says",
            do="free some disk space, or start in a folder on another disk",
            log=str(request.stdout),
        )
    )


def shown_variables(
    variables: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """Return variables as they may be shown: those given without their values."""
    return {
        name: HIDDEN if name in given else mask(value)
        for name, value in variables.items()
    }


def proxies() -> dict[str, str]:
    """Return the proxy variables that are set, in both spellings, as they are."""
    names = (*_PROXIES, *(name.upper() for name in _PROXIES))
    return {name: os.environ[name] for name in names if name in os.environ}
