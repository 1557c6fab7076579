"""One job of a runner's command line: a cube on a platform, with logs and streams."""

from __future__ import annotations

import errno
import os
import re
import sys
import tempfile
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    UsageError,
    Violation,
    require,
    require_given,
)
from mlcube_conformance.base.homes import given_folder
from mlcube_conformance.base.streams import drop_streams, write_all
from mlcube_conformance.base.text import LiveText
from mlcube_conformance.base.trees import remove_tree, temporary_folder
from mlcube_conformance.checks.judge import Seen, judge
from mlcube_conformance.commands.log_folder import CONFIGURE_LOG, STDERR_LOG, STDOUT_LOG
from mlcube_conformance.commands.named import read_platform
from mlcube_conformance.commands.output import cannot_write
from mlcube_conformance.commands.said import say
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.given import Given
from mlcube_conformance.model import Case
from mlcube_conformance.plan.given_outputs import UndeliveredError
from mlcube_conformance.plan.order import check_paths, paths_elsewhere
from mlcube_conformance.plan.prepare import check_ready, check_room, make_ready
from mlcube_conformance.plan.workspace import make_folder, stage
from mlcube_conformance.plan.workspace_lock import only_run_in
from mlcube_conformance.runners import make_runner
from mlcube_conformance.runners.contract import ConfigureRequest, Watch
from mlcube_conformance.runners.work import run_case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from mlcube_conformance.model import Cube, Image, Platform, RunResult
    from mlcube_conformance.runners.contract import Options, Runner

__all__ = ["Job", "job_on"]

#: Variables of the services whose logs can be commands to them.
_CI = ("GITHUB_ACTIONS", "TF_BUILD")
#: What a stream says that is a file of a full disk.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A cube on a platform, ready to be worked on."""

    cube: Cube
    platform: Platform
    runner: Runner
    logs: Path
    copies: Path
    """Folder for copies of what the command line gives, not made yet."""
    watch: Watch

    def configure(self, options: Options) -> Image:
        """Make the image, unless it is up to date."""
        image = self.runner.configure(
            ConfigureRequest(
                cube=self.cube,
                platform=self.platform,
                options=options,
                log=self.logs / CONFIGURE_LOG,
                watch=self.watch,
            )
        )
        say(f"image {image.name}: {image.how}")
        return image

    def run(self, options: Options, given: str | None) -> RunResult:
        """Run the task, in the workspace that is given, and say how it ended."""
        (invocation,) = self.cube.invocations
        case = Case(cube=self.cube, platform=self.platform, invocation=invocation)
        if given is None:
            return self._run(case, self.cube.workspace, options)
        workspace = given_folder(given, "--workspace")
        make_folder(workspace)
        with only_run_in(workspace):
            return self._run(case, workspace, options)

    def _run(self, case: Case, workspace: Path, options: Options) -> RunResult:
        invocation = case.invocation
        with _of_command_line():
            require(check_paths(invocation, workspace))
        require_given(paths_elsewhere(invocation, workspace))
        with _of_command_line():
            every = load_cube(
                self.cube.place, self.cube.id, Given(variables=options.environment)
            )
            if workspace != self.cube.workspace:
                wrong = stage(self.cube, every.cube.invocations, workspace)
                if invocation.name in wrong:
                    raise wrong[invocation.name]
            check_ready(
                invocation,
                workspace,
                every.cube.invocations,
                by_engine=self.runner.protects_inputs,
            )
        strategy = options.build_strategy or self.platform.strategy
        found = self.runner.find_image(self.cube, self.platform)
        image = self.configure(options) if strategy == "always" else found
        image = image or self.configure(options)
        with _of_command_line():
            ready = make_ready(
                invocation,
                workspace,
                every.cube.invocations,
                copies=self.copies,
                by_engine=self.runner.protects_inputs,
            )
        check_room(
            invocation,
            workspace,
            # What another host wrote is brought back by us.
            as_user=not self.runner.protects_inputs or self.platform.place is not None,
        )
        try:
            result = run_case(
                self.runner,
                replace(case, invocation=ready),
                image,
                workspace=workspace,
                copies=self.copies,
                logs=(self.logs / STDOUT_LOG, self.logs / STDERR_LOG),
                options=options,
                watch=self.watch,
            )
        except UndeliveredError as error:
            self._keep(error.made)
            raise
        if result.exit_code == 0:
            say(f"done in {result.seconds:.1f} s; outputs in {workspace}")
        for problem in judge(case, Seen(result=result)).of("EXIT-1"):
            # What the task itself said was shown as it came.
            say(str(replace(problem, tail=())))
        return result

    def _keep(self, outputs: tuple[Path, ...]) -> None:
        """Keep outputs beside the logs: the folder for copies is removed."""
        for each in outputs:
            kept = Path(tempfile.mkdtemp(prefix="output-", dir=self.logs)) / each.name
            each.rename(kept)
            say(f"the output is kept in {kept}")


