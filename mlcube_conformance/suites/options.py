"""The options of the plugin that have everyday names, and which suite takes which."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "TAKERS",
    "add_options",
    "base_image",
    "destination",
    "idle_option",
    "kept",
    "option_of",
]

#: Which suites take an option, by the option that asks for the suite: for the others it
#: would do nothing.
TAKERS: dict[str, tuple[str, ...]] = {
    "--platform": ("--cube",),
    "--task": ("--cube",),
    "--parameter": ("--cube",),
    "--optional": ("--cube",),
    "--workspace": ("--cube",),
    "--keep": ("--cube", "--runner"),
    "--record": ("--cube", "--runner"),
    "--live": ("--cube",),
    "--build-arg": ("--cube",),
    "--build-strategy": ("--cube",),
    "--env": ("--cube",),
    "--network": ("--cube",),
    "--gpus": ("--cube",),
    "--ca-bundle": ("--cube",),
    "--configure-timeout": ("--cube",),
    "--task-timeout": ("--cube",),
    "--base-image": ("--runner",),
    "--format": ("--runner",),
    "--runner-platform": ("--runner",),
    "--runner-timeout": ("--runner",),
    "--expected-failures": ("--runner",),
    "--scorecard": ("--runner",),
}
_ASKED_BY = {"--cube": ("a cube", "PATH"), "--runner": ("a runner", "NAME")}
_BASE_IMAGE = "busybox:stable"
_BASE_VARIABLE = "MLCUBE_CONFORMANCE_BASE_BUSYBOX"


def option_of(word: str) -> str:
    """Return the option of ours that a word of a command line gives, or ""."""
    name = word.partition("=")[0]
    return name if name in TAKERS else ""


def destination(option: str) -> str:
    """Return what pytest calls the value of an option of ours."""
    return f"mlcube_{option[2:].replace('-', '_')}"


def idle_option(given: Callable[[str], object], asked: Iterable[str] = ()) -> str:
    """Say which option that is given would do nothing, and why; "" where all do.

    Args:
        given: Returns the value of an option, by its name.
        asked: What asks for a suite: `--cube`, `--runner`, or neither.
    """
    present = [each for each in _ASKED_BY if each in asked]
    for name, takers in TAKERS.items():
        if given(name) in (None, False, []) or {*takers} & {*present}:
            continue
        needed = " or ".join(_ASKED_BY[each][0] for each in takers)
        if present:
            return f"{name} needs {needed}, and {present[0]} names none: leave it out"
        how = " or ".join(f"{each} {_ASKED_BY[each][1]}" for each in takers)
        return f"{name} needs {needed}: give {how}"
    return ""


def kept(given: str | None) -> str:
    """Return which folders are kept: `all`, `failed` or `none`."""
    return given or "failed"


def base_image(given: str | None) -> str:
    """Return the image that probe cubes are built from."""
    return given or os.environ.get(_BASE_VARIABLE) or _BASE_IMAGE


def add_options(add: Callable[..., None]) -> None:
    """Declare all options that have everyday names."""

    def add_known(name: str, **settings: Any) -> None:  # noqa: ANN401 - argparse's own
        add(name, dest=destination(name), **settings)

    _add_runner_options(add_known)
    _add_cube_options(add_known)


def _add_cube_options(add: Callable[..., None]) -> None:
    """Declare the options for tests of cubes."""
    add(
        "--platform",
        action="append",
        default=[],
        metavar="NAME",
        help="platform to test on: a name such as docker, or a platform file "
        "(repeatable; default: the first of docker, singularity, local that works)",
    )
    add(
        "--task",
        action="append",
        default=[],
        metavar="NAME",
        help="task or run file to test (repeatable; default: all); what makes its "
        "inputs runs first",
    )
    add(
        "--parameter",
        action="append",
        default=[],
        metavar="TASK.NAME=PATH",
        help="value for a parameter, instead of the run file's (repeatable)",
    )
    add(
        "--optional",
        action="append",
        default=[],
        metavar="TASK.NAME",
        help="input that a task does without where it is not there (repeatable)",
    )
    add(
        "--workspace",
        metavar="DIR",
        help="run in this folder and keep everything (default: a fresh folder)",
    )
    add(
        "--keep",
        choices=("all", "failed", "none"),
        help="which folders with logs and workspaces to keep (default: failed)",
    )
    add(
        "--record",
        action="append",
        default=[],
        metavar="FILE",
        help="JSON file for the record of the run, beside the one in its folder "
        "(repeatable)",
    )
    add(
        "--live",
        action="store_true",
        help="show the output of builds and tasks as it comes",
    )
    add(
        "--build-arg",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="build argument of the image; without a value, the variable of this "
        "process (repeatable)",
    )
    add(
        "--build-strategy",
        choices=("auto", "pull", "always"),
        help="build images where there is a recipe, pull them, or build them anew "
        "(default: as the cube says)",
    )
    add(
        "--env",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="variable for tasks, and for ${oc.env:NAME} in a cube; without a value, "
        "that of this process (repeatable)",
    )
    add(
        "--network",
        choices=("none", "host"),
        help="network of builds and tasks (default: the platform's own; with none, "
        "builds still have one)",
    )
    add(
        "--gpus",
        metavar="N",
        help="GPUs for tasks: all, a number, or device=0,1 (default: none)",
    )
    add(
        "--ca-bundle",
        metavar="FILE",
        help="certificates to trust in builds and tasks, as a PEM file",
    )
    add(
        "--configure-timeout",
        metavar="SECONDS",
        help="time for making an image (default: 3600)",
    )
    add(
        "--task-timeout",
        metavar="SECONDS",
        help="time for a task, after which it is killed (default: 3600)",
    )


def _add_runner_options(add: Callable[..., None]) -> None:
    """Declare the options for tests of a runner."""
    add(
        "--base-image",
        metavar="IMAGE",
        help="small image with a shell that probe cubes are built from (default: "
        f"${{{_BASE_VARIABLE}}}, else {_BASE_IMAGE})",
    )
    add(
        "--format",
        choices=("multi-file", "single-file"),
        help="format of probe cubes (default: the first that the runner reads)",
    )
    add(
        "--runner-platform",
        metavar="FILE",
        help="platform file to give to the runner, in place of its description's",
    )
    add(
        "--runner-timeout",
        metavar="SECONDS",
        help="time for each call of the runner (default: 60)",
    )
    add(
        "--expected-failures",
        metavar="FILE",
        help="clauses that the runner is known to break; one that holds fails the run",
    )
    add(
        "--scorecard",
        action="append",
        default=[],
        metavar="FILE",
        help="write what was found of the runner into this file, .json or .md "
        "(repeatable)",
    )
