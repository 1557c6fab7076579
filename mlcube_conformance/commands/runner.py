"""The command line of a runner: `configure` and `run`.

Exit codes: that of the task; 2 when what was given is wrong; 124 when the task
ran past its deadline or a limit; 125 when the platform or the image failed before it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from mlcube_conformance.base.errors import (
    ConformanceError,
    Message,
    Unsupported,
    UsageError,
    Violation,
)
from mlcube_conformance.base.faults import telling_faults
from mlcube_conformance.base.files import is_plain_file
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.streams import replace_closed_streams
from mlcube_conformance.commands.group import Group, interrupted, take_requests
from mlcube_conformance.commands.job import job_on
from mlcube_conformance.commands.log_folder import (
    claim_log_folder,
)
from mlcube_conformance.commands.named import (
    checked_cube,
    named_cube,
    refuse,
)
from mlcube_conformance.commands.output import ending_streams
from mlcube_conformance.commands.runner_options import Given, command_of
from mlcube_conformance.commands.said import say, tell
from mlcube_conformance.formats import given as formats
from mlcube_conformance.formats.cubes import (
    load_cube_for,
    load_for_configure,
)
from mlcube_conformance.formats.platforms import (
    load_place,
)
from mlcube_conformance.options import runner_options
from mlcube_conformance.plan.order import (
    check_overrides,
    override_parameters,
)
from mlcube_conformance.plan.selection import make_optional
from mlcube_conformance.plan.values import not_there
from mlcube_conformance.runners.places.outcome import OUTCOME, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlcube_conformance.model import Platform
    from mlcube_conformance.runners.contract import Options

__all__ = ["EXIT_CODES", "configure", "run", "run_command_line"]

#: What help says of exit codes.
EXIT_CODES = (
    "Exit codes: the task's own; 2 wrong input; 124 past the deadline or a limit; "
    "125 the platform or the image failed; 130 interrupted."
)

_USAGE = 2
_TIMED_OUT = 124
_NOT_RUN = 125
_MEGABYTE = 1_000_000


def run_command_line(kind: str, program: str) -> NoReturn:
    """Read the command line of a runner, do what it says, and exit.

    Args:
        kind: Kind of platform that the runner is for.
        program: What help and errors call the command.
    """
    replace_closed_streams()
    take_requests()
    app = Group(
        help=f"Configures and runs an MLCube on {kind}.",
        epilog=EXIT_CODES,
    )

    def configure_on_kind(given: Given) -> None:
        """Make the image of a cube."""
        configure(given, kind)

    def run_on_kind(given: Given) -> None:
        """Run a task of a cube; makes the image first if it does not exist."""
        run(given, kind)

    def clean(given: Given) -> None:
        """Remove what cubes of yours left on a host; its images stay."""
        with _ending(None):
            days, force = given.value("--older-than"), given.value("--force")
            _clean(given.value("--platform"), days, force=force)

    app.add_command(command_of("configure", configure_on_kind))
    app.add_command(command_of("run", run_on_kind))
    if kind == "ssh":
        app.add_command(command_of("clean", clean))
    with ending_streams():
        app(prog_name=program)
    raise SystemExit(0)


def configure(given: Given, kind: str = "") -> None:
    """Make the image of a cube.

    Args:
        given: What the command line gave.
        kind: Kind that the platform must be of; "" for any.
    """
    with _ending(given.value("--logs")) as (outcome, folder):
        options = runner_options("configure", given, names_image=True)
        place = named_cube(given.value("--mlcube"), given.word("--mlcube"))
        cube = checked_cube(load_for_configure(place, _for_reading(given, options)))
        with job_on(kind, cube, given.value("--platform"), folder) as job:
            if options.retag:
                _refuse_retag(job.platform)
            outcome.image = job.configure(options)


def run(given: Given, kind: str = "") -> None:
    """Run a task of a cube, and exit with the code of the task unless that is 0.

    Args:
        given: What the command line gave.
        kind: Kind that the platform must be of; "" for any.
    """
    with _ending(given.value("--logs")) as (outcome, folder):
        options = runner_options("run", given, names_image=True)
        place = named_cube(given.value("--mlcube"), given.word("--mlcube"))
        task = given.value("--task")
        cube = checked_cube(load_cube_for(place, task, _for_reading(given, options)))
        overrides = given.value("--parameter")
        check_overrides([cube], overrides)
        cube = override_parameters(cube, overrides)
        (cube,) = make_optional([cube], given.value("--optional"))
        with job_on(kind, cube, given.value("--platform"), folder) as job:
            result = job.run(options, given.value("--workspace"))
            outcome.result = result
            past = result.timed_out or result.over
            code = _TIMED_OUT if past else result.exit_code
            if code:
                raise SystemExit(code)


def _for_reading(given: Given, options: Options) -> formats.Given:
    """Return what the command line gives to those who read a cube."""
    return formats.Given(
        variables=options.environment, build_context=given.value("--build-context")
    )


def _clean(platform: str, days: float, *, force: bool) -> None:
    from mlcube_conformance.runners.places.ssh.runner import clean_host  # noqa: PLC0415 - ssh's own

    file = given_path(platform, "--platform")
    if not is_plain_file(file):
        raise not_there("--platform", file, "the platform file of a host")
    place, problems = load_place(file)
    refuse(problems)
    freed = 0
    cleaned = clean_host(place, days=days, force=force)
    if not cleaned:
        say(f"nothing to remove in {place.root} on {place.host}")
        return
    for each in cleaned:
        kept = f"kept {each.folder}: {each.kept}" if each.kept else ""
        freed += 0 if each.kept else each.size
        say(kept or f"removed {each.folder} (of {each.cube})")
    say(f"{freed / _MEGABYTE:.1f} MB freed on {place.host}")


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
        What to write down, and the folder for logs, if there is one.
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
        tell("\n\n".join(messages) + "\n")
        usage = isinstance(error, (UsageError, Unsupported))
        raise SystemExit(_USAGE if usage else _NOT_RUN) from error
    except KeyboardInterrupt as error:
        raise interrupted() from error
    finally:
        if place is not None:
            try:
                outcome.write(place)
            except OSError as error:
                say(f"{OUTCOME} cannot be written: {error}")