@contextmanager
def _of_command_line() -> Iterator[None]:
    """Take what keeps a task from being run for a fault of what was given."""
    try:
        yield
    except Violation as violation:
        raise UsageError(*violation.messages) from violation


@contextmanager
def job_on(
    kind: str, cube: Cube, platform_name: str | None, logs: Path | None
) -> Iterator[Job]:
    """Read the platform; nothing is made or started before the files are right.

    Args:
        kind: Kind that the platform must be of; "" for any.
        cube: The cube.
        platform_name: Name or file of the platform; None for the first that works.
        logs: Folder for logs, if the user wants them.
    """
    platform = read_platform(platform_name, cube, kind)
    place = logs or Path(tempfile.mkdtemp(prefix="mlcube-"))
    # Of the characters that the name of a container may have.
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", place.name)[:40]
    runner = make_runner(platform.kind, f"{name}-{os.getpid()}")
    try:
        trouble = runner.unavailable()
        if trouble is not None:
            raise trouble
        for name in runner.remove_leftovers():
            say(f"removed {name}, left over from an earlier run")
        streams = _Stream(sys.stdout), _Stream(sys.stderr)
        # Without a folder of the user, logs are kept where something fails.
        watch = Watch(
            note=say, out=streams[0], err=streams[1], keeps_logs=logs is not None
        )
        telling = nullcontext() if logs else _telling_what_is_kept(place)
        with telling, temporary_folder(place, "given-") as copies:
            try:
                yield Job(
                    cube=cube,
                    platform=platform,
                    runner=runner,
                    logs=place,
                    copies=copies,
                    watch=watch,
                )
            finally:
                for each in streams:
                    each.end()
        lost = next((each.lost for each in streams if each.lost is not None), None)
        if lost is not None:
            say(f"logs are kept in {place}")
            raise cannot_write(lost)
        if logs is None:
            remove_tree(place)
    finally:
        runner.close()
        with suppress(OSError):
            if logs is None:
                place.rmdir()  # empty where nothing was started


@contextmanager
def _telling_what_is_kept(place: Path) -> Iterator[None]:
    """Say where the logs of a failure are; nobody has named a folder for them."""
    try:
        yield
    except BaseException:
        if any(place.iterdir()):
            say(f"logs are kept in {place}")
        raise


class _Stream:
    """Passes a task's output on: as it is, but to a terminal or to the log of a CI."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        shown = stream.isatty() or any(map(os.environ.get, _CI))
        self._live = LiveText() if shown else None
        self.lost: OSError | None = None
        """Why some of it is nowhere but in the log, if a disk is full."""

    def __call__(self, piece: bytes) -> None:
        with self._passing():
            if self._live is None:
                write_all(self._stream.buffer, piece)
            else:
                self._write(self._live.add(piece))

    def end(self) -> None:
        """Show what waited for more."""
        with self._passing():
            self._write(self._live.end() if self._live else "")

    def _write(self, text: str) -> None:
        encoding, errors = self._stream.encoding, self._stream.errors
        write_all(self._stream.buffer, text.encode(encoding, errors or "strict"))

    @contextmanager
    def _passing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                self.lost = self.lost or error
            else:  # nobody listens any more; what is buffered would be tried again
                drop_streams(self._stream.fileno())
