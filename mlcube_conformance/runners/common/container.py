"""What any container is given, whichever engine runs it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from mlcube_conformance.base.errors import (
    MachineError,
    Message,
    PlatformUnavailable,
    Violation,
)
from mlcube_conformance.base.files import is_plain_file
from mlcube_conformance.base.trees import mount_points_below
from mlcube_conformance.model import Mount
from mlcube_conformance.runners.work import CA_VARIABLES, proxies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlcube_conformance.base.errors import Fields
    from mlcube_conformance.model import Build, Platform
    from mlcube_conformance.runners.contract import (
        ConfigureRequest,
        Options,
        RunRequest,
    )

__all__ = [
    "CA_FILE",
    "asked",
    "build_arguments",
    "cannot_mount",
    "cannot_start",
    "did_not_run",
    "environment",
    "fields",
    "gpus",
    "mounts",
    "network",
    "no_gpus",
    "resources",
    "variables",
    "visible_devices",
]

#: Where certificates of the command line are in an image.
CA_FILE = "/usr/local/share/mlcube-conformance-ca.crt"

#: Limits that the command line gives, by what platform files call them.
_LIMITS = {"memory": "memory_limit", "pids_limit": "pids_limit"}


def resources(platform: Platform, options: Options) -> Mapping[str, str]:
    """Return what tasks get beyond the defaults, such as `gpus`, `network`, `memory`.

    The command line has the last word; what it says of GPUs decides what else the
    platform gives. What is run and what is shown both come from here.
    """
    gpus = options.gpus
    if gpus is None:
        gpus = platform.options.get("gpus") or platform.without_gpus.get("gpus")
    more = platform.with_gpus if gpus else platform.without_gpus
    found = {**more, **platform.options, "gpus": gpus or ""}
    if options.network:
        found["network"] = options.network
    for name, field in _LIMITS.items():
        if limit := getattr(options, field):
            found[name] = str(limit)
    return {name: value for name, value in found.items() if value or name != "gpus"}


def asked(request: RunRequest) -> Mapping[str, str]:
    """Return what a task gets beyond the defaults."""
    return resources(request.platform, request.options)


def network(request: RunRequest) -> str | None:
    """Return the network that a task gets; None for the engine's own default."""
    return asked(request).get("network")


def gpus(request: RunRequest) -> str:
    """Return the GPUs that a task gets: `all`, a number, `device=0,1`, or ""."""
    return asked(request).get("gpus", "")


def _what_starts(request: RunRequest) -> str:
    """Say what starts a task in its image."""
    if request.invocation.task.entrypoint:
        return "the task's entrypoint: a program of the image, by its absolute path"
    return "an ENTRYPOINT (or a %runscript) that takes the task's name first"


#: What to do, by an expression of what an engine says of a program.
_WAYS_TO_START = (
    ("is a directory", "name a program: what is started is a folder"),
    (
        "permission denied",
        (
            "make the program executable (chmod +x), start it by /bin/sh, or name a "
            "program\nwhere it is a folder"
        ),
    ),
    (
        "exec format error",
        "begin the script with #!/bin/sh, or build the program for this machine",
    ),
    (
        "interpreter",
        (
            "give the script line ends of Unix: with those of Windows (CRLF), the\n"
            "name in its first line is another; or fix that name"
        ),
    ),
    ("too many levels", "fix the link: it points to itself"),
    ("not a directory", "fix the path: a part of it is a file and no folder"),
    (
        r"exec: \"(python|pip)\"|\b(?:line \d+|exec): (python|pip): not found",
        "start it by {0}3, or install {0} in the image",
    ),
    (
        r"exec: \"([^/\"]+)\"|\b(?:line \d+|exec): ([^/\s:]+): not found",
        "install {0} in the image, or start a program that it has",
    ),
    (
        r"/\S+: not found",
        (
            "add the program to the image; if it is there, give it line ends of Unix\n"
            "(not CRLF), and an interpreter in its first line that the image has"
        ),
    ),
)


def _how_to_start(request: RunRequest, found: str) -> str:
    """Say what to fix where an image cannot start a task.

    Args:
        request: The task.
        found: What the engine says.
    """
    # Without an entry point, the name of the task is what is started.
    is_task = f'"{request.invocation.task.name}": executable file not' in found
    for words, do in () if is_task else _WAYS_TO_START:
        match = re.search(words, found, re.IGNORECASE)
        if match:
            return do.format(*(each for each in match.groups() if each))
    if request.invocation.task.entrypoint:
        return "fix the task's entrypoint"
    cube = request.cube
    recipes = (cube.docker.file, cube.singularity.file)
    names = [cube.shown(each) for each in recipes if is_plain_file(each)]
    files = " or ".join(names) or "a recipe"
    return f"write ENTRYPOINT, or %runscript, with a program of the image into {files}"


