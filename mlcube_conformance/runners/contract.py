"""The contract of every runner: configure a cube, run one of its tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mlcube_conformance.base.errors import MachineError
    from mlcube_conformance.model import (
        Cube,
        Image,
        Invocation,
        Platform,
        RunResult,
        Strategy,
    )
    from mlcube_conformance.plan.mounts import TaskView
    from mlcube_conformance.runners.gauge import Gauge

__all__ = [
    "ConfigureRequest",
    "Options",
    "RunRequest",
    "Runner",
    "Watch",
]


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
    keeps_logs: bool = True
    """Whether logs may be there when the work is done."""
    begun: Callable[[str, Path], None] | None = None
    """Takes what has begun, and its log, in the place of notes on ordinary progress."""
    is_live: bool = False
    """Whether it is seen by itself how long the work takes."""

    def begin(self, what: str, log: Path) -> None:
        """Note that work has begun, and where its log is, unless that will be gone."""
        if self.begun is not None:
            self.begun(what, log)
        else:
            self.note(f"{what}; log: {log}" if self.keeps_logs else what)

    def done(self, what: str) -> None:
        """Note that work is done as it should be."""
        if self.begun is None:
            self.note(what)


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
    memory_limit: int | None = None
    """Bytes that a task may hold; None as the platform file says."""
    pids_limit: int | None = None
    """Processes and threads that a task may have; None as the platform file says."""
    max_log_size: int = 100 * 1024**2
    """Bytes of each log that are kept: its beginning and its end."""
    max_output_size: int = 1024**4
    """Bytes that a task may write."""
    max_files: int = 2_000_000
    """Files and folders that a task may make."""


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
    gauge: Gauge | None = None
    """Tells when the task has written too much; None where its host looks."""
    looks_inside: bool = False
    """Whether it counts what the task leaves in its container, outputs or not."""


class Runner(Protocol):
    """Code that configures and runs cubes on one kind of platform."""

    protects_inputs: bool
    """Whether a task is kept from writing to a folder that is not `writable`."""

    def unavailable(self) -> MachineError | None:
        """Return why this platform cannot be used here, or None when it can."""

    def engine(self) -> str:
        """Return the engine and its version, as "Docker 28.2.2"; "" if unknown."""

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
