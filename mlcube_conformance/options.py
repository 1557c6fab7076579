"""Every option of every command line, each once: adding one is adding a row.

From this table come the options of pytest and of the runners' command lines, the
values that runners take, the line `again:`, the words that are sent to a host, the
refusal of options that would do nothing, and the page `docs/options.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.option import Option
from mlcube_conformance.plan import values
from mlcube_conformance.runners.contract import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlcube_conformance.option import Taker

__all__ = [
    "OPTIONS",
    "option",
    "options_of",
    "runner_options",
]

_SUITES: tuple[Taker, ...] = ("cube", "runner")
_JOBS: tuple[Taker, ...] = ("configure", "run")

OPTIONS: tuple[Option, ...] = (
    Option(
        name="--cube",
        takers=("cube",),
        help="cube to test: a folder, its mlcube.yaml, or a pattern; without test "
        "files, the packaged suite runs",
        metavar="PATH",
        repeat=True,
        asks=True,
        again=False,
    ),
    Option(
        name="--runner",
        takers=("runner",),
        help="runner to test: docker, singularity, local, ssh, mlcube, or the path of "
        "a description; without test files, the packaged suite runs",
        metavar="NAME",
        asks=True,
        again=False,
    ),
    Option(
        name="--platform",
        takers=("cube",),
        help="platform to test on: a name such as docker, or a platform file",
        metavar="NAME",
        repeat=True,
        without="the first of docker, singularity, local that works",
        again=False,
    ),
    Option(
        name="--task",
        takers=("cube",),
        help="task or run file to test, after those that make its inputs",
        metavar="NAME",
        repeat=True,
        without="all",
        again=False,
    ),
    Option(
        name="--parameter",
        takers=("cube",),
        help="value for a parameter, instead of the run file's",
        metavar="TASK.NAME=PATH",
        repeat=True,
        parse=values.overrides,
    ),
    Option(
        name="--optional",
        takers=("cube",),
        help="input that may be missing",
        metavar="TASK.NAME",
        repeat=True,
    ),
    Option(
        name="--workspace",
        takers=("cube",),
        help="folder to run in and keep",
        metavar="DIR",
        without="a fresh folder",
    ),
    Option(
        name="--mlcube",
        takers=_JOBS,
        help="cube: a folder, or its mlcube.yaml",
        metavar="PATH",
        required=True,
    ),
    Option(
        name="--platform",
        takers=(*_JOBS, "clean"),
        help="platform file, or its name",
        metavar="FILE",
        required=True,
    ),
    Option(
        name="--task",
        takers=("run",),
        help="task or run file",
        metavar="NAME",
        without="the cube's only task",
    ),
    Option(
        name="--workspace",
        takers=("run",),
        help="folder to run in",
        metavar="DIR",
        without="the cube's workspace/",
    ),
    Option(
        name="--parameter",
        takers=("run",),
        help="value for a parameter, instead of the run file's",
        metavar="NAME=PATH",
        repeat=True,
        parse=values.overrides,
    ),
    Option(
        name="--optional",
        takers=("run",),
        help="input that may be missing",
        metavar="NAME",
        repeat=True,
    ),
    Option(
        name="--build-arg",
        takers=("cube", *_JOBS),
        help="build argument of the image; without a value, the variable of this "
        "process",
        metavar="NAME[=VALUE]",
        repeat=True,
        secret=True,
        parse=values.variables,
        goes_to="build_args",
        forward="variables",
    ),
    Option(
        name="--build-strategy",
        takers=("cube", *_JOBS),
        help="source of images: a build where there is a recipe, a pull, or a new "
        "build each time",
        choices=("auto", "pull", "always"),
        without="as the cube says",
        goes_to="build_strategy",
        forward="words",
    ),
    Option(
        name="--build-context",
        takers=("cube", *_JOBS),
        help="folder to build in",
        metavar="DIR",
        without="the cube's",
        parse=values.folder,
    ),
    Option(
        name="--env",
        takers=("cube", *_JOBS),
        help="variable for tasks, and for ${oc.env:NAME} in a cube; without a value, "
        "that of this process",
        metavar="NAME[=VALUE]",
        repeat=True,
        secret=True,
        parse=values.variables,
        goes_to="environment",
        forward="variables",
    ),
    Option(
        name="--network",
        takers=("cube", *_JOBS),
        help="network of builds and tasks; with none, builds still have one",
        choices=("none", "host"),
        without="the platform's own",
        goes_to="network",
        forward="words",
    ),
    Option(
        name="--gpus",
        takers=("cube", "run"),
        help="GPUs for tasks: all, a number, or device=0,1",
        metavar="N",
        without="as the platform file says, else none",
        parse=values.gpus,
        goes_to="gpus",
        forward="words",
    ),
    Option(
        name="--ca-bundle",
        takers=("cube", *_JOBS),
        help="certificates to trust in builds and tasks, as a PEM file",
        metavar="FILE",
        parse=values.pem_file,
        goes_to="ca_bundle",
    ),
    Option(
        name="--configure-timeout",
        takers=("cube", *_JOBS),
        help="time limit for making an image",
        metavar="SECONDS",
        default="3600",
        parse=values.seconds,
        goes_to="configure_timeout",
        forward="words",
    ),
    Option(
        name="--task-timeout",
        takers=("cube", "run"),
        help="time limit for a task",
        metavar="SECONDS",
        default="3600",
        parse=values.seconds,
        goes_to="task_timeout",
        forward="words",
    ),
    Option(
        name="--retag",
        takers=("configure",),
        help="give the image's name to the new image, even if another image has it",
        goes_to="retag",
        forward="words",
    ),
    Option(
        name="--logs",
        takers=_JOBS,
        help="folder for the logs and the result, outcome.json",
        metavar="DIR",
    ),
    Option(
        name="--older-than",
        takers=("clean",),
        help="minimum days without use",
        metavar="DAYS",
        default="0",
        parse=values.days,
    ),
    Option(
        name="--force",
        takers=("clean",),
        help="end running tasks, and drop results not fetched yet",
    ),
    Option(
        name="--keep",
        takers=_SUITES,
        help="folders with logs and workspaces to keep",
        choices=("all", "failed", "none"),
        default="failed",
        again=False,
    ),
    Option(
        name="--record",
        takers=_SUITES,
        help="additional JSON file for the record of the run",
        metavar="FILE",
        repeat=True,
    ),
    Option(
        name="--fail-on-should",
        takers=("cube",),
        help="fail the run where a SHOULD clause is not met",
    ),
    Option(
        name="--live",
        takers=("cube",),
        help="live output of builds and tasks",
        again=False,
    ),
    Option(
        name="--base-image",
        takers=("runner",),
        help="small base image with a shell, for probe cubes",
        metavar="IMAGE",
        variable="MLCUBE_CONFORMANCE_BASE_BUSYBOX",
        default="busybox:stable",
    ),
    Option(
        name="--format",
        takers=("runner",),
        help="format of probe cubes",
        choices=("multi-file", "single-file"),
        without="the first format of the runner",
    ),
    Option(
        name="--runner-platform",
        takers=("runner",),
        help="platform file for the runner, instead of its description's",
        metavar="FILE",
    ),
    Option(
        name="--runner-timeout",
        takers=("runner",),
        help="time limit for each call of the runner",
        metavar="SECONDS",
        default="60",
        parse=values.seconds,
    ),
    Option(
        name="--expected-failures",
        takers=("runner",),
        help="YAML file of clauses expected to fail; an unexpected pass fails the run",
        metavar="FILE",
    ),
    Option(
        name="--scorecard",
        takers=("runner",),
        help="file for the scorecard of the runner, .json or .md",
        metavar="FILE",
        repeat=True,
        again=False,
    ),
)


def options_of(*takers: Taker) -> Iterator[Option]:
    """Yield the options that any of these takes, in the order of the table."""
    return (each for each in OPTIONS if {*takers} & {*each.takers})


def option(name: str, taker: Taker) -> Option:
    """Return an option of a suite or a command, by its name."""
    return next(each for each in options_of(taker) if each.name == name)


def runner_options(
    taker: Taker, given: Callable[[Option], object], *, names_image: bool = False
) -> Options:
    """Return what the command line asks of a runner.

    Args:
        taker: The suite or the command.
        given: Returns what was given for an option; None or nothing where it was not.
        names_image: See `Options`.

    Raises:
        UsageError: A value is invalid.
    """
    found = {
        each.goes_to: each.read(given(each))
        for each in options_of(taker)
        if each.goes_to
    }
    return Options(names_image=names_image, **found)  # type: ignore[arg-type]