def cannot_start(
    request: RunRequest, found: str, *, where: str, more: str = ""
) -> Violation:
    """Return the fault of an image that cannot start a task.

    Args:
        request: The task.
        found: What the engine says.
        where: The image.
        more: What else there is to say of what to do.
    """
    return Violation(
        Message(
            what="the image cannot start the task",
            where=f"{where}, case {request.case_id}",
            found=found,
            expected=_what_starts(request),
            do=_how_to_start(request, found) + more,
        )
    )


def cannot_mount(request: RunRequest, found: str) -> Violation:
    """Return the fault of an image that leaves no room for the folders of a task.

    Args:
        request: The task.
        found: What the engine says.
    """
    return Violation(
        Message(
            what="the image has something where a folder must be mounted",
            where=f"image {request.image.name}, case {request.case_id}",
            found=found,
            expected="nothing, or an empty folder, at /mlcube_io0 and so on",
            do="remove the file, link or VOLUME of that path from the image",
        )
    )


def no_gpus(request: RunRequest, *, engine: str, found: str) -> PlatformUnavailable:
    """Return the error of a machine without a GPU for a task that asks for one."""
    by_user = bool(request.options.gpus)
    asker = "--gpus" if by_user else str(request.platform.source)
    return PlatformUnavailable(
        Message(
            what=f"{engine} here cannot give GPUs to a container",
            where=f"image {request.image.name}, case {request.case_id}",
            found=found,
            expected=f"an NVIDIA GPU and its container toolkit: {asker} asks for GPUs",
            do="install them, or run without GPUs: --gpus 0",
        )
    )


def did_not_run(
    request: RunRequest, *, engine: str, **fields: Unpack[Fields]
) -> MachineError:
    """Return the error of a container that did not run, by no fault of the cube."""
    what = f"{engine} did not run the container"
    where = f"image {request.image.name}, case {request.case_id}"
    return MachineError(Message(what=what, where=where, **fields))


def visible_devices(gpus: str) -> str:
    """Return the value of `CUDA_VISIBLE_DEVICES` for a choice of GPUs but `all`."""
    if gpus.isdecimal():
        return ",".join(str(index) for index in range(int(gpus)))
    return gpus.removeprefix("device=")


def build_arguments(
    request: ConfigureRequest | RunRequest, build: Build
) -> dict[str, str]:
    """Return the build arguments: the cube's, and those given instead of these.

    Variables of tasks are none: an image keeps what its recipe was given.
    """
    return {**build.args, **request.options.build_args}


def _variables(lines: str) -> dict[str, str]:
    """Return the variables that flags of a platform give, one a line."""
    pairs = (each.partition("=") for each in lines.split("\n") if each)
    return {name: value for name, _, value in pairs}


def variables(request: RunRequest) -> dict[str, str]:
    """Return the variables that the platform and the command line give a task."""
    return {
        **_variables(asked(request).get("env", "")),
        **request.platform.environment,
        **request.options.environment,
    }


def environment(request: RunRequest) -> dict[str, str]:
    """Return the variables that a task gets beside those of its image."""
    environment = {**proxies(), **variables(request)}
    if request.options.ca_bundle:
        environment.update(dict.fromkeys(CA_VARIABLES, CA_FILE))
    return environment


def _shields(request: RunRequest) -> Iterator[Mount]:
    """Yield mounts by which what is in another one cannot be written to.

    A read-only mount does not make those below it read-only. A given input may be
    in a folder that the task writes to.
    """
    written = {each.value for each in request.invocation.bound("output")}
    given = [
        Path(each.value).resolve()
        for each in request.invocation.bound("input")
        if each.given_by_user and each.value not in written
    ]
    for mount in request.view.mounts:
        tops = [mount.host]
        if mount.writable:
            tops = [
                each
                for each in given
                if each != mount.host and each.is_relative_to(mount.host)
            ]
        places = {below for top in tops for below in mount_points_below(top)}
        for place in sorted({*places, *tops} - {mount.host}):
            if place.exists():
                inside = f"{mount.container}/{place.relative_to(mount.host)}"
                yield Mount(host=place, container=inside, writable=False)


def fields(parts: Iterable[str]) -> str:
    """Return the value of an engine's `--mount`: CSV, where paths may hold commas."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(parts)
    return text.getvalue()


def mounts(request: RunRequest) -> list[Mount]:
    """Return the folders and files of this machine that a task sees."""
    found = [*request.view.mounts, *_shields(request)]
    if request.options.ca_bundle:
        bundle = request.options.ca_bundle
        found.append(Mount(host=bundle, container=CA_FILE, writable=False))
    return found
