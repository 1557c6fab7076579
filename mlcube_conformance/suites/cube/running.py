"""Runs a task that is ready, and looks at all that it could change."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Violation
from mlcube_conformance.checks.promised import Kept, kept_promises
from mlcube_conformance.checks.run import exits_zero
from mlcube_conformance.checks.storing import store_snapshots
from mlcube_conformance.plan.workspace import make_folder
from mlcube_conformance.runners.about import offer_of
from mlcube_conformance.runners.common.entry import entry_point
from mlcube_conformance.runners.work import run_case
from mlcube_conformance.suites.cube.looking import Look
from mlcube_conformance.suites.cube.task_run import TaskRun

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlcube_conformance.model import Case, Image
    from mlcube_conformance.runners.contract import Options, Runner, Watch

__all__ = ["Job", "run_and_look"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A task that is ready to run, and where."""

    case: Case
    image: Image
    runner: Runner
    workspace: Path
    copies: Path
    """Our folder for what the command line gives."""
    logs: Path
    """Files for its output, without `.stdout.log` and `.stderr.log`."""
    options: Options
    watch: Watch
    stores_snapshots: bool = False
    """Whether the outputs become the expected ones."""
    looks_around: bool = False
    """Whether the whole workspace is searched for other files than outputs."""
    offline: bool = True
    """Whether the network is off where the cube promises not to need it."""
    asks_network: bool = False
    """Whether a task that fails without the network is tried with it."""

    @property
    def stdout(self) -> Path:
        """File for its standard output."""
        return self.logs.with_name(f"{self.logs.name}.stdout.log")

    @property
    def stderr(self) -> Path:
        """File for its standard error."""
        return self.logs.with_name(f"{self.logs.name}.stderr.log")


def run_and_look(job: Job, earlier: Iterable[TaskRun] = ()) -> TaskRun:
    """Return how a task ended, with its inputs and outputs before and after.

    It gets what its cube promises to be enough: no network, some memory, some time.
    Where it fails without the network, it runs with it, to tell whose fault that is.

    Args:
        job: The task.
        earlier: What ran in the same workspace before.

    Raises:
        MachineError: The platform is at fault.
    """
    make_folder(job.logs.parent)
    before = list(earlier)
    run = _run(job, before)
    if run.result is None or not run.result.network_off or run.exited_zero:
        return run
    promised = job.asks_network and job.case.promises.network is False
    if not promised or not _can_clear(run):
        return run
    _clear(run)
    logs = job.logs.with_name(f"{job.logs.name}.with-network")
    again = _run(replace(job, logs=logs, offline=False), before)
    return replace(again, offline=run.result) if again.exited_zero else run


def _run(job: Job, earlier: Iterable[TaskRun]) -> TaskRun:
    case, options = _as_promised(job.case, job.options, offline=job.offline)
    look = Look(case, job.workspace, earlier)
    entrypoint = entry_point(case, job.image, options)
    try:
        result = run_case(
            job.runner,
            case,
            job.image,
            workspace=job.workspace,
            copies=job.copies,
            logs=(job.stdout, job.stderr),
            options=options,
            watch=job.watch,
            looks_inside=job.looks_around,
        )
    except Violation as violation:
        return TaskRun(
            case=job.case,
            workspace=job.workspace,
            not_started=violation,
            entrypoint=entrypoint,
        )
    # What is too much to be kept is too much to be looked at.
    seen = () if result.over else look.again()
    outputs = tuple(each for each in seen if each.binding.parameter.role == "output")
    ended_well = not exits_zero(case, result)
    looks_around = job.looks_around and not result.over
    if ended_well and job.stores_snapshots:
        for place in store_snapshots(case, outputs):
            job.watch.note(f"stored the snapshot {place}")
    kept = kept_promises(case, outputs) if ended_well else Kept()
    return TaskRun(
        case=job.case,
        workspace=job.workspace,
        result=result,
        inputs=tuple(each for each in seen if each.binding.parameter.role == "input"),
        outputs=outputs,
        beside=() if result.over else look.beside(),
        entrypoint=entrypoint,
        elsewhere=() if result.over else look.elsewhere(seen),
        undeclared=look.beside_parameters() if looks_around else None,
        promised=kept.clauses,
        metrics=kept.metrics,
    )


def _can_clear(run: TaskRun) -> bool:
    """Say whether what a run left can be removed, so it may start afresh."""
    inputs = {each.path for each in run.inputs}
    return all(
        not each.binding.given_by_user
        and inputs.isdisjoint({each.path, *each.path.parents})
        for each in run.outputs
    )


def _clear(run: TaskRun) -> None:
    for output in run.outputs:
        for path in sorted(map(Path, output.made), reverse=True):
            with suppress(OSError):
                if path.is_dir() and not path.is_symlink():
                    path.rmdir()
                else:
                    path.unlink()


def _as_promised(
    case: Case, options: Options, *, offline: bool
) -> tuple[Case, Options]:
    """Return a case and its options with what the cube says is enough.

    What the command line asks for comes first; what a platform cannot do is left out.
    """
    promises, platform = case.promises, case.platform
    kind = (platform.inner or platform).kind
    values = offer_of(kind).values
    network = values.get("network")
    can_turn_off = offline and network is not None and network.fullmatch("none")
    if promises.network is False and options.network is None and can_turn_off:
        options = replace(options, network="none")
    if promises.timeout is not None:
        timeout = min(promises.timeout, options.task_timeout)
        options = replace(options, task_timeout=timeout)
    if promises.gpus is not None and options.gpus is None:
        options = replace(options, gpus=promises.gpus)
    if promises.memory and "memory" in values and platform.place is None:
        asked = {**platform.options, "memory": promises.memory}
        case = replace(case, platform=replace(platform, options=asked))
    return case, options
