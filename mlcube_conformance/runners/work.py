"""Runs tasks: the common part of all runners and callers."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message
from mlcube_conformance.base.output import DiskFullError
from mlcube_conformance.base.process import run_process
from mlcube_conformance.base.text import HIDDEN, mask, tail
from mlcube_conformance.model import RunResult
from mlcube_conformance.plan.given_outputs import Delivery, deliver, stand_in
from mlcube_conformance.plan.mounts import task_view
from mlcube_conformance.runners.about import offer_of
from mlcube_conformance.runners.contract import RunRequest
from mlcube_conformance.runners.disarming import run_disarmed
from mlcube_conformance.runners.gauge import Gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mlcube_conformance.model import Case, Image
    from mlcube_conformance.runners.contract import Options, Runner, Watch

__all__ = [
    "CA_VARIABLES",
    "HEARTBEAT",
    "asked_after",
    "heartbeat",
    "log_not_kept",
    "proxies",
    "run_case",
    "run_task",
    "shown_variables",
    "waiting_for",
]

#: Seconds after which a silent wait says what it waits for.
HEARTBEAT = 10

#: Variables that name the certificates for programs to trust.
CA_VARIABLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
)

_PROXIES = ("http_proxy", "https_proxy", "no_proxy")


def run_case(  # noqa: PLR0913 - each is one fact of the run
    runner: Runner,
    case: Case,
    image: Image,
    *,
    workspace: Path,
    copies: Path,
    logs: tuple[Path, Path],
    options: Options,
    watch: Watch,
    looks_inside: bool = False,
) -> RunResult:
    """Run the task of a case that is ready, and put its outputs in their places.

    Args:
        runner: Who runs it.
        case: What to run; its inputs exist and are protected.
        image: What it is run in.
        workspace: Where inputs are read and outputs appear.
        copies: Our folder for what the command line gives, created if needed.
        logs: Files for its standard output and error.
        options: What the command line asks for.
        watch: Who follows the run.
        looks_inside: Whether it counts what the task leaves in its container.

    Raises:
        Violation: The image cannot start the task.
        MachineError: The platform is at fault.
    """
    _refuse_limits(case, options)
    invocation = case.invocation
    deliveries: tuple[Delivery, ...] = ()
    if runner.protects_inputs and case.platform.place is None:
        invocation, deliveries = stand_in(invocation, workspace, copies)
    view = task_view(invocation, workspace)
    for warning in view.warnings:
        watch.note(f"warning: {warning}")
    stdout, stderr = logs
    watch.begin(f"running {case.id}", stdout)
    gauge = None
    if case.platform.place is None:
        gauge = Gauge((each.host for each in view.mounts if each.writable), options)
    result = run_disarmed(
        runner,
        RunRequest(
            case_id=case.id,
            cube=case.cube,
            image=image,
            invocation=invocation,
            workspace=workspace,
            view=view,
            platform=case.platform,
            options=options,
            stdout=stdout,
            stderr=stderr,
            watch=watch,
            gauge=gauge,
            looks_inside=looks_inside,
        ),
    )
    if gauge is not None and gauge.look():
        result = replace(result, over=gauge.found)
    if not result.over:
        deliver(deliveries)
    platform = case.platform.inner or case.platform
    network = options.network or platform.options.get("network")
    return replace(result, network_off=network == "none")


def _refuse_limits(case: Case, options: Options) -> None:
    """Refuse limits of the command line that a platform cannot keep.

    Raises:
        MachineError: There is one.
    """
    kind = (case.platform.inner or case.platform).kind
    given = (
        ("--memory-limit", "memory", options.memory_limit),
        ("--pids-limit", "pids_limit", options.pids_limit),
    )
    for option, name, value in given:
        if value is not None and name not in offer_of(kind).values:
            raise MachineError(
                Message(
                    what=f"the platform {kind} has no {option}",
                    where=f"case {case.id}",
                    found=f"{option} {value}",
                    expected="docker, here or on another host",
                    do="run on docker, or leave the option out",
                )
            )


def waiting_for(
    request: RunRequest, log: Path, where: str = ""
) -> Callable[[float], bool]:
    """Return what follows a task: it says from time to time that the task still runs.

    It returns whether the task has to end, since it wrote too much.
    """
    say = heartbeat(request.watch, f"still running {request.case_id}{where}", log)

    def waiting(seconds: float) -> bool:
        say(seconds)
        return request.gauge is not None and request.gauge.is_over()

    return waiting


def heartbeat(watch: Watch, what: str, log: Path) -> Callable[[float], None]:
    """Return what says, each time that long has passed, what is waited for."""
    said = 0

    def waiting(seconds: float) -> None:
        nonlocal said
        if seconds // HEARTBEAT > said and not watch.is_live:
            said = int(seconds // HEARTBEAT)
            last = "".join(f": {line}" for line in tail(log, 1))
            watch.note(f"{what} after {seconds:.0f} s{last}")

    return waiting


def run_task(  # noqa: PLR0913 - each is one fact of the process
    request: RunRequest,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    command: tuple[str, ...],
    begun: Callable[[int], None] | None = None,
) -> RunResult:
    """Run a task as a process of this machine, within its time and into its logs.

    Args:
        request: What is asked for.
        argv: The process and its arguments.
        env: Its whole environment.
        cwd: Folder to start in.
        command: The command line that does the same by hand.
        begun: Called once with the number of its session.

    Raises:
        MachineError: Its output cannot be kept, so it was ended.
        OSError: It cannot be started.
    """
    request.stderr.unlink(missing_ok=True)
    try:
        ended = run_process(
            argv,
            stdout=request.stdout,
            stderr=request.stderr,
            timeout=request.options.task_timeout,
            env=env,
            cwd=cwd,
            out=request.watch.out,
            err=request.watch.err,
            waiting=waiting_for(request, request.stdout),
            begun=begun,
            # No platform file says it: only a further run of the task does.
            umask=int(request.platform.options.get("umask", "-1"), 8),
            asked_after=asked_after(request),
            limit=request.options.max_log_size,
        )
    except DiskFullError as error:
        raise log_not_kept(request, str(error)) from error
    return RunResult(
        exit_code=ended.exit_code,
        timed_out=ended.timed_out,
        out_of_memory=False,
        seconds=ended.seconds,
        left_running=ended.left_running,
        stdout=request.stdout,
        stderr=request.stderr,
        command=command,
    )


def asked_after(request: RunRequest) -> float | None:
    """Return the seconds after which a task is asked to end; None for never.

    No platform file says it: only a further run of the task does.
    """
    found = request.platform.options.get("asked_after")
    return float(found) if found else None


def log_not_kept(request: RunRequest, found: str) -> MachineError:
    """Return the error of a task with a log that cannot be written."""
    return MachineError(
        Message(
            what=f"cannot write the log of {request.case_id}",
            where=str(request.stdout.parent),
            found=found,
            expected="a complete log of the task",
            do="free some disk space, or start in a folder on another disk",
            log=str(request.stdout),
        )
    )


def shown_variables(
    variables: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """Return variables as they may be shown: those given without their values."""
    return {
        name: HIDDEN if name in given else mask(value)
        for name, value in variables.items()
    }


def proxies() -> dict[str, str]:
    """Return the proxy variables that are set, in both spellings, as they are."""
    names = (*_PROXIES, *(name.upper() for name in _PROXIES))
    return {name: os.environ[name] for name in names if name in os.environ}
