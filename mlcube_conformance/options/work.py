"""How images are made, and tasks run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.option import Option
from mlcube_conformance.plan import values

if TYPE_CHECKING:
    from mlcube_conformance.option import Taker

__all__ = ["WORK"]

_JOBS: tuple[Taker, ...] = ("configure", "run")

WORK: tuple[Option, ...] = (
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
        name="--memory-limit",
        takers=("cube", "run"),
        help="memory that a task may use, on Docker: 512m, 8g",
        metavar="SIZE",
        without="as the platform file or the cube says, else any",
        parse=values.size,
        goes_to="memory_limit",
        forward="words",
    ),
    Option(
        name="--pids-limit",
        takers=("cube", "run"),
        help="processes and threads that a task may have, on Docker",
        metavar="N",
        without="as the platform file says, else 8192",
        parse=values.count,
        goes_to="pids_limit",
        forward="words",
    ),
    Option(
        name="--max-log-size",
        takers=("cube", *_JOBS),
        help="size of each log of a build or a task, beyond which its middle is cut",
        metavar="SIZE",
        default="100mb",
        parse=values.size,
        goes_to="max_log_size",
        forward="words",
    ),
    Option(
        name="--max-output-size",
        takers=("cube", "run"),
        help="size of the files of a task's outputs, beyond which it is ended",
        metavar="SIZE",
        default="1tb",
        parse=values.size,
        goes_to="max_output_size",
        forward="words",
    ),
    Option(
        name="--max-files",
        takers=("cube", "run"),
        help="number of files and folders of a task's outputs, beyond which it is "
        "ended",
        metavar="N",
        default="2000000",
        parse=values.count,
        goes_to="max_files",
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
)
