"""What the suites of tests do besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.option import Option
from mlcube_conformance.plan import values

if TYPE_CHECKING:
    from mlcube_conformance.option import Taker

__all__ = ["SUITES"]

_SUITES: tuple[Taker, ...] = ("cube", "runner")

SUITES: tuple[Option, ...] = (
    Option(
        name="--keep",
        takers=_SUITES,
        help="folders with logs and workspaces to keep",
        choices=("all", "failed", "none"),
        default="failed",
        again=False,
    ),
    Option(
        name="--terminal",
        takers=("cube",),
        help="what the terminal shows: a line for each task, or pytest's own lines",
        choices=("tasks", "pytest"),
        default="tasks",
        again=False,
    ),
    Option(
        name="--keep-runs",
        takers=("cube",),
        help="ended runs to keep in .mlcube-conformance/, this one among them",
        metavar="N",
        without="all",
        parse=values.count,
        again=False,
    ),
    Option(
        name="--max-timeouts",
        takers=("cube",),
        help="deadlines in a row after which a cube's other tasks are not run",
        metavar="N",
        default="3",
        parse=values.count,
    ),
    Option(
        name="--record",
        takers=_SUITES,
        help="additional JSON file for the record of the run",
        metavar="FILE",
        repeat=True,
        again=False,
    ),
    Option(
        name="--report",
        takers=_SUITES,
        help="report on the run, by its suffix: .html, .md, .xml for JUnit, .svg for a "
        "badge, .sarif, .json for the record",
        metavar="FILE",
        repeat=True,
        again=False,
    ),
    Option(
        name="--baseline",
        takers=_SUITES,
        help="record of an earlier run, to compare this one with",
        metavar="RECORD",
        again=False,
    ),
    Option(
        name="--fail-on-regression",
        takers=_SUITES,
        help="fail the run where something got worse than in the baseline",
        again=False,
    ),
    Option(
        name="--level",
        takers=("cube",),
        help="level of trust to test for; L3 and L4 run tasks again",
        choices=("L0", "L1", "L2", "L3", "L4"),
        without="all that needs no further run",
    ),
    Option(
        name="--profile",
        takers=("cube",),
        help="profile of clauses: default, strict, or a YAML file",
        metavar="NAME",
        without="default",
    ),
    Option(
        name="--max-image-size",
        takers=("cube",),
        help="size that an image may have, with --level L3: 500mb, 8g",
        metavar="SIZE",
        without="any",
        parse=values.size,
    ),
    Option(
        name="--fail-on-should",
        takers=("cube",),
        help="fail the run where a SHOULD clause is not met",
    ),
    Option(
        name="--update-snapshots",
        takers=("cube",),
        help="new snapshots of outputs, where conformance.yaml has some",
        again=False,
    ),
    Option(
        name="--check-only",
        takers=("cube",),
        help="verdicts on what an earlier run left in --workspace, without a run",
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
