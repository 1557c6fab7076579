"""What is tested, configured or run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.option import Option
from mlcube_conformance.plan import values

if TYPE_CHECKING:
    from mlcube_conformance.option import Taker

__all__ = ["SUBJECTS"]

_JOBS: tuple[Taker, ...] = ("configure", "run")

SUBJECTS: tuple[Option, ...] = (
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
)
