"""Builds an image file beside its place, and moves it there when it is whole."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message, Violation
from mlcube_conformance.base.process import run_process
from mlcube_conformance.base.text import TAIL_LINES, mask, tail
from mlcube_conformance.runners.common.deadlines import Progress
from mlcube_conformance.runners.common.faults import lacks_ids, machine_fault
from mlcube_conformance.runners.common.scratch import remove_all
from mlcube_conformance.runners.common.steps import advice_on_step
from mlcube_conformance.runners.singularity.engine import lacks_privileges
from mlcube_conformance.runners.work import heartbeat, proxies

if TYPE_CHECKING:
    from mlcube_conformance.base.process import Ended
    from mlcube_conformance.runners.common.liveness import Liveness
    from mlcube_conformance.runners.contract import ConfigureRequest
    from mlcube_conformance.runners.singularity.engine import Engine
    from mlcube_conformance.runners.singularity.recipe import BuildPlan

__all__ = ["build_image", "make_room"]

# What the program says last. A command of the recipe that failed is the cube's fault,
# whatever words it used itself.
_FATAL = re.compile(r"^(?:\x1b\[\d+m)?FATAL:\s+(.*)$")
# By these a command of a recipe could step out of its container through the process
# that builds, whose root is that of this machine.
_DROPPED = "CAP_SYS_PTRACE,CAP_SYS_ADMIN,CAP_SYS_MODULE,CAP_SYS_RAWIO"
_DO = "fix the recipe; the end of the log shows the step"
_SUBORDINATE_IDS = (Path("/etc/subuid"), Path("/etc/subgid"))


def make_room(request: ConfigureRequest, path: Path) -> None:
    """Make the folder of an image, and make sure that it can be written to.

    Raises:
        MachineError: It cannot.
    """
    found = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = f"{error.filename}: {error.strerror}"
    else:
        if not os.access(path.parent, os.W_OK | os.X_OK):
            found = f"{path.parent}: not writable"
    if found:
        raise MachineError(
            Message(
                what=f"cannot write the image of cube {request.cube.id!r}",
                where=str(request.platform.source),
                found=found,
                expected=f"a writable folder for {path.name}",
                do="make that folder writable, or name another place by the platform "
                "file's\nkey 'image'",
            )
        )


def build_image(
    request: ConfigureRequest,
    engine: Engine,
    plan: BuildPlan,
    path: Path,
    liveness: Liveness,
) -> None:
    """Build an image; its place always holds a complete one, or the old one.

    Raises:
        Violation: The build fails, or a step of it runs past its deadline.
        MachineError: The registry, the network, the disk or the program fails.
    """
    part = path.with_name(f".{liveness.mark}.part")
    liveness.remember_path(part)
    try:
        with liveness.scratch() as scratch:
            # Beside the log, which mentions its lines.
            recipe = request.log.with_suffix(".def")
            recipe.write_text(plan.text, encoding="utf-8")
            inside = scratch / "inside"
            inside.mkdir()
            ended = run_process(
                [
                    *(engine.path, "build"),
                    *(["--fakeroot"] if os.geteuid() or lacks_privileges() else []),
                    *("--force", str(part), str(recipe)),
                ],
                stdout=request.log,
                stderr=request.log,
                timeout=request.options.configure_timeout,
                env=engine.environment(
                    {**proxies(), **plan.environment},
                    {
                        "TMPDIR": str(scratch),
                        # Else %test would see all variables of the user, and the
                        # commands of a recipe /tmp of this machine.
                        "CLEANENV": "1",
                        "DROP_CAPS": _DROPPED,
                        **_cache(plan, scratch),
                        "CONTAIN": "1",
                        "WORKDIR": str(inside),
                    },
                ),
                cwd=plan.folder,
                out=request.watch.err,
                waiting=heartbeat(
                    request.watch,
                    f"still configuring {request.cube.id}",
                    request.log,
                ),
                begun=liveness.remember_session,
                limit=request.options.max_log_size,
            )
        _judge(request, plan, engine, ended)
        part.replace(path)
    except OSError as error:
        raise MachineError(
            _message(
                request, plan, str(error), "a disk with room, and a program that starts"
            )
        ) from error
    finally:
        remove_all(part)


def _cache(plan: BuildPlan, scratch: Path) -> dict[str, str]:
    """Return where fetched layers are kept: for good only what a registry gave.

    Two builds that fetch the same into one cache at once can break each other.
    """
    return {} if plan.pulls else {"CACHEDIR": str(scratch / "cache")}


def _judge(
    request: ConfigureRequest, plan: BuildPlan, engine: Engine, ended: Ended
) -> None:
    """Say whose fault it is that a build failed, if it did."""
    if ended.timed_out:
        progress = Progress(tool="singularity", bases=plan.stages)
        with request.log.open(encoding="utf-8", errors="replace") as log:
            progress.hear(log)
        raise progress.too_late(
            _message(request, plan, "", ""), request.options.configure_timeout
        )
    if ended.exit_code == 0:
        return
    last = tail(request.log, 200)
    fatal = [match[1] for line in last if (match := _FATAL.match(line))]
    found = fatal[-1] if fatal else f"exit code {ended.exit_code}"
    said = "\n".join((*last[-TAIL_LINES:], found))
    if (
        os.geteuid() != 0
        and not _has_subordinate_ids()
        and lacks_ids("singularity", said)
    ):
        raise MachineError(_no_subordinate_ids(request, plan, engine, found))
    fault = machine_fault("singularity", said, last=found)
    if fault:
        found = found if fault in found else f"{fault}: {found}"
        raise MachineError(
            _message(
                request,
                plan,
                found,
                "a registry, a network and a disk that work",
                "check the network, the proxy and the disk, then run again",
            )
        )
    do = advice_on_step(found, last[-TAIL_LINES:]) or _DO
    raise Violation(_message(request, plan, found, "an image", do))


def _has_subordinate_ids() -> bool:
    """Say whether the user may be several users in a namespace; see subuid(5)."""
    names = {_user(), str(os.getuid())}
    return all(
        any(line.partition(":")[0] in names for line in _read_lines(file))
        for file in _SUBORDINATE_IDS
    )


def _read_lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _no_subordinate_ids(
    request: ConfigureRequest, plan: BuildPlan, engine: Engine, found: str
) -> Message:
    line, files = f"{_user()}:100000:65536", " and ".join(map(str, _SUBORDINATE_IDS))
    return _message(
        request,
        plan,
        f"{found}\nand no range of subordinate ids for the user {_user()} in {files}",
        f"a range of ids, which {engine} needs to build",
        f"ask root to add the line {line} to {files},\n"
        "with a range that no other line has, or build as root",
    )


def _message(
    request: ConfigureRequest,
    plan: BuildPlan,
    found: str,
    expected: str,
    do: str = _DO,
) -> Message:
    return Message(
        what=f"cannot build the image of cube {request.cube.id!r}",
        where=f"{plan.file}; built from {plan.source}",
        found=mask(found),
        expected=expected,
        do=do,
        tail=tail(request.log),
        log=str(request.log),
    )
