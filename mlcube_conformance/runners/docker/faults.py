"""Says whose fault it is that the daemon of Docker does not do what it is asked."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from dataclasses import replace
from errno import ENOSPC
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Unpack

from docker.errors import APIError, DockerException, NotFound

from mlcube_conformance.base.errors import (
    MachineError,
    Message,
    Unsupported,
    Violation,
)
from mlcube_conformance.base.text import TAIL_LINES, mask
from mlcube_conformance.runners.common import faults
from mlcube_conformance.runners.common.container import (
    cannot_mount,
    cannot_start,
    did_not_run,
    no_gpus,
)
from mlcube_conformance.runners.common.faults import disk_fault, machine_fault
from mlcube_conformance.runners.common.recipes import has_recipe, recipe_text
from mlcube_conformance.runners.common.steps import advice_on_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlcube_conformance.base.errors import Fields
    from mlcube_conformance.runners.contract import ConfigureRequest, RunRequest

__all__ = [
    "DO_WITHOUT_BUILDKIT",
    "DO_WITH_BUILDKIT",
    "build_failure",
    "build_message",
    "config_file",
    "daemon_faults",
    "explain",
    "is_built",
    "unreadable_context",
    "went_away",
]

_HELPER = re.compile(
    r"(?i)error getting credentials|credentials? store|docker-credential-"
)
#: What a builder says of an instruction or a flag that it does not know.
_NOT_UNDERSTOOD = re.compile(
    r"(?i)BuildKit|unknown (flag|instruction)|failed to parse platform|parse error"
)
_DO = "fix the recipe or the image's name; the end of the log shows the step"
#: https://docs.docker.com/reference/dockerfile/
_MODERN = re.compile(
    r"(?i)--(mount|network|security|chmod|link|parents|checksum|exclude|unpack"
    r"|keep-git-dir)\b|<<-?[\"']?[a-z_]|\$\{?(BUILD|TARGET)(PLATFORM|OS|ARCH|VARIANT)"
)
#: What to do where a recipe uses what its builder does not know.
DO_WITH_BUILDKIT = (
    "begin the recipe with `# syntax=docker/dockerfile:1`, whose image must be there\n"
    "or be pulled, or use a newer Docker: BuildKit of 23.0 knows what the recipe uses"
)
DO_WITHOUT_BUILDKIT = (
    "install BuildKit's command line (package docker-buildx-plugin or docker-buildx):\n"
    "without it, the classic builder is used, which does not know this"
)

_PASSED_ON = re.compile(
    r"^(?:(?:failed to create (?:shim )?task(?: for container)?|OCI runtime (?:create"
    r" failed|error)|runc create failed|unable to start container process|error during"
    r" container init|container create failed): )+"
)


def explain(error: APIError, request: RunRequest) -> NoReturn:
    """Say whose fault it is that a container did not start."""
    found = str(error.explanation or error)
    if isinstance(error, NotFound) and "No such container" in found:
        raise _removed(request, found) from error
    where = f"image {request.image.name}, case {request.case_id}"
    match faults.start_fault("docker", found):
        case "gpus":
            raise no_gpus(request, engine="Docker", found=found) from error
        case "place":
            raise _not_seen(where, found) from error
        case "mount":
            raise cannot_mount(request, _end(found)) from error
        case "value":
            raise Violation(
                Message(
                    what="Docker refuses a value of the platform",
                    where=str(request.platform.source),
                    found=_end(found),
                    expected="values that Docker takes, such as shm_size: 2g",
                    do="fix the value, or remove it",
                )
            ) from error
        case "start":
            image = f"image {request.image.name}"
            raise cannot_start(request, _end(found), where=image) from error
    raise did_not_run(
        request,
        engine="Docker",
        found=found,
        expected="a container that starts",
        do="read the daemon's log",
    ) from error


def _end(found: str) -> str:
    """Return what is said of the cause: first comes each program that passed it on."""
    return _PASSED_ON.sub("", found)


def _not_seen(where: str, found: str) -> MachineError:
    path = found.rpartition("does not exist: ")[2]
    here = Path(path).exists()
    return MachineError(
        Message(
            what="Docker's daemon does not see the folder of this run",
            where=f"{os.environ.get('DOCKER_HOST', 'the local daemon')}, {where}",
            found=f"{path} is {'here, and not' if here else 'neither here nor'} on the "
            "daemon's machine",
            expected="one machine, or a folder that both have under the same path",
            do="start the container that pytest runs in with `-v DIR:DIR`, and work\n"
            "in DIR: the daemon is another machine's, and takes its own paths",
        )
    )


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


def is_built(request: ConfigureRequest) -> bool:
    """Say whether an image is built here, and not pulled."""
    strategy = request.options.build_strategy or request.platform.strategy
    return strategy != "pull" and has_recipe(request.cube.docker)


def build_message(request: ConfigureRequest) -> Message:
    """Return what all messages on an image that was not made have in common."""
    built = is_built(request)
    return Message(
        what=f"cannot {'build' if built else 'pull'} the image of cube "
        f"{request.cube.id!r}",
        where=str(request.cube.docker.file if built else request.platform.source),
        found="",
        expected="an image",
        do="",
        log=str(request.log),
    )


def _lacks_credential_helper(said: str) -> bool:
    """Say whether a program that keeps passwords for registries is what is missing."""
    return bool(_HELPER.search(said))


def build_failure(
    request: ConfigureRequest, found: str, said: Sequence[str], *, do_where_unknown: str
) -> Violation | MachineError:
    """Say whose fault it is that an image was not made.

    Args:
        request: What was asked for.
        found: What the builder or the registry says of the end.
        said: The last lines of the log.
        do_where_unknown: What to do where the builder does not know the recipe's words.
    """
    found = found.strip()
    message = replace(
        build_message(request), found=mask(found), tail=tuple(said)[-TAIL_LINES:]
    )
    if _lacks_credential_helper(found):
        return MachineError(
            replace(
                message,
                expected="the program that Docker's config.json names for passwords",
                do=f"install it, or remove it from {config_file()} "
                "(keys credsStore, credHelpers)",
            )
        )
    if _NOT_UNDERSTOOD.search(found) and _is_modern(request):
        return MachineError(
            replace(
                message,
                expected="a builder that knows what the recipe uses",
                do=do_where_unknown,
            )
        )
    recipe = request.cube.docker
    unused = not is_built(request) and has_recipe(recipe)
    way_out = ",\nor build it here: --build-strategy auto" if unused else ""
    fault = machine_fault("docker", found, last=found, log=said)
    if fault:
        full = disk_fault("docker", fault)
        return MachineError(
            replace(
                message,
                found=message.found if fault in found else f"{fault}: {message.found}",
                expected="a registry and a disk that work",
                do="free some disk space, then run again"
                if full
                else f"check the network and the proxy, then run again{way_out}",
            )
        )
    return Violation(
        replace(
            message,
            do=(advice_on_step(found, said) or _DO) + way_out,
        )
    )


def _is_modern(request: ConfigureRequest) -> bool:
    """Say whether a recipe uses what came with BuildKit, or later."""
    with suppress(Violation, Unsupported):
        text = recipe_text(request.cube, request.cube.docker)
        return bool(_MODERN.search(text))
    return False


def config_file() -> str:
    """Return where Docker's own programs read who keeps passwords."""
    folder = os.environ.get("DOCKER_CONFIG")
    return f"{folder}/config.json" if folder else "~/.docker/config.json"
