"""The hooks of a pytest session that tests cubes; registered for `--cube` alone."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from mlcube_conformance import __version__
from mlcube_conformance.base.errors import (
    ConformanceError,
    MachineError,
    Message,
    UsageError,
    Violation,
    without_paths,
)
from mlcube_conformance.base.faults import fault_of_ours
from mlcube_conformance.base.files import is_folder, is_no_utf8, is_there
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.interrupts import Interrupts
from mlcube_conformance.base.names import FOLDER, new_run_id
from mlcube_conformance.base.text import command_line, mask, plain, visible
from mlcube_conformance.formats.loaded import LoadedCube
from mlcube_conformance.model import Case
from mlcube_conformance.options import options_of, runner_options
from mlcube_conformance.plan.order import Comparison, Placement
from mlcube_conformance.plan.selection import (
    CheckedPlatform,
    select,
)
from mlcube_conformance.plan.values import hide_values
from mlcube_conformance.plan.workspace import make_folder
from mlcube_conformance.plan.workspace_lock import only_run_in
from mlcube_conformance.results.finding import Finding
from mlcube_conformance.results.summary import said_nothing, skips
from mlcube_conformance.runners.about import about
from mlcube_conformance.runners.common.container import resources
from mlcube_conformance.suites.again import again_for_cube
from mlcube_conformance.suites.cube.choice import PlatformChoice
from mlcube_conformance.suites.cube.execution import Execution
from mlcube_conformance.suites.cube.facts import cube_facts, subject_of
from mlcube_conformance.suites.cube.ordering import Ordering
from mlcube_conformance.suites.cube.plugins import Plugins
from mlcube_conformance.suites.hooks import (
    attach,
    begin_record,
    clause_id,
    is_decisive,
    keep_finding,
    keeps_record,
    record_of,
    verdict_of,
)
from mlcube_conformance.suites.options import value
from mlcube_conformance.suites.reruns import Reruns
from mlcube_conformance.suites.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from mlcube_conformance.plan.selection import Selection

__all__ = ["ConformanceSession"]

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

        def asked(name: str) -> Any:  # noqa: ANN401 - as its row says
            return value(config, name, "cube")

        for each in options_of("cube"):
            if each.secret:
                hide_values(config.getoption(each.destination))
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
            variables=options.environment,
        )
        self._ordering = Ordering(self.selection)
        _refuse_names_for_workers(config, self.selection)
        workspace = _workspace(asked("--workspace"))
        if workspace and len(self.selection.placements) > 1:
            raise _one_placement(len(self.selection.placements))
        self.plugins = Plugins(config)
        run_id = getattr(config, "workerinput", {}).get("mlcube_run_id") or new_run_id()
        self.execution = Execution(
            run_id=run_id,
            folder=config.invocation_params.dir / FOLDER / run_id,
            options=options,
            watch=Terminal(config).watch(
                live=asked("--live"), keeps_logs=self._keep != "none"
            ),
            plugins=self.plugins,
            workspace=workspace,
        )
        self.record = record_of(config, self.execution.folder)
        self.execution.record = self.record
        self._failed: set[object] = set()
        self._told: set[str] = set()
        self._reruns = Reruns("mlcube_subject")
        config.pluginmanager.register(self._reruns, "mlcube_reruns")
        self._held = ExitStack()
        self._interrupts = Interrupts(self.execution.watch.note)
        self._interrupted = False
        self._said_nothing = ""
        self._deselected = 0
        self._hashed: set[Path] = set()

    def placement_of(self, subject: Placement | Case) -> Placement:
        """Return the placement that a case belongs to; a placement is its own."""
        if isinstance(subject, Placement):
            return subject
        return self._ordering.placement_of(subject)

    # Hooks, in the order in which pytest calls them.

    def pytest_report_header(self) -> list[str]:
        """Say what is tested, and where logs and workspaces are."""
        lines = [
            f"mlcube-conformance {__version__}: {each.id}: "
            + (", ".join(case.invocation.name for case in each.cases) or "no case")
            for each in self.selection.placements
        ]
        lines += self._choice.header()
        kinds = {each.platform.kind for each in self.selection.placements}
        lines += [
            f"mlcube-conformance: {kind} isolates nothing: tasks run as you, with your "
            "files and network"
            for kind in sorted(kinds)
            if (known := about(kind)) and not known.isolates
        ]
        lines += [
            f"mlcube-conformance: {each.id} runs with "
            + ", ".join(f"{name}={value}" for name, value in gets.items())
            for each in self.selection.placements
            if (gets := resources(each.platform, self.execution.options))
        ]
        if not self._config.getoption("collectonly"):
            lines.append(
                f"mlcube-conformance: logs and workspaces in {self.execution.folder} "
                f"(kept: {self._keep})"
            )
        for cube in self.selection.cubes:
            lines += [f"warning: {' '.join(str(w).split())}" for w in cube.warnings]
        return [visible(mask(line)) for line in lines]

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
        begin_record(self.record, self._config, "cube", run=self.execution.run_id)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - of xdist
        """Tell a worker of pytest-xdist the name of the run."""
        node.workerinput["mlcube_run_id"] = self.execution.run_id
        node.workerinput["mlcube_platforms"] = list(self._choice.platforms)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - of xdist
        """Take what a worker counted."""
        output = getattr(node, "workeroutput", {})
        self._deselected += output.get("mlcube_deselected", 0)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:  # noqa: ANN401 - of xdist
        """Deal tests out so that those of a cube on a platform share a worker."""
        from mlcube_conformance.suites.cube.scheduling import PlacementScheduling  # noqa: PLC0415

        return PlacementScheduling(
            config,
            log,
            [each.id for each in self.selection.placements],
            {
                comparison.id: [each.placement_id for each in comparison.cases]
                for comparison in self.selection.comparisons
            },
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Drop the tests without a subject before they are counted."""
        report = yield
        report.result = [each for each in report.result if not _has_no_subject(each)]
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Order the tests as the data flows."""
        places = [index for index, each in enumerate(items) if _subject(each)]
        ours = sorted((items[index] for index in places), key=self._place)
        for index, item in zip(places, ours, strict=True):
            items[index] = item

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Count what an option such as `-k` left out."""
        self._deselected += len(items)

    def _place(self, item: pytest.Item) -> tuple[int, ...]:
        """Sort by what a test looks at; those of a case, by their clause."""
        subject = _subject(item)
        place = self._ordering.place_of(subject)
        if not isinstance(subject, (Case, Placement)):
            return place
        return (*place, self._ordering.place_of_clause(clause_id(item)))

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Run what the test looks at; show a fault of the machine once only."""
        subject = _subject(item)
        if self._reruns.begin(item):
            self._forget(item, subject)
        elif isinstance(subject, (Case, Placement, Comparison)):
            item.user_properties.append((_CASE_PROPERTY, subject.id))
        self._record_cube(subject)
        try:
            self._prepare(item, subject)
        except ConformanceError as error:
            if str(error) in self._told:
                pytest.skip(visible(f"not run: {error.messages[0].what}"))
            self._told.add(str(error))
            item.stash[_TOLD] = str(error)
            raise
        except KeyboardInterrupt:
            # In the middle of a wait, its traceback says nothing to a user.
            pytest.exit("interrupted", returncode=pytest.ExitCode.INTERRUPTED)

    def _record_cube(self, subject: object) -> None:
        """Record what a cube is, before anything of it runs."""
        cube = getattr(subject, "cube", None)
        if cube is not None and cube.root not in self._hashed:
            self._hashed.add(cube.root)
            self.record.event("cube", **cube_facts(cube))

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
            except MachineError as error:
                if str(error) not in self._told:
                    raise

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Show our errors as their message alone, and how to run the case again."""
        report = yield
        error = call.excinfo.value if call.excinfo else None
        error = fault_of_ours(error) or error
        subject, facts = _subject(item), []
        if report.failed:
            if isinstance(subject, Case):
                self._failed.add(subject.placement_key)
            elif isinstance(subject, Placement):
                self._failed.add(subject.key)
            elif isinstance(subject, Comparison):
                self._failed |= {each.placement_key for each in subject.cases}
            if isinstance(error, (Violation, ConformanceError)):
                facts = self._facts(item, subject)
                shown = (f"  {label + ':':<10}{text}" for label, text in facts)
                report.longrepr = "\n".join([self._told_as(error), *map(plain, shown)])
        _mask_report(report)
        if is_decisive(report):
            attach(report, _finding(item, report, error, facts))
        return report

    def _told_as(self, error: Violation | ConformanceError) -> str:
        """Return the text of an error; it names no file that will be gone."""
        if self._keep != "none":
            return str(error)
        messages = without_paths(error, self.execution.folder)
        return "\n\n".join(map(str, messages))

    def _facts(self, item: pytest.Item, subject: object) -> list[tuple[str, str]]:
        """Return the clause that was broken, and how to look at the case."""
        facts = []
        for mark in item.iter_markers("clause"):
            name = str(mark.args[0])
            broken = self.plugins.clause(name)
            facts.append(("clause", f"{name}: {broken.sentence}" if broken else name))
        if isinstance(subject, (Case, Placement)):
            facts.append(("again", again_for_cube(self._config, item, (subject,))))
        if isinstance(subject, Comparison):
            again = again_for_cube(self._config, item, subject.cases)
            facts.append(("again", again))
        return [*facts, *self._files(subject)]

    def _files(self, subject: object) -> list[tuple[str, str]]:
        """Return where the files of a case will be, and the command that used them."""
        cases = getattr(subject, "cases", (subject,))
        runs = [
            run
            for each in cases
            if isinstance(each, Case) and (run := self.execution.run_of(each))
        ]
        if runs and self._keep == "none" and self.execution.workspace is None:
            return [("files", "removed, as --keep none asks")]
        by_hand = [
            ("by hand", mask(command_line(run.result.command)))
            for run in runs
            if run.result and isinstance(subject, Case) and self._keep != "none"
        ]
        return [*by_hand, *(("files", str(run.workspace)) for run in runs)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test found; workers send it to their controller."""
        keep_finding(self.record, self._config, report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """End what still runs, remove what need not be kept, refuse to say nothing."""
        if not self._has_workers():
            self._clean_up(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
        if hasattr(self._config, "workerinput"):
            output: dict[str, int] = getattr(self._config, "workeroutput", {})
            output["mlcube_deselected"] = self._deselected
        else:
            # Not in a worker: others may be about to make their folders.
            self.execution.remove_empty_folders()
        if exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            asked = not self._config.getoption("collectonly")
            if asked:
                self._said_nothing = said_nothing(
                    self.record.findings, self._deselected
                )
            if self._said_nothing:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if keeps_record(self._config):
            self.record.end(int(session.exitstatus))

    def _has_workers(self) -> bool:
        return self._config.pluginmanager.hasplugin("dsession")

    def _clean_up(self, *, interrupted: bool) -> None:
        self.execution.close()
        # Other workers may be at work on the other placements.
        for placement in self.execution.begun(self.selection.placements):
            kept = self._keep == "all" or (
                self._keep == "failed"
                and (
                    interrupted
                    or placement.key in self._failed
                    or self.execution.failed(placement)
                )
            )
            if not kept:
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
        for line in self._choice.summary():
            write(line)
        for reason, count in skips(self.record.findings).most_common():
            write(f"mlcube-conformance: {count} skipped: {reason}")
        if self._said_nothing:
            write(f"mlcube-conformance: {self._said_nothing}: this run fails", red=True)
        if self.execution.kept_something():
            write(f"mlcube-conformance: kept {self.execution.folder}")
        if self.record.trouble:
            write(f"mlcube-conformance: no record: {self.record.trouble}", red=True)


def _workspace(given: str | None) -> Path | None:
    if given is None:
        return None
    path = given_path(given, "--workspace")
    if is_there(path) and not is_folder(path):
        raise UsageError(
            Message(
                what="--workspace is not a folder",
                where="--workspace",
                found=str(path),
                expected="a new or existing folder",
                do="fix the path",
            )
        )
    return path


def _one_placement(count: int) -> UsageError:
    return UsageError(
        Message(
            what="--workspace needs one cube and one platform",
            where="--workspace",
            found=f"{count} of them",
            expected="one --cube and one --platform",
            do="run them one by one, or leave --workspace out",
        )
    )


def _refuse_names_for_workers(config: pytest.Config, selection: Selection) -> None:
    """Refuse to send to workers what pytest-xdist can send to none.

    Raises:
        UsageError: A name is not UTF-8, and workers are asked for.
    """
    if config.getoption("dist", "no") == "no":
        return
    names = [
        *(str(config.invocation_params.dir), *map(str, config.invocation_params.args)),
        *(str(each.cube.root) for each in selection.cubes),
    ]
    for name in names:
        if is_no_utf8(name):
            raise UsageError(
                Message(
                    what="pytest workers accept UTF-8 names only",
                    where=visible(name),
                    found="-n, and a name of other bytes",
                    expected="names in UTF-8, or a run without workers",
                    do="leave -n out, or rename the folder",
                )
            )


def _subject(item: pytest.Item | pytest.Collector) -> Any:  # noqa: ANN401 - a cube, platform or case
    callspec = getattr(item, "callspec", None)
    subject = callspec.params.get("mlcube_subject") if callspec else None
    kinds = (LoadedCube, CheckedPlatform, Placement, Case, Comparison)
    return subject if isinstance(subject, kinds) else None


def _has_no_subject(item: pytest.Item | pytest.Collector) -> bool:
    """Say whether pytest made the item only because there is no value for it."""
    callspec = getattr(item, "callspec", None)
    return (
        callspec is not None
        and "mlcube_subject" in callspec.params
        and _subject(item) is None
    )


def _finding(
    item: pytest.Item,
    report: pytest.TestReport,
    error: BaseException | None,
    facts: list[tuple[str, str]],
) -> Finding:
    verdict, reason = verdict_of(report, error)
    messages = (
        error.messages if isinstance(error, (Violation, ConformanceError)) else ()
    )
    return Finding(
        subject=subject_of(_subject(item)),
        clause=clause_id(item),
        verdict=verdict,
        reason=reason,
        messages=messages,
        facts=dict(facts),
        test=item.nodeid,
        seconds=round(report.duration, 3),
    )


def _mask_report(report: pytest.TestReport) -> None:
    """Hide secrets in what a test of the user's own shows, too."""
    report.sections = [(name, mask(text)) for name, text in report.sections]
    if isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.longrepr = (path, line, mask(reason))
    elif report.longrepr is not None:
        # As it is, with its colours, where there is nothing to hide.
        shown = report.longreprtext
        if mask(shown) != shown:
            report.longrepr = mask(shown)
