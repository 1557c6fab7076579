"""The hooks of a pytest session that tests cubes; registered for `--cube` alone."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import (
    ConformanceError,
    MachineError,
    Unsupported,
    Violation,
)
from mlcube_conformance.base.interrupts import Interrupts
from mlcube_conformance.base.names import FOLDER, new_run_id
from mlcube_conformance.base.text import visible
from mlcube_conformance.formats.given import Given
from mlcube_conformance.formats.profile import load_profile
from mlcube_conformance.model import Case
from mlcube_conformance.options import runner_options
from mlcube_conformance.plan.order import Comparison, Placement
from mlcube_conformance.plan.selection import select
from mlcube_conformance.plan.workspace import make_folder
from mlcube_conformance.plan.workspace_lock import only_run_in
from mlcube_conformance.results.old_runs import remove_old_runs
from mlcube_conformance.results.summary import left_out, said_nothing
from mlcube_conformance.suites.cube.choice import PlatformChoice
from mlcube_conformance.suites.cube.clause_marks import ClauseMarks
from mlcube_conformance.suites.cube.depth import Depth
from mlcube_conformance.suites.cube.execution import Execution
from mlcube_conformance.suites.cube.expected import expect_failures, refuse_unknown
from mlcube_conformance.suites.cube.facts import cube_facts
from mlcube_conformance.suites.cube.failures import Failures
from mlcube_conformance.suites.cube.further import Further
from mlcube_conformance.suites.cube.garbage import freeze_what_is_read
from mlcube_conformance.suites.cube.header import header
from mlcube_conformance.suites.cube.left_files import LeftFiles, NothingRuns
from mlcube_conformance.suites.cube.levels import Reached, levels_of
from mlcube_conformance.suites.cube.ordering import Ordering
from mlcube_conformance.suites.cube.plugins import Plugins
from mlcube_conformance.suites.cube.refusals import (
    refuse_names_for_workers,
    workspace_asked,
)
from mlcube_conformance.suites.cube.subjects import (
    has_no_subject,
    placement_keys,
    subject_of_item,
)
from mlcube_conformance.suites.cube.unseen import Unseen
from mlcube_conformance.suites.cube.workers import Workers
from mlcube_conformance.suites.hooks import (
    begin_record,
    keep_finding,
    keeps_record,
    record_of,
)
from mlcube_conformance.suites.options import asker
from mlcube_conformance.suites.reruns import Reruns
from mlcube_conformance.suites.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from mlcube_conformance.plan.selection import Selection

__all__ = ["ConformanceSession"]

_GREEN = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
_CASE_PROPERTY = "mlcube_case"
_CASE_FIXTURES = {"attempt", "task_run"}
#: The fault of the machine that a test reported, so others need not.
_TOLD = pytest.StashKey[str]()


class ConformanceSession:
    """What one pytest session tests and has run so far."""

    def __init__(self, config: pytest.Config) -> None:
        """Read the cubes that the command line asks for.

        Raises:
            UsageError: Something that was asked for does not exist.
        """
        asked = asker(config, "cube")
        options = runner_options("cube", lambda row: config.getoption(row.destination))
        self._config = config
        self._keep: str = asked("--keep")
        self._choice = PlatformChoice.of(config)
        self.selection: Selection = select(
            asked("--cube"),
            self._choice.platforms,
            asked("--task"),
            asked("--parameter"),
            optional=asked("--optional"),
            given=Given(options.environment, asked("--build-context")),
            nowhere=asked("--check-only"),
        )
        self._ordering = Ordering(self.selection)
        freeze_what_is_read(config)
        refuse_names_for_workers(config, self.selection)
        workspace = workspace_asked(
            asked("--workspace"),
            len(self.selection.placements),
            check_only=asked("--check-only"),
        )
        profile = "strict" if asked("--fail-on-should") else asked("--profile")
        self.plugins = Plugins(config)
        self.depth = Depth(
            asked("--level"),
            load_profile(profile),
            asked("--max-image-size"),
            self.plugins.clause,
        )
        refuse_unknown(self.selection, self.plugins)
        run_id = getattr(config, "workerinput", {}).get("mlcube_run_id") or new_run_id()
        if asked("--check-only"):
            config.pluginmanager.register(NothingRuns(), "mlcube_nothing_runs")
        self.terminal = Terminal(config)
        execution = LeftFiles if asked("--check-only") else Execution
        self.execution = execution(
            run_id=run_id,
            folder=config.invocation_params.dir / FOLDER / run_id,
            options=options,
            watch=self.terminal.watch(
                live=asked("--live"), keeps_logs=self._keep != "none"
            ),
            plugins=self.plugins,
            workspace=workspace,
            max_timeouts=asked("--max-timeouts"),
            depth=self.depth,
            stores_snapshots=asked("--update-snapshots"),
        )
        self.record = record_of(config, self.execution.folder)
        self.execution.record = self.record
        self.further = Further(self.execution, self.placement_of)
        self._failures = Failures(
            config=config,
            execution=self.execution,
            plugins=self.plugins,
            keep=self._keep,
        )
        self._unseen = Unseen(
            execution=self.execution,
            placements=self.selection.placements,
            depth=self.depth,
        )
        self._failed: set[object] = set()
        self._told: set[str] = set()
        self._workers = Workers(
            config=config,
            selection=self.selection,
            platforms=self._choice.platforms,
            run_id=run_id,
            unseen=self._unseen,
        )
        config.pluginmanager.register(self._workers, "mlcube_workers")
        config.pluginmanager.register(
            ClauseMarks(config, self.plugins.clause), "mlcube_marks"
        )
        self._reruns = Reruns("mlcube_subject")
        config.pluginmanager.register(self._reruns, "mlcube_reruns")
        self._held = ExitStack()
        self._interrupts = Interrupts(self.execution.watch.note)
        self._interrupted = False
        self._said_nothing = ""
        self._levels: list[Reached] = []

    def placement_of(self, subject: Placement | Case) -> Placement:
        """Return the placement that a case belongs to; a placement is its own."""
        if isinstance(subject, Placement):
            return subject
        return self._ordering.placement_of(subject)

    # Hooks, in the order in which pytest calls them.

    def pytest_report_header(self) -> list[str]:
        """Say what is tested, and where logs and workspaces are."""
        idle = ("collectonly", "mlcube_check_only")
        kept = "" if any(map(self._config.getoption, idle)) else self._keep
        return header(self.selection, self._choice, self.execution, kept)

    def pytest_sessionstart(self) -> None:
        """Let a request to end be an interrupt, so containers are removed."""
        self._interrupts.take()
        workspace = self.execution.workspace
        if workspace and keeps_record(self._config):
            try:
                make_folder(workspace)
                self._held.enter_context(only_run_in(workspace))
            except ConformanceError as error:
                raise pytest.UsageError(str(error)) from error
        kept = {"keep": "all" if workspace else self._keep}
        run_id = self.execution.run_id
        begin_record(self.record, self._config, "cube", run=run_id, **kept)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Drop the tests without a subject before they are counted."""
        report = yield
        report.result = [each for each in report.result if not has_no_subject(each)]
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Order the tests as the data flows; mark those that are expected to fail."""
        self._ordering.sort(items)
        expect_failures(items)

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Run what the test looks at; show a fault of the machine once only."""
        subject = subject_of_item(item)
        if self._reruns.begin(item):
            self._forget(item, subject)
        elif isinstance(subject, (Case, Placement, Comparison)):
            item.user_properties.append((_CASE_PROPERTY, subject.id))
        cube = getattr(subject, "cube", None)
        if cube is not None and self.record.is_new(cube.place):
            self.record.event("cube", **cube_facts(cube))  # Before anything of it runs.
        try:
            self._prepare(item, subject)
        except Unsupported:
            raise  # Each test says so.
        except ConformanceError as error:
            if str(error) in self._told:
                pytest.skip(visible(f"not run: {error.messages[0].what}"))
            self._told.add(str(error))
            item.stash[_TOLD] = str(error)
            raise
        except KeyboardInterrupt:
            # In the middle of a wait, its traceback says nothing to a user; where the
            # signal came between two lines, pytest fails to show it (Python 3.11).
            code = pytest.ExitCode.INTERRUPTED
            raise pytest.exit.Exception("interrupted", returncode=code) from None

    def _forget(self, item: pytest.Item, subject: object) -> None:
        """Let all that a test looked at take place again."""
        self._told.discard(item.stash.get(_TOLD, ""))
        if isinstance(subject, (Placement, Case)):
            self.execution.forget(self.placement_of(subject))
        elif isinstance(subject, Comparison):
            for each in subject.cases:
                self.execution.forget(self.placement_of(each))

    def _prepare(self, item: pytest.Item, subject: object) -> None:
        names = set(getattr(item, "fixturenames", ()))
        if isinstance(subject, Case) and names & _CASE_FIXTURES:
            self.execution.run(self.placement_of(subject), subject)
        elif isinstance(subject, Comparison):
            self._run_all(subject.cases)
        elif "configured" in names and isinstance(subject, (Placement, Case)):
            try:
                self.execution.image(self.placement_of(subject))
            except Violation:
                return  # The fixture raises it, in the test that asks for it.

    def _run_all(self, cases: Sequence[Case]) -> None:
        """Run cases; a known fault of one platform keeps no other back."""
        for case in cases:
            try:
                self.execution.run(self.placement_of(case), case)
            except (MachineError, Unsupported) as error:
                if isinstance(error, MachineError) and str(error) not in self._told:
                    raise

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Show our errors as their message alone, and how to run the case again."""
        report = yield
        error = call.excinfo.value if call.excinfo else None
        self._failures.conclude(report, item, error)
        if report.failed:
            self._failed |= placement_keys(subject_of_item(item))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test found; workers send it to their controller."""
        keep_finding(self.record, self._config, report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """End what still runs, remove what need not be kept, refuse to say nothing."""
        if not self._has_workers():
            self._clean_up(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
        if hasattr(self._config, "workerinput"):
            self._workers.send()
        else:
            self.execution.remove_empty_folders()  # Workers may be making theirs.
        is_green = exitstatus in _GREEN
        if is_green and not self._config.getoption("collectonly"):
            self._said_nothing = said_nothing(
                self.record.findings, self._workers.deselected
            )
        fails = keeps_record(self._config) and self._unseen.settle(self.record)
        if is_green and (self._said_nothing or fails):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if keeps_record(self._config):
            self._levels = levels_of(self.selection.placements, self.record, self.depth)
            self.record.end(int(session.exitstatus))
            kept = asker(self._config, "cube")("--keep-runs")
            if kept is not None:
                remove_old_runs(self._config.invocation_params.dir, kept)

    def _has_workers(self) -> bool:
        return self._config.pluginmanager.hasplugin("dsession")

    def _clean_up(self, *, interrupted: bool) -> None:
        self.execution.close()
        # Workers may be at work on others.
        for placement in self.execution.begun(self.selection.placements):
            failed = placement.key in self._failed or self.execution.failed(placement)
            failed = failed or interrupted
            if self._keep != "all" and not (self._keep == "failed" and failed):
                self.execution.remove_folder(placement)

    def pytest_keyboard_interrupt(self) -> None:
        """Remember that workers were ended from outside."""
        self._interrupted = True

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Remove what workers that were interrupted had no time to remove."""
        self._interrupts.give_back()
        self._held.close()
        if self._interrupted and self._has_workers():
            kinds = {each.platform.kind for each in self.selection.placements}
            self.execution.remove_leftovers(kinds)

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Say what was chosen and kept, and when a run showed nothing."""
        write = terminalreporter.write_line
        for line in (*self._choice.summary(), *left_out(self.record.findings)):
            write(line)
        self._unseen.write(terminalreporter, self._failures.text)
        for reached in self._levels:
            write(f"mlcube-conformance: {reached}")
        if self._said_nothing:
            write(f"mlcube-conformance: {self._said_nothing}: this run fails", red=True)
        if self.execution.kept_something():
            write(f"mlcube-conformance: kept {self.execution.folder}")
