"""The options of the plugin that have everyday names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["add_cube_options", "add_runner_options"]

_BASE_IMAGE = "busybox:stable"


def add_cube_options(add: Callable[..., None]) -> None:
    """Declare the options for tests of cubes."""
    add(
        "--platform",
        action="append",
        default=[],
        metavar="NAME",
        dest="mlcube_platform",
        help="platform to test on: a name such as docker, or a platform file "
        "(repeatable; default: the first of docker, singularity, local that works)",
    )
    add(
        "--task",
        action="append",
        default=[],
        metavar="NAME",
        dest="mlcube_task",
        help="task or run file to test (repeatable; default: all); what makes its "
        "inputs runs first",
    )
    add(
        "--parameter",
        action="append",
        default=[],
        metavar="TASK.NAME=PATH",
        dest="mlcube_parameter",
        help="value for a parameter, instead of the run file's (repeatable)",
    )
    add(
        "--optional",
        action="append",
        default=[],
        metavar="TASK.NAME",
        dest="mlcube_optional",
        help="input that a task does without where it is not there (repeatable)",
    )
    add(
        "--workspace",
        metavar="DIR",
        dest="mlcube_workspace",
        help="run in this folder and keep everything (default: a fresh folder)",
    )
    add(
        "--keep",
        choices=("all", "failed", "none"),
        default="failed",
        dest="mlcube_keep",
        help="which folders with logs and workspaces to keep (default: failed)",
    )
    add(
        "--live",
        action="store_true",
        dest="mlcube_live",
        help="show the output of builds and tasks as it comes",
    )
    add(
        "--build-arg",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        dest="mlcube_build_arg",
        help="build argument of the image; without a value, the variable of this "
        "process (repeatable)",
    )
    add(
        "--build-strategy",
        choices=("auto", "pull", "always"),
        dest="mlcube_build_strategy",
        help="build images where there is a recipe, pull them, or build them anew "
        "(default: as the cube says)",
    )
    add(
        "--env",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        dest="mlcube_env",
        help="variable for tasks, and for ${oc.env:NAME} in a cube; without a value, "
        "that of this process (repeatable)",
    )
    add(
        "--network",
        choices=("none", "host"),
        dest="mlcube_network",
        help="network of builds and tasks (default: the platform's own; with none, "
        "builds still have one)",
    )
    add(
        "--gpus",
        metavar="N",
        dest="mlcube_gpus",
        help="GPUs for tasks: all, a number, or device=0,1 (default: none)",
    )
    add(
        "--ca-bundle",
        metavar="FILE",
        dest="mlcube_ca_bundle",
        help="certificates to trust in builds and tasks, as a PEM file",
    )
    add(
        "--configure-timeout",
        metavar="SECONDS",
        dest="mlcube_configure_timeout",
        help="time for making an image (default: 3600)",
    )
    add(
        "--task-timeout",
        metavar="SECONDS",
        dest="mlcube_task_timeout",
        help="time for a task, after which it is killed (default: 3600)",
    )


def add_runner_options(add: Callable[..., None]) -> None:
    """Declare the options for tests of a runner."""
    add(
        "--base-image",
        metavar="IMAGE",
        default=os.environ.get("MLCUBE_CONFORMANCE_BASE_BUSYBOX", _BASE_IMAGE),
        dest="mlcube_base_image",
        help="small image with a shell that probe cubes are built from (default: "
        f"${{MLCUBE_CONFORMANCE_BASE_BUSYBOX}}, else {_BASE_IMAGE})",
    )
    add(
        "--format",
        choices=("multi-file", "single-file"),
        dest="mlcube_format",
        help="format of probe cubes (default: the first that the runner reads)",
    )
    add(
        "--runner-platform",
        metavar="FILE",
        dest="mlcube_runner_platform",
        help="platform file to give to the runner, in place of its description's",
    )
    add(
        "--runner-timeout",
        metavar="SECONDS",
        dest="mlcube_runner_timeout",
        help="time for each call of the runner (default: 60)",
    )
    add(
        "--expected-failures",
        metavar="FILE",
        dest="mlcube_expected_failures",
        help="clauses that the runner is known to break; one that holds fails the run",
    )
    add(
        "--scorecard",
        action="append",
        default=[],
        metavar="FILE",
        dest="mlcube_scorecard",
        help="write what was found of the runner into this file, .json or .md "
        "(repeatable)",
    )
