"""The command line of a runner: `configure` and `run`.

Exit codes: that of the task; 2 when what was given is wrong; 124 when the task
ran past its deadline; 125 when the platform or the image failed before it.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from mlcube_conformance.base.errors import (
    ConformanceError,
    Message,
    UsageError,
    Violation,
    require,
)
from mlcube_conformance.base.faults import telling_faults
from mlcube_conformance.base.files import is_folder, is_plain_file, is_there
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.interrupts import INTERRUPTED, Interrupts
from mlcube_conformance.base.streams import replace_closed_streams
from mlcube_conformance.base.text import LiveText, mask, plain
from mlcube_conformance.base.trees import remove_tree, temporary_folder
from mlcube_conformance.checks.judge import Seen, judge
from mlcube_conformance.commands.log_folder import (
    CONFIGURE_LOG,
    STDERR_LOG,
    STDOUT_LOG,
    claim_log_folder,
)
from mlcube_conformance.commands.runner_options import Given, command_of
from mlcube_conformance.formats.cubes import (
    cube_folder,
    load_cube,
    load_cube_for,
    load_for_configure,
)
from mlcube_conformance.formats.platforms import (
    find_platform,
    load_place,
    load_platform,
)
from mlcube_conformance.model import Case
from mlcube_conformance.options import runner_options
from mlcube_conformance.plan.order import (
    check_overrides,
    check_paths,
    override_parameters,
)
from mlcube_conformance.plan.prepare import check_ready, make_ready
from mlcube_conformance.plan.selection import make_optional
from mlcube_conformance.plan.workspace import (
    make_folder,
    stage,
)
from mlcube_conformance.plan.workspace_lock import only_run_in
from mlcube_conformance.runners import make_runner
from mlcube_conformance.runners.contract import ConfigureRequest, Watch
from mlcube_conformance.runners.places.outcome import OUTCOME, Outcome
from mlcube_conformance.runners.work import run_case

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from mlcube_conformance.formats.loaded import LoadedCube
    from mlcube_conformance.model import Cube, Image, Platform, RunResult
    from mlcube_conformance.runners.contract import Options, Runner

__all__ = ["run_command_line"]

_USAGE = 2
_TIMED_OUT = 124
_NOT_RUN = 125
_MEGABYTE = 1_000_000
#: Variables of the services whose logs can be commands to them.
_CI = ("GITHUB_ACTIONS", "TF_BUILD")


def run_command_line(kind: str, program: str) -> NoReturn:
    """Read the command line of a runner, do what it says, and exit.

    Args:
        kind: Kind of platform that the runner is for.
        program: What help and errors call the command.
    """
    replace_closed_streams()
    interrupts = Interrupts(_say)
    interrupts.take()
    app = typer.Typer(
        help=f"Configures and runs an MLCube on {kind}.",
        epilog="Exit codes: the task's own; 2 wrong input; 124 past the deadline; "
        "125 the platform or the image failed; 130 interrupted.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        no_args_is_help=True,
    )

    def configure(given: Given) -> None:
        """Make the image of a cube."""
        with _ending(given.value("--logs")) as (outcome, folder):
            options = runner_options("configure", given, names_image=True)
            root = _cube_folder(given.value("--mlcube"))
            loaded = load_for_configure(root, options.environment)
            cube = _checked(loaded, given.value("--build-context"))
            with _job(kind, cube, given.value("--platform"), folder) as job:
                if options.retag:
                    _refuse_retag(job.platform)
                outcome.image = job.configure(options)

    def run(given: Given) -> None:
        """Run a task of a cube; makes the image first if it is not there."""
        with _ending(given.value("--logs")) as (outcome, folder):
            options = runner_options("run", given, names_image=True)
            root = _cube_folder(given.value("--mlcube"))
            loaded = load_cube_for(root, given.value("--task"), options.environment)
            cube = _checked(loaded, given.value("--build-context"))
            overrides = given.value("--parameter")
            check_overrides([cube], overrides)
            cube = override_parameters(cube, overrides)
            (cube,) = make_optional([cube], given.value("--optional"))
            with _job(kind, cube, given.value("--platform"), folder) as job:
                result = job.run(options, given.value("--workspace"))
                outcome.result = result
                code = _TIMED_OUT if result.timed_out else result.exit_code
                if code:
                    raise typer.Exit(code)

    def clean(given: Given) -> None:
        """Remove what cubes of yours left on a host; its images stay."""
        with _ending(None):
            days, force = given.value("--older-than"), given.value("--force")
            _clean(given.value("--platform"), days, force=force)

    app.command()(command_of("configure", configure))
    app.command()(command_of("run", run))
    if kind == "ssh":
        app.command()(command_of("clean", clean))
    try:
        app(prog_name=program)
    finally:
        interrupts.give_back()
    raise SystemExit(0)


def _clean(platform: str, days: float, *, force: bool) -> None:
    from mlcube_conformance.runners.places.ssh.runner import clean_host  # noqa: PLC0415 - ssh's own

    file = given_path(platform, "--platform")
    if not is_plain_file(file):
        raise _not_there("--platform", file, "the platform file of a host")
    place, problems = load_place(file)
    _refuse(problems)
    freed = 0
    cleaned = clean_host(place, days=days, force=force)
    if not cleaned:
        _say(f"nothing of yours in {place.root} on {place.host}")
        return
    for each in cleaned:
        kept = f"kept {each.folder}: {each.kept}" if each.kept else ""
        freed += 0 if each.kept else each.size
        _say(kept or f"removed {each.folder} (of {each.cube})")
    _say(f"{freed / _MEGABYTE:.1f} MB freed on {place.host}")


def _say(text: str) -> None:
    # Standard output belongs to the task; its terminal may be gone.
    with suppress(OSError):
        sys.stderr.write(f"mlcube: {plain(mask(text))}\n")
        sys.stderr.flush()


def _refuse_retag(platform: Platform) -> None:
    kind = (platform.inner or platform).kind
    if kind != "docker":
        raise UsageError(
            Message(
                what=f"the platform {kind} has no --retag",
                where="--retag",
                found=f"a platform of the kind {kind}",
                expected="docker, here or on another host",
                do="leave the option out",
            )
        )


@contextmanager
def _ending(logs: str | None) -> Iterator[tuple[Outcome, Path | None]]:
    """Turn an error into its message and its exit code, never a traceback.

    Yields:
        What is to be written down, and the folder for logs, if one is asked for.
    """
    outcome = Outcome()
    place: Path | None = None
    try:
        with telling_faults():
            if logs is not None:
                folder = given_path(logs, "--logs")
                claim_log_folder(folder)
                place = folder
            yield outcome, place
    except (ConformanceError, Violation) as error:
        outcome.error = error
        # What went to a log was shown as it came.
        shown = (replace(m, tail=()) if m.log else m for m in error.messages)
        messages = (str(each) for each in shown)
        sys.stderr.write("\n\n".join(messages) + "\n")
        usage = isinstance(error, UsageError)
        raise typer.Exit(_USAGE if usage else _NOT_RUN) from error
    except KeyboardInterrupt as error:
        _say("interrupted")
        raise typer.Exit(INTERRUPTED) from error
    finally:
        if place is not None:
            try:
                outcome.write(place)
            except OSError as error:
                _say(f"{OUTCOME} cannot be written: {error}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
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
        _say(f"image {image.name}: {image.how}")
        return image

    def run(self, options: Options, given: str | None) -> RunResult:
        """Run the task, in the workspace that is given, and say how it ended."""
        (invocation,) = self.cube.invocations
        case = Case(cube=self.cube, platform=self.platform, invocation=invocation)
        if given is None:
            return self._run(case, self.cube.workspace, options)
        workspace = given_path(given, "--workspace")
        make_folder(workspace)
        with only_run_in(workspace):
            return self._run(case, workspace, options)

    def _run(self, case: Case, workspace: Path, options: Options) -> RunResult:
        invocation = case.invocation
        with _of_command_line():
            require(check_paths(invocation, workspace))
            every = load_cube(self.cube.root, self.cube.id, options.environment)
            if workspace != self.cube.workspace:
                stage(self.cube, every.cube.invocations, workspace)
            check_ready(invocation, workspace, every.cube.invocations)
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
        if result.exit_code == 0:
            _say(f"done in {result.seconds:.1f} s; outputs in {workspace}")
        for problem in judge(case, Seen(result=result)).of("EXIT-1"):
            # What the task itself said was shown as it came.
            _say(str(replace(problem, tail=())))
        return result


@contextmanager
def _of_command_line() -> Iterator[None]:
    """Take what keeps a task from being run for a fault of what was given."""
    try:
        yield
    except Violation as violation:
        raise UsageError(*violation.messages) from violation


@contextmanager
def _job(
    kind: str, cube: Cube, platform_name: str, logs: Path | None
) -> Iterator[_Job]:
    """Read the platform; nothing is made or started before the files are right."""
    platform = _read_platform(platform_name, cube, kind)
    place = logs or Path(tempfile.mkdtemp(prefix="mlcube-"))
    # Of the signs that the name of a container may have.
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", place.name)[:40]
    runner = make_runner(kind, f"{name}-{os.getpid()}")
    try:
        trouble = runner.unavailable()
        if trouble is not None:
            raise trouble
        for name in runner.remove_leftovers():
            _say(f"removed {name}, left over from an earlier run")
        streams = _Stream(sys.stdout), _Stream(sys.stderr)
        # Without a folder of the user, logs are kept where something fails.
        watch = Watch(
            note=_say, out=streams[0], err=streams[1], keeps_logs=logs is not None
        )
        telling = nullcontext() if logs else _telling_what_is_kept(place)
        with telling, temporary_folder(place, "given-") as copies:
            try:
                yield _Job(
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
            _say(f"logs are kept in {place}")
        raise


def _cube_folder(mlcube: str) -> Path:
    """Return the folder of a cube, which may be named by its main file."""
    path = given_path(mlcube, "--mlcube")
    folder = cube_folder(path)
    if folder is None:
        raise _not_there("--mlcube", path, "the folder of a cube, or its mlcube.yaml")
    return folder


def _checked(loaded: LoadedCube, build_context: str | None) -> Cube:
    """Return a cube whose files are right, to be built in another folder if asked."""
    _refuse(loaded.problems)
    for warning in loaded.warnings:
        _say(f"warning: {warning}")
    cube = loaded.cube
    if build_context is None:
        return cube
    context, old = given_path(build_context, "--build-context"), cube.docker
    if not is_folder(context):
        raise _not_there("--build-context", context, "a folder")
    inside = old.file.is_relative_to(old.context)
    file = context / old.file.relative_to(old.context) if inside else old.file
    return replace(cube, docker_build=replace(old, file=file, context=context))


def _read_platform(name: str, cube: Cube, kind: str) -> Platform:
    platform, problems = load_platform(find_platform(name, cube), cube)
    _refuse(problems)
    if platform is None or platform.kind != kind:
        raise UsageError(
            Message(
                what=f"the platform file is not for {kind}",
                where=name,
                found=f"a platform of the kind {platform.kind if platform else '?'}",
                expected=f"the kind {kind}",
                do=f"give a platform file for {kind}",
            )
        )
    return platform


def _refuse(problems: Sequence[Message]) -> None:
    """Refuse files that are not valid, before anything is started."""
    if problems:
        raise UsageError(*problems)


def _not_there(option: str, path: Path, expected: str) -> UsageError:
    return UsageError(
        Message(
            what=f"{option} names what is not there",
            where=str(path),
            found="a file" if is_plain_file(path) else _found(path),
            expected=expected,
            do="mend the path",
        )
    )


def _found(path: Path) -> str:
    if is_folder(path):
        return "a folder"
    return (
        "a link that leads nowhere, a pipe or a device" if is_there(path) else "nothing"
    )


class _Stream:
    """Passes a task's output on: as it is, but to a terminal or to the log of a CI."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        shown = stream.isatty() or any(map(os.environ.get, _CI))
        self._live = LiveText() if shown else None

    def __call__(self, piece: bytes) -> None:
        with suppress(OSError):  # nobody listens any more; the log has it all
            if self._live is None:
                self._stream.buffer.write(piece)
            else:
                self._stream.write(self._live.add(piece))
            self._stream.flush()

    def end(self) -> None:
        """Show what waited for more."""
        with suppress(OSError):
            self._stream.write(self._live.end() if self._live else "")
            self._stream.flush()
