"""One container of Singularity: its command line, and whether it began."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from mlcube_conformance.base.errors import (
    MachineError,
    Message,
)
from mlcube_conformance.base.text import tail
from mlcube_conformance.runners.common import container, faults
from mlcube_conformance.runners.common.gpus import NVIDIA, gpus_here
from mlcube_conformance.runners.singularity.about import OFFER
from mlcube_conformance.runners.singularity.engine import lacks_privileges
from mlcube_conformance.runners.singularity.image import identity, what_is_wrong

if TYPE_CHECKING:
    from mlcube_conformance.base.errors import Fields
    from mlcube_conformance.model import Mount, RunResult
    from mlcube_conformance.runners.contract import RunRequest
    from mlcube_conformance.runners.singularity.engine import Engine

__all__ = ["check_before", "check_started", "command_line", "not_run"]

#: The program's own exit code when it did not get as far as the task.
_FAILED = 255
# A task could say the same, but only one that says it in the program's own words.
_FATAL = re.compile(
    r"^(?:\x1b\[\d+m)?FATAL:\s+(container creation failed.*|[Ww]hile .*|stage \d.*"
    r"|could not open image.*|image .*|exec .* failed.*|failed to .*"
    r"|\"[^\"]*\": executable file not found.*|stat /.*: no such file or directory"
    r"|permission denied)$"
)
_NOT_EXECUTABLE = {126, 127}


def command_line(request: RunRequest, engine: Engine) -> tuple[str, ...]:
    """Return the command line that runs the task, the folder for its /tmp left out."""
    options = container.asked(request)
    first = request.invocation.task.entrypoint
    verb = "exec" if first else "run"
    words = [engine.path, "--quiet", verb, "--containall"]
    if os.geteuid() == 0:
        words.append("--no-privs")
        if lacks_privileges():
            words.append("--userns")
    if options.get("network") == "none":
        words.append("--net")
    # Any other network is the engine's own default.
    chosen = {**options, "network": "none" if "--net" in words else "", "env": ""}
    words += OFFER.argv(chosen)
    for each in container.mounts(request):
        words += _mount(each, engine)
    return (*words, request.image.name, *first, *request.view.arguments)


def _mount(mount: Mount, engine: Engine) -> tuple[str, str]:
    mode = "" if mount.writable else "ro"
    if not engine.knows_mount:
        return "--bind", f"{mount.host}:{mount.container}:{mode or 'rw'}"
    parts = [
        "type=bind",
        f"source={mount.host}",
        f"destination={mount.container}",
        *([mode] if mode else []),
    ]
    return "--mount", container.fields(parts)


def check_before(request: RunRequest, engine: Engine) -> None:
    """Make sure that all that a container needs is there, before it is started.

    Raises:
        MachineError: Something does not exist, or not as it has to be.
    """
    _check_image(request)
    where = f"case {request.case_id}"
    for each in container.mounts(request):
        if not each.host.exists():
            raise _lacking(
                what="a path to mount does not exist",
                where=f"{where}, {each.container}",
                found=f"nothing at {each.host}",
                expected="a file or folder",
                do="put it there, or fix the path",
            )
        if not engine.knows_mount and re.search(r"[:,]", str(each.host)):
            raise _lacking(
                what=f"cannot mount a path with a colon or a comma on {engine}",
                where=where,
                found=str(each.host),
                expected="a version that knows --mount, or another path",
                do="install Apptainer, or work in another folder",
            )
    if container.gpus(request) and "NVIDIA" not in gpus_here():
        found = f"none of {', '.join(NVIDIA)}"
        raise container.no_gpus(request, engine="Singularity", found=found)


def _check_image(request: RunRequest) -> None:
    image = Path(request.image.name)
    if wrong := what_is_wrong(image):
        raise _lacking(
            what="cannot run the image",
            where=str(image),
            found=wrong,
            expected="a complete image",
            do="remove it and configure again, or copy it again",
        )
    if identity(image) != request.image.digest:
        raise _lacking(
            what="another run has replaced the image",
            where=str(image),
            found=f"{identity(image)}, instead of {request.image.digest}",
            expected="one version of one cube for each image path",
            do="run one after the other, or name another place by the platform "
            "file's\nkey 'image'",
        )


def _lacking(*, what: str, where: str, **fields: Unpack[Fields]) -> MachineError:
    return MachineError(Message(what=what, where=where, **fields))


def check_started(request: RunRequest, ended: RunResult) -> None:
    """Say whose fault it is that a container did not start, where it did not."""
    image = f"image {request.image.name}"
    last = "".join(tail(request.stderr, 1))
    if ended.timed_out:
        return
    if ended.exit_code in _NOT_EXECUTABLE and faults.cannot_start("runscript", last):
        raise container.cannot_start(request, last, where=image)
    fatal = _FATAL.match(last)
    said_something = request.stdout.stat().st_size > 0
    if ended.exit_code != _FAILED or fatal is None or said_something:
        return
    if faults.start_fault("singularity", fatal[1]) == "mount":
        raise container.cannot_mount(request, fatal[1])
    if faults.cannot_start("singularity", fatal[1]):
        raise container.cannot_start(request, fatal[1], where=image)
    raise not_run(request, fatal[1])


def not_run(request: RunRequest, found: str) -> MachineError:
    """Say that a container did not run, by no fault of the cube."""
    return container.did_not_run(
        request,
        engine="Singularity",
        found=found,
        expected="a container that starts",
        do="run the same by hand with --debug",
        log=str(request.stderr),
    )
