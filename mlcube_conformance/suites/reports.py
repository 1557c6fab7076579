"""Reports that a run writes at its end, and what a workflow of GitHub shows of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import ConformanceError
from mlcube_conformance.base.faults import telling_faults
from mlcube_conformance.base.text import visible
from mlcube_conformance.results.annotations import github_commands
from mlcube_conformance.results.formats import reporters
from mlcube_conformance.results.overview import Overview
from mlcube_conformance.results.report import Report
from mlcube_conformance.suites.hooks import fail_run, file_to_write, write_asked

if TYPE_CHECKING:
    from mlcube_conformance.results.record import Record

__all__ = ["Reports"]

#: Variables of GitHub: whether it is one, where a summary goes, the repository.
_IS_GITHUB, _SUMMARY, _ROOT = (
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_WORKSPACE",
)
#: Annotations of a run: GitHub shows ten of a step.
_MOST = 50


def _why(error: ConformanceError | OSError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    message = error.messages[0]
    return ": ".join(filter(None, (message.what, message.found)))


class Reports:
    """Writes reports from the record, once it is whole."""

    def __init__(self, config: pytest.Config, record: Record) -> None:
        """Look where reports go.

        Raises:
            UsageError: One cannot be written there.
        """
        given: list[str] = config.getoption("mlcube_report")
        known = tuple(reporters())
        self.written: list[Path] = []
        """Reports that are there."""
        self._files = [file_to_write("--report", "report", x, known) for x in given]
        self._folder = config.invocation_params.dir
        self._record = record
        self._shown: Report | None = None
        self._said: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports; the sessions have ended the record."""
        if self._record.trouble:
            self._said.append(f"no record: {self._record.trouble}: this run fails")
            fail_run(session)
        summary = os.environ.get(_SUMMARY)
        on_github = os.environ.get(_IS_GITHUB) == "true"
        if self._record.whole is None or not (self._files or summary or on_github):
            return
        overview = Overview(self._record.whole)
        root = Path(os.environ.get(_ROOT) or self._folder) if on_github else None
        self._shown = Report(overview=overview, folder=root or self._folder)
        for file in self._files:
            self._write(session, self._shown, file)
        if summary:
            self._add(self._shown, Path(summary))

    def _write(self, session: pytest.Session, shown: Report, file: Path) -> None:
        try:
            with telling_faults():
                text = reporters()[file.suffix](shown)
        except ConformanceError as error:
            self._said.append(f"no report in {file}: {_why(error)}: this run fails")
            fail_run(session)
        else:
            said = write_asked(session, "report", file, text)
            self._said.append(said.line)
            self.written += [file] if said.is_written else []

    def _add(self, shown: Report, summary: Path) -> None:
        """Add to the summary of GitHub, which nobody asked for: it decides nothing."""
        try:
            with telling_faults():
                text = reporters()[".md"](shown)
            with summary.open("a", encoding="utf-8") as opened:
                opened.write(text)
        except (ConformanceError, OSError) as error:
            self._said.append(f"no summary in {summary}: {_why(error)}")

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Say where the reports are; on GitHub, show failures beside their lines."""
        for line in self._said:
            terminalreporter.write_line(f"mlcube-conformance: {visible(line)}")
        if self._shown is not None and os.environ.get(_IS_GITHUB) == "true":
            commands = github_commands(self._shown.flaws[:_MOST], self._shown.folder)
            for command in commands:
                terminalreporter.ensure_newline()
                terminalreporter.write_line(command)
