"""Pytest's reporter, which shows tests of cubes as one line for each task."""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from mlcube_conformance import __version__
from mlcube_conformance.base.text import visible
from mlcube_conformance.results.finding import in_numbers, passed_failed_errors
from mlcube_conformance.results.overview import BAD, EVERYWHERE, Overview
from mlcube_conformance.results.record import lines_of, read_lines, whole
from mlcube_conformance.results.screen import Screen
from mlcube_conformance.suites.cube.facts import subject_of
from mlcube_conformance.suites.cube.subjects import subject_of_item
from mlcube_conformance.suites.hooks import clause_id, finding_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from mlcube_conformance.results.overview import Check, Part
    from mlcube_conformance.suites.cube.session import ConformanceSession

__all__ = ["TaskReporter", "show_tasks"]

_DEFINITION, _NAME = "definition", "terminalreporter"
#: Verdicts that pytest counts as failures and errors.
_WRONG = ("failed", "error")
#: States that the last line counts, beside those that it begins with.
_TOLD = ("error", "warning", "expected failure", "unsupported", "not run")


def show_tasks(config: pytest.Config, session: ConformanceSession) -> None:
    """Let a line for each task take the place of a dot for each test."""
    known = config.pluginmanager.getplugin(_NAME)
    if known is None:
        return
    config.pluginmanager.unregister(known)
    reporter = TaskReporter(config, session)
    config.pluginmanager.register(reporter, _NAME)


@dataclass(slots=True)
class _Open:
    """A part whose tests are being reported."""

    key: tuple[str, str] = ("", "")
    findings: list[Mapping[str, Any]] = field(default_factory=list)


