"""Configures each image once and runs each case once, for however many ask."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    ConformanceError,
    MachineError,
    Violation,
    require_given,
)
from mlcube_conformance.base.trees import remove_tree
from mlcube_conformance.plan.disk import refuse_full_disk
from mlcube_conformance.plan.order import paths_elsewhere
from mlcube_conformance.plan.prepare import make_ready
from mlcube_conformance.plan.workspace import make_folder, stage
from mlcube_conformance.results.logs import log_facts
from mlcube_conformance.results.pictures import Pictures
from mlcube_conformance.runners import make_runner
from mlcube_conformance.runners.contract import ConfigureRequest
from mlcube_conformance.suites.cube.blocking import blocked_by
from mlcube_conformance.suites.cube.depth import Depth
from mlcube_conformance.suites.cube.facts import error_facts, platform_facts, run_facts
from mlcube_conformance.suites.cube.running import Job, run_and_look
from mlcube_conformance.suites.cube.task_run import TaskRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlcube_conformance.model import Case, Image
    from mlcube_conformance.plan.order import Placement
    from mlcube_conformance.results.record import Record
    from mlcube_conformance.runners.contract import Options, Runner, Watch
    from mlcube_conformance.suites.cube.plugins import Plugins

__all__ = ["Execution"]


@dataclass(slots=True)
class Execution:
    """Everything that has been configured and run, by what it was for."""

    run_id: str
    folder: Path
    """Folder of this run: a folder in it for each cube on each platform."""
    options: Options
    watch: Watch
    plugins: Plugins
    workspace: Path | None = None
    """Folder to run in, instead of a fresh one."""
    max_timeouts: int = 3
    """Deadlines in a row after which no more tasks of a placement are run."""
    depth: Depth = field(default_factory=Depth)
    """How far cubes are tested."""
    stores_snapshots: bool = False
    """Whether outputs become the expected ones."""
    record: Record | None = None
    """Takes what is configured and run, as it happens."""
    spent: float = 0
    """Seconds that tasks have run."""
    _runners: dict[str, Runner | MachineError] = field(default_factory=dict)
    _images: dict[object, Image | Exception] = field(default_factory=dict)
    _staged: dict[object, dict[str, Violation] | MachineError] = field(
        default_factory=dict
    )
    _runs: dict[object, TaskRun | Exception] = field(default_factory=dict)
    _pictures: Pictures = field(default_factory=Pictures)

    def folder_of(self, placement: Placement) -> Path:
        """Return the folder that holds the logs and workspace of a placement."""
        return self.folder / placement.cube.id / placement.platform.id

    def workspace_of(self, placement: Placement) -> Path:
        """Return the folder that the tasks of a placement share."""
        return self.workspace or self.folder_of(placement) / "workspace"

    def image(self, placement: Placement) -> Image:
        """Return the image of a cube on a platform, configured on first use.

        Raises:
            Violation: The cube is at fault; the same each time.
            MachineError: The platform is at fault; the same each time.
        """
        if placement.key not in self._images:
            try:
                self._images[placement.key] = self._configure(placement)
            except Exception as error:  # noqa: BLE001 - raised for each caller
                self._images[placement.key] = error
        found = self._images[placement.key]
        if isinstance(found, Exception):
            raise found
        return found

    def runner(self, kind: str) -> Runner:
        """Return the runner of a kind of platform.

        Raises:
            MachineError: It cannot be used here.
        """
        if kind not in self._runners:
            runner = make_runner(kind, self.run_id)
            trouble = runner.unavailable()
            self._runners[kind] = trouble or runner
            if trouble is None:
                for name in runner.remove_leftovers():
                    self.watch.note(f"removed {name}, left over from an earlier run")
        found = self._runners[kind]
        if isinstance(found, MachineError):
            raise found
        return found

    def _configure(self, placement: Placement) -> Image:
        require_given(placement.platform.limits)
        folder = self.folder_of(placement)
        make_folder(folder)
        refuse_full_disk(folder)
        runner = self.runner(placement.platform.kind)
        self._tell("platform", **platform_facts(placement, _engine(runner)))
        request = ConfigureRequest(
            cube=placement.cube,
            platform=placement.platform,
            options=self.options,
            log=folder / "configure.log",
            watch=self.watch,
        )
        with (
            self.plugins.configuring(placement) as made,
            self._told("configure", placement.id, log=str(request.log)) as found,
        ):
            image = runner.configure(request)
            facts = asdict(image)
            del facts["entrypoint"]  # Of the engine, and no identity.
            found["image"] = facts
            made.append(image)
        self.watch.done(f"configured {placement.id}: {image.how}: {image.name}")
        return image

    def _tell(self, kind: str, **facts: object) -> None:
        if self.record is not None:
            self.record.event(kind, **facts)

    @contextmanager
    def _told(
        self, kind: str, subject: str, **facts: object
    ) -> Iterator[dict[str, object]]:
        """Record that something begins, and how it ends."""
        self._tell(kind, subject=subject, state="begun", **facts)
        started, found = time.monotonic(), dict(facts)
        good = False
        try:
            yield found
            good = True
        except (Violation, ConformanceError) as error:
            found.update(error_facts(error))
            raise
        finally:
            if "log" in facts:
                log = Path(str(facts["log"]))
                found["logs"] = [log_facts("configure", log, good=good)]
            found.setdefault("seconds", round(time.monotonic() - started, 3))
            self._tell(kind, subject=subject, state="ended", **found)

    def run(self, placement: Placement, case: Case) -> TaskRun:
        """Return the result of a case, run on first use after its producers.

        Raises:
            MachineError: The platform is at fault; the same each time.
        """
        if case.key not in self._runs:
            try:
                self._runs[case.key] = self._run(placement, case)
            except Exception as error:  # noqa: BLE001 - raised for each caller
                self._runs[case.key] = error
        found = self._runs[case.key]
        if isinstance(found, Exception):
            raise found
        return found

    def _run(self, placement: Placement, case: Case) -> TaskRun:
        workspace = self.workspace_of(placement)
        require_given(paths_elsewhere(case.invocation, workspace))
        why = blocked_by(self, placement, case)
        if why:
            return TaskRun(case=case, workspace=workspace, blocked_by=why)
        image = self.image(placement)
        runner = self.runner(placement.platform.kind)
        copies = self.folder_of(placement) / "given" / case.invocation.name
        try:
            self._stage(placement, case)
            ready = make_ready(
                case.invocation,
                workspace,
                case.cube.invocations,
                copies=copies,
                by_engine=runner.protects_inputs,
            )
        except Violation as violation:
            return TaskRun(case=case, workspace=workspace, not_ready=violation)
        case = replace(case, invocation=ready)
        with self.plugins.running(case, workspace) as ended:
            run = self._start(placement, case, image, copies)
            ended.append(run)
        return run

    def _stage(self, placement: Placement, case: Case) -> None:
        if placement.key not in self._staged:
            try:
                self._staged[placement.key] = stage(
                    placement.cube,
                    placement.cube.invocations,
                    self.workspace_of(placement),
                )
            except MachineError as error:
                self._staged[placement.key] = error
        wrong = self._staged[placement.key]
        if isinstance(wrong, MachineError):
            raise wrong
        if case.invocation.name in wrong:
            raise wrong[case.invocation.name]

    def _start(
        self, placement: Placement, case: Case, image: Image, copies: Path
    ) -> TaskRun:
        job = Job(
            case=case,
            image=image,
            runner=self.runner(placement.platform.kind),
            workspace=self.workspace_of(placement),
            copies=copies,
            logs=self.folder_of(placement) / case.invocation.name,
            options=self.options,
            watch=self.watch,
            stores_snapshots=self.stores_snapshots,
            asks_network=True,
            looks_around=self.depth.goes_to("L3"),
        )
        return self.start(job, self._runs_so_far(placement))

    def start(
        self, job: Job, earlier: Iterable[TaskRun] = (), *, further: str = ""
    ) -> TaskRun:
        """Run a task that is ready, and record it.

        Args:
            job: The task.
            earlier: What ran in the same workspace before.
            further: What tells the run from others of the same case.

        Raises:
            MachineError: The platform is at fault.
        """
        name = f"{job.case.id}.{further}" if further else job.case.id
        told = self._told("run", name, stdout=str(job.stdout))
        with told as found:
            run = run_and_look(job, earlier)
            if run.not_started is not None:
                found.update(error_facts(run.not_started))
            else:
                found.update(run_facts(run, self._pictures))
                self.spent += run.ended.seconds
        return run

    def _runs_so_far(self, placement: Placement) -> list[TaskRun]:
        found = (self._runs.get(each.key) for each in placement.all_cases)
        return [each for each in found if isinstance(each, TaskRun)]

    def run_of(self, case: Case) -> TaskRun | None:
        """Return the result of a case so far; runs nothing."""
        found = self._runs.get(case.key)
        return found if isinstance(found, TaskRun) else None

    def forget(self, placement: Placement) -> None:
        """Let all of a placement take place again, as it would the first time.

        Its tasks share a workspace, and any may have spoilt what others brought:
        only a fresh one shows what a task does. A workspace of the user stays as it is.
        """
        for case in placement.all_cases:
            self._runs.pop(case.key, None)
        self._staged.pop(placement.key, None)
        if isinstance(self._images.get(placement.key), Exception):
            del self._images[placement.key]
        if isinstance(self._runners.get(placement.platform.kind), MachineError):
            del self._runners[placement.platform.kind]
        remove_tree(self.folder_of(placement) / "given")
        if self.workspace is None:
            remove_tree(self.workspace_of(placement))

    def failed(self, placement: Placement) -> bool:
        """Say whether the image, or any task that ran, came to nothing."""
        runs = (self._runs.get(each.key) for each in placement.all_cases)
        found = (self._images.get(placement.key), *runs)
        return any(
            isinstance(each, Exception)
            or (isinstance(each, TaskRun) and not each.is_sound)
            for each in found
        )

    def trouble_of(self, placement: Placement) -> Exception | None:
        """Return why there is no image of a placement, where one was asked for."""
        found = self._images.get(placement.key)
        return found if isinstance(found, Exception) else None

    def begun(self, placements: Iterable[Placement]) -> list[Placement]:
        """Return the placements that this process has worked on."""
        return [each for each in placements if each.key in self._images]

    def remove_leftovers(self, kinds: Iterable[str]) -> None:
        """Remove leftovers of finished runs on these kinds of platform."""
        for kind in kinds:
            with suppress(MachineError):
                self.runner(kind)
        self.close()

    def remove_folder(self, placement: Placement) -> None:
        """Remove the logs of a placement, and its workspace if it was made for it."""
        remove_tree(self.folder_of(placement))

    def remove_empty_folders(self) -> None:
        """Remove the folders of cubes in which nothing was kept."""
        for folder in self.folder.glob("*"):
            with suppress(OSError):
                folder.rmdir()

    def kept_something(self) -> bool:
        """Say whether logs or workspaces were kept, beside the record."""
        return any(each.is_dir() for each in self.folder.glob("*"))

    def close(self) -> None:
        """Stop what still runs, and release each platform, whatever another raises."""
        with ExitStack() as closing:
            closing.callback(self._runners.clear)
            for runner in self._runners.values():
                if not isinstance(runner, MachineError):
                    closing.callback(runner.close)


def _engine(runner: Runner) -> str:
    """Return what a runner says of its engine; other packages' may say nothing."""
    tell = getattr(runner, "engine", None)
    return str(tell()) if callable(tell) else ""
