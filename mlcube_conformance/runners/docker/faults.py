"""Says whose fault it is that the daemon of Docker does not do what it is asked."""

from __future__ import annotations

import os
from contextlib import contextmanager
from errno import ENOSPC
from typing import TYPE_CHECKING, NoReturn, Unpack

from docker.errors import APIError, DockerException, NotFound

from mlcube_conformance.base.errors import (
    MachineError,
    Message,
    PlatformUnavailable,
    Violation,
)
from mlcube_conformance.base.text import mask
from mlcube_conformance.runners.common import faults
from mlcube_conformance.runners.common.container import cannot_start, did_not_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlcube_conformance.base.errors import Fields
    from mlcube_conformance.runners.contract import ConfigureRequest, RunRequest

__all__ = [
    "daemon_faults",
    "explain",
    "unreadable_context",
    "went_away",
]


def explain(error: APIError, request: RunRequest) -> NoReturn:
    """Say whose fault it is that a container did not start."""
    found = str(error.explanation or error)
    if isinstance(error, NotFound) and "No such container" in found:
        raise _removed(request, found) from error
    where = f"image {request.image.name}, case {request.case_id}"
    if "could not select device driver" in found:
        raise PlatformUnavailable(
            Message(
                what="Docker here cannot give GPUs to a container",
                where=where,
                found=found,
                expected="the NVIDIA container toolkit",
                do="install it, or run without --gpus",
            )
        ) from error
    if faults.cannot_start("docker", found):
        image = f"image {request.image.name}"
        raise cannot_start(request, found, where=image) from error
    raise did_not_run(
        request,
        engine="Docker",
        found=found,
        expected="a container that starts",
        do="read the daemon's log",
    ) from error


def _removed(request: RunRequest, found: str) -> MachineError:
    return _of_daemon(
        what=f"the container of {request.case_id} was removed while it ran",
        found=mask(found),
        expected="a container that is there until its task ends",
        do="find what removes containers (`docker rm`, `docker system prune`), "
        "then run again",
        log=str(request.stdout),
    )


def went_away(request: RunRequest, error: Exception) -> MachineError:
    """Return the error of a daemon that is lost while a task runs."""
    return _of_daemon(
        what=f"Docker stopped answering while {request.case_id} ran",
        found=str(error),
        expected="a daemon that answers",
        do="read the daemon's log, then run again",
        log=str(request.stdout),
    )


def _of_daemon(*, what: str, **fields: Unpack[Fields]) -> MachineError:
    where = os.environ.get("DOCKER_HOST", "the local daemon")
    return MachineError(Message(what=what, where=where, **fields))


@contextmanager
def daemon_faults(doing: str) -> Iterator[None]:
    """Turn an answer that the daemon should not give into a fault of the machine."""
    try:
        yield
    except (DockerException, OSError) as error:
        # Also an answer that does not come, and a log that the disk does not take.
        raise _of_daemon(
            what=f"Docker failed while {doing}",
            found=mask(str(getattr(error, "explanation", None) or error)),
            expected="a daemon that does what it is asked",
            do="free some disk space, then run again"
            if getattr(error, "errno", None) == ENOSPC
            else "read the daemon's log, then run again",
        ) from error


def unreadable_context(request: ConfigureRequest, error: Exception) -> Violation:
    """Return the fault of a cube whose build context cannot be read."""
    return Violation(
        Message(
            what=f"the build context of {request.cube.id!r} cannot be read",
            where=str(request.cube.docker.context),
            found=str(error),
            expected="files and folders that can be read, not too deep",
            do="fix the folder, or leave the file out by .dockerignore",
        )
    )