class TaskReporter(pytest.TerminalReporter):  # type: ignore[misc]
    """Shows our tests by task, and all other tests as pytest does.

    There is no hook for the lines of pytest's own, so plugins take its place.
    """

    def __init__(self, config: pytest.Config, session: ConformanceSession) -> None:
        """Take the place of pytest's own."""
        super().__init__(config, sys.stdout)
        self._cubes = session
        self._began = time.monotonic()
        self._ours: dict[str, str] = {}
        self._open: dict[str, _Open] = defaultdict(_Open)
        self._events: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._read = 0
        self._held: dict[str, Part] = {}
        self._shown: set[str] = set()
        self._heading: tuple[str, ...] = ()
        self._exit: pytest.Session | None = None
        self._screen = Screen(
            self._tw.fullwidth,
            folder=config.invocation_params.dir,
            colour=self._tw.hasmarkup,
            plain="utf" not in (getattr(sys.stdout, "encoding", "") or "utf").lower(),
        )

    # What pytest says before the first test.

    @property
    def showheader(self) -> bool:
        """Say whether pytest tells of itself."""
        return self.verbosity > 0

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Say what a user needs to know, and nothing of pytest."""
        self._exit = session
        super().pytest_sessionstart(session)
        if self.verbosity == 0:
            known = f"mlcube-conformance {__version__}: "  # the lines below say so
            for line in self._cubes.pytest_report_header():
                if not line.startswith(known):
                    self.write_line(line)

    def pytest_collection(self) -> None:
        """Count no tests while they are looked for."""
        if self.verbosity > 0:
            super().pytest_collection()

    def report_collect(self, final: bool = False) -> None:  # noqa: FBT001, FBT002 - of pytest
        """Say how many tests there are, where that is not all of them."""
        if self.verbosity > 0 or any(map(self.stats.get, ("error", "deselected"))):
            super().report_collect(final)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember which tests are ours, and what each is about."""
        self._ours = {
            each.nodeid: subject_of(subject_of_item(each)).id
            for each in getattr(session, "items", ())
            if subject_of_item(each) is not None and clause_id(each)
        }
        super().pytest_collection_finish(session)

    # What it says while they run.

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> Generator[None, tuple[str, Any, Any], tuple[str, Any, Any]]:
        """Show nothing for one of our tests."""
        category, sign, word = yield
        return (category, "", "") if _ours(report) else (category, sign, word)

    def pytest_runtest_logstart(
        self, nodeid: str, location: tuple[str, int | None, str]
    ) -> None:
        """Show the line of a task whose tests are over."""
        if nodeid not in self._ours:
            if not self._has_workers():
                super().pytest_runtest_logstart(nodeid, location)
            return
        part = self._open[""]
        subject = self._ours[nodeid]
        known = {each["subject"]["id"] for each in part.findings}
        if known and subject not in known and part.key[0]:
            self._close("")

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Show how far it is, after another test."""
        # Newer versions of pytest have none.
        shown = getattr(super(), "pytest_runtest_logfinish", None)
        if shown and nodeid not in self._ours and not self._has_workers():
            shown(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test found."""
        self._cubes.terminal.end()
        super().pytest_runtest_logreport(report)
        found = _ours(report)
        if not found:
            return
        about = found["subject"]
        is_definition = about["kind"] in {"cube", "platform"}
        key = ("", about["cube"]) if is_definition else (about["kind"], about["id"])
        node = getattr(report, "node", None)
        lane = node.gateway.id if node is not None else ""
        if lane and is_definition:  # Several workers have a part of these.
            lane = f"definitions of {about['cube']}"
        if self._open[lane].key != key:
            self._close(lane)
            self._open[lane] = _Open(key)
        self._open[lane].findings.append(found)

    def _has_workers(self) -> bool:
        return self.config.pluginmanager.hasplugin("dsession")

    def _close(self, lane: str) -> None:
        """Show the line of a part: all its tests were reported."""
        part = self._open.pop(lane, _Open())
        if not part.findings:
            return
        self._take_events()
        subject = part.findings[-1]["subject"]["id"]
        lines = [{"kind": "finding", **each} for each in part.findings]
        document = whole([*self._events[subject], *lines])
        for each in Overview(document).parts:
            if each.title == _DEFINITION and each.state not in BAD:
                self._held[each.cube] = each  # above the first platform of the cube
            else:
                self._show(each)

    def _show(self, part: Part) -> None:
        where = EVERYWHERE if part.title.endswith(f" {EVERYWHERE}") else part.column
        heading = tuple(filter(None, (part.cube, where)))
        if self.verbosity < 0 and part.state not in BAD:
            return
        self.ensure_newline()
        if heading != self._heading:
            self._heading = heading
            self._shown.add(part.cube)
            self.write(self._screen.heading(*heading), flush=True)
        held = self._held.pop(part.cube, None)
        for each in filter(None, (held, part)):
            text = self._screen.part(each, checks=self.verbosity > 0)
            self.write(text, flush=True)

    def _take_events(self) -> None:
        """Take what the record tells of runs and images since the last look."""
        lines = self._cubes.record.lines
        try:
            with lines.open("rb") as file:
                file.seek(self._read)
                data = file.read()
        except OSError:
            return
        data = data[: data.rfind(b"\n") + 1]
        self._read += len(data)
        for each in lines_of(data.decode(errors="replace")):
            if each["kind"] in {"configure", "run"}:
                self._events[str(each.get("subject"))].append(each)

    # What it says at the end.

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None]:
        """Show the lines of all parts that are still open."""
        self._cubes.terminal.end()
        for lane in [*self._open]:
            self._close(lane)
        for each in [*self._held.values()]:
            self._held.pop(each.cube)
            if each.cube not in self._shown:
                self._show(each)
        return (yield from super().pytest_sessionfinish(session, exitstatus))

    @contextmanager
    def _of_others(self) -> Iterator[None]:
        """Hide our reports from pytest."""
        stats = self.stats
        others = {
            name: [each for each in found if not _ours(each)]
            for name, found in stats.items()
        }
        self.stats = {name: found for name, found in others.items() if found}
        try:
            yield
        finally:
            self.stats = stats

    def summary_errors(self) -> None:
        """Show errors in other tests; ours are shown among the failures."""
        with self._of_others():
            super().summary_errors()

    def summary_passes(self) -> None:
        """Show, with -rP and -rA, what other tests wrote."""
        with self._of_others():
            super().summary_passes()

    def summary_failures(self) -> None:
        """Show where each cube stands on each platform, then each failure once."""
        overview = self._overview
        cubes = {each.cube for each in overview.parts}
        if self.verbosity >= 0 and max(len(overview.columns), len(cubes)) > 1:
            self.ensure_newline()
            self.write(f"{self._screen.matrix(overview)}\n")
        wrong = (
            self._screen.failure(self._title(found), str(report.longrepr))
            for report, found in self._wrong()
        )
        self.write("\n".join(wrong))
        with self._of_others():
            super().summary_failures()

    def short_test_summary(self) -> None:
        """Show a line for each test that failed."""
        for _, found in self._wrong():
            word = "ERROR" if found["verdict"] == "error" else "FAILED"
            told = visible(f"{found['reason']} ({found['clause']})")
            line = f"{word} {self._title(found)}: {told}"
            self.write(self._screen.line(line, "red"))
        with self._of_others():
            super().short_test_summary()

    def summary_stats(self) -> None:
        """Show in one line how all of it ended, and where to look."""
        with self._of_others():
            others = {*self.stats} - {"", "warnings", "deselected"}
        checks = [check for _, check in self._overview.checks if check.test]
        if others or not checks:
            super().summary_stats()
            fell = any(self.stats.get(name) for name in _WRONG)
            if self._exit_code() == pytest.ExitCode.TESTS_FAILED and not fell:
                self.write(self._screen.line("FAILED: see above", "bold red"))
            return
        text, style = self._verdict(checks)
        self.write(self._screen.line(text, style))

    def _verdict(self, checks: list[Check]) -> tuple[str, str]:
        counts = Counter(each.state for each in checks)
        passed, failed, errors = passed_failed_errors(counts)
        code = self._exit_code()
        if code == pytest.ExitCode.INTERRUPTED:
            more = f", {failed} failed" if failed else ""
            first = f"STOPPED after {len(checks) - counts['not run']} checks{more}"
        elif failed:
            first = f"FAILED {failed} of {len(checks)} checks"
        elif errors:
            counts["error"] = 0  # They are shown first.
            first = f"ERROR in {errors} of {len(checks)} checks"
        elif code:
            first = "FAILED without a failed check"
        else:
            first = f"PASSED {passed} checks"
        words = [first, *in_numbers(counts, _TOLD)]
        parts = [f"{', '.join(words)} in {time.monotonic() - self._began:.1f} s"]
        if code not in {0, pytest.ExitCode.INTERRUPTED} and not (failed or errors):
            parts.append("see above")
        folder = self._cubes.execution.folder
        if code and folder.exists():
            parts.append(f"logs: {folder}")
        reports = self.config.pluginmanager.getplugin("mlcube_reports")
        parts += [f"report: {each}" for each in getattr(reports, "written", ())[:1]]
        return self._screen.title(*parts), "bold red" if code else "bold green"

    @cached_property
    def _overview(self) -> Overview:
        """What the record says, once the run is over."""
        record = self._cubes.record
        return Overview(record.whole or whole(read_lines(record.lines)))

    def _exit_code(self) -> int:
        return int(self._exit.exitstatus) if self._exit else 0

    def _wrong(self) -> Iterator[tuple[pytest.TestReport, Mapping[str, Any]]]:
        """Yield our reports that pytest counts as wrong, with what they found."""
        for name in _WRONG:
            for report in self.stats.get(name, ()):
                found = _ours(report)
                if found:
                    yield report, found

    def _title(self, found: Mapping[str, Any]) -> str:
        about = found["subject"]
        return self._screen.title(about["cube"], about["platform"], about["task"])


def _ours(report: object) -> Mapping[str, Any] | None:
    """Return what a test of a clause of cubes found; None for any other test."""
    found = finding_of(report)
    return found if found and found["clause"] else None
