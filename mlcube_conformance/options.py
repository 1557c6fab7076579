"""Every option of every command line, each once: adding one is adding a row.

From this table come the options of pytest and of the runners' command lines, the
values that runners take, the line `again:`, the words that are sent to a host, the
refusal of options that would do nothing, and the page `docs/options.md`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mlcube_conformance.plan import values
from mlcube_conformance.runners.contract import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "OPTIONS",
    "Forward",
    "Option",
    "Taker",
    "option",
    "options_of",
    "runner_options",
]

Taker = Literal["cube", "runner", "configure", "run", "clean"]
"""What takes an option: a suite of tests, or a command of a runner."""
Forward = Literal["", "words", "variables"]
"""How an option reaches a runner on another host.

Not at all, or by a way of its own; as words of its command line; as variables of its
process, since others on that host see command lines.
"""

_SUITES: tuple[Taker, ...] = ("cube", "runner")
_JOBS: tuple[Taker, ...] = ("configure", "run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option, for all that take it."""

    name: str
    """As it is written: `--env`."""
    takers: tuple[Taker, ...]
    help: str
    """A noun phrase, or for a switch what it does."""
    metavar: str = ""
    """What its value is called; "" for a switch, or where there are choices."""
    choices: tuple[str, ...] = ()
    repeat: bool = False
    """Whether it may be given several times."""
    required: bool = False
    default: str | None = None
    """Text that stands for an option that is not given; None where there is none."""
    variable: str = ""
    """Variable of this process that stands before `default`."""
    without: str = ""
    """What happens without the option, where `default` does not say it."""
    asks: bool = False
    """Whether it asks for a suite, rather than changing how one runs."""
    again: bool = True
    """Whether findings may depend on it: if so, `again:` repeats it."""
    secret: bool = False
    """Whether its values may be secrets: what follows the first `=`."""
    parse: Callable[[str, Any], object] | None = None
    """Reads a value that is given; takes the option's name and the text or texts."""
    goes_to: str = ""
    """Field of `runners.contract.Options` that it sets."""
    forward: Forward = ""

    @property
    def destination(self) -> str:
        """What pytest calls the value."""
        return f"mlcube_{self.key}"

    @property
    def key(self) -> str:
        """The name as an identifier: `build_arg`."""
        return self.name[2:].replace("-", "_")

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value."""
        return not self.metavar and not self.choices

    @property
    def described(self) -> str:
        """The help text, with whether it can be repeated and what it defaults to."""
        default = self.without or self.default
        if self.variable:
            default = f"${{{self.variable}}}, else {default}"
        notes = ["repeatable"] if self.repeat else []
        notes += [f"default: {default}"] if default else []
        return f"{self.help} ({'; '.join(notes)})" if notes else self.help

    def read(self, given: Any) -> object:  # noqa: ANN401 - as the command line has it
        """Return the value of what was given, or of the default.

        Raises:
            UsageError: It cannot be read.
        """
        text = given
        if text is None:
            text = os.environ.get(self.variable) or self.default
        if self.parse is None or text is None:
            return text
        return self.parse(self.name, text)


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
        help="folder to run in, with everything kept",
        metavar="DIR",
        without="a fresh folder",
    ),
    Option(
        name="--mlcube",
        takers=_JOBS,
        help="folder of the cube",
        metavar="DIR",
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
        help="task or run file; a path has a / or ends in .yaml",
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
        takers=_JOBS,
        help="folder to build in",
        metavar="DIR",
        without="the one that the cube names",
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
        help="time for making an image",
        metavar="SECONDS",
        default="3600",
        parse=values.seconds,
        goes_to="configure_timeout",
        forward="words",
    ),
    Option(
        name="--task-timeout",
        takers=("cube", "run"),
        help="time for a task, after which it is killed",
        metavar="SECONDS",
        default="3600",
        parse=values.seconds,
        goes_to="task_timeout",
        forward="words",
    ),
    Option(
        name="--retag",
        takers=("configure",),
        help="give the image's name to the new image, whatever has it now",
        goes_to="retag",
        forward="words",
    ),
    Option(
        name="--logs",
        takers=_JOBS,
        help="folder for the logs and for outcome.json, which holds the result",
        metavar="DIR",
    ),
    Option(
        name="--older-than",
        takers=("clean",),
        help="days without use, at least",
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
        help="JSON file for the record of the run, beside the one in its folder",
        metavar="FILE",
        repeat=True,
    ),
    Option(
        name="--live",
        takers=("cube",),
        help="show the output of builds and tasks as it comes",
        again=False,
    ),
    Option(
        name="--base-image",
        takers=("runner",),
        help="small image with a shell that probe cubes are built from",
        metavar="IMAGE",
        variable="MLCUBE_CONFORMANCE_BASE_BUSYBOX",
        default="busybox:stable",
    ),
    Option(
        name="--format",
        takers=("runner",),
        help="format of probe cubes",
        choices=("multi-file", "single-file"),
        without="the first that the runner reads",
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
        help="time for each call of the runner",
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
        help="file for the findings on the runner, .json or .md",
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
