"""Reports that a run writes at its end, and what a workflow of GitHub shows of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import ConformanceError, Message, UsageError
from mlcube_conformance.base.faults import telling_faults
from mlcube_conformance.base.files import resolved
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.text import visible
from mlcube_conformance.base.writing import would_replace
from mlcube_conformance.formats.main_files import is_definition
from mlcube_conformance.results.annotations import github_commands
from mlcube_conformance.results.changes import Limits, baseline, changes, no_baseline
from mlcube_conformance.results.formats import reporters
from mlcube_conformance.results.overview import Overview
from mlcube_conformance.results.reading import read_record
from mlcube_conformance.results.report import Report
from mlcube_conformance.suites.hooks import fail_run, file_to_write, write_asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlcube_conformance.results.record import Record

__all__ = ["Reports"]

#: Variables of GitHub: whether it is one, where a summary goes, the repository.
_IS_GITHUB, _SUMMARY, _ROOT = (
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_WORKSPACE",
)
#: Options that name a file to write, and where pytest keeps what they got.
_WRITTEN = {
    "--record": "mlcube_record",
    "--report": "mlcube_report",
    "--scorecard": "mlcube_scorecard",
    "--junit-xml": "xmlpath",
}
#: Annotations of a run: GitHub shows ten of a step.
_MOST = 50


def _why(error: ConformanceError | OSError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    message = error.messages[0]
    return ": ".join(filter(None, (message.what, message.found)))


def _baseline(config: pytest.Config) -> Overview | None:
    """Return the run to compare with, if one is given.

    Raises:
        UsageError: It cannot be read, or is of the other suite, or only a comparison
            was asked for.
    """
    given = config.getoption("mlcube_baseline")
    if given is None:
        if config.getoption("mlcube_fail_on_regression"):
            raise no_baseline()
        return None
    suite = "runner" if config.getoption("mlcube_runner") else "cube"
    return baseline(read_record(given_path(given, "--baseline")), suite)


def _refuse_to_replace(config: pytest.Config, cubes: Sequence[Path]) -> None:
    """Refuse to write over a definition of a cube, or twice over one file.

    Raises:
        UsageError: An option asks for it.
    """
    found: dict[Path, str] = {}
    for option, name in _WRITTEN.items():
        given = config.getoption(name, None) or []
        for each in [given] if isinstance(given, str) else given:
            file = resolved(given_path(each, option))
            if any(is_definition(file, cube) for cube in cubes):
                raise would_replace(file, option)
            other = found.setdefault(file, option)
            if other != option:
                raise UsageError(
                    Message(
                        what=f"{other} and {option} name one file",
                        where=option,
                        found=str(each),
                        expected="a file of its own for each",
                        do="give one of them another name",
                    )
                )


class Reports:
    """Writes reports from the record, once it is whole."""

    def __init__(
        self, config: pytest.Config, record: Record, cubes: Sequence[Path] = ()
    ) -> None:
        """Look where reports go.

        Raises:
            UsageError: One cannot be written there.
        """
        _refuse_to_replace(config, cubes)
        given: list[str] = config.getoption("mlcube_report")
        known = tuple(reporters())
        self.written: list[Path] = []
        """Reports that are there."""
        self._files = [file_to_write("--report", "report", x, known) for x in given]
        self._folder = config.invocation_params.dir
        self._before = _baseline(config)
        self._fails_on_regression = config.getoption("mlcube_fail_on_regression")
        self._record = record
        self._shown: Report | None = None
        self._said: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports; the sessions have ended the record."""
        if self._record.trouble:
            self._said.append(f"cannot write {self._record.trouble}: this run fails")
            fail_run(session)
        summary = os.environ.get(_SUMMARY)
        on_github = os.environ.get(_IS_GITHUB) == "true"
        asked = self._files or summary or on_github or self._before
        if self._record.whole is None or not asked:
            return
        overview = Overview(self._record.whole)
        root = Path(os.environ.get(_ROOT) or self._folder) if on_github else None
        found = changes(self._before, overview, Limits()) if self._before else None
        self._shown = Report(
            overview=overview,
            folder=root or self._folder,
            changes=None if found is None else tuple(found),
        )
        self._said += [*self._regressions(self._shown)]
        if self._shown.regressions and self._fails_on_regression:
            fail_run(session)
        for file in self._files:
            self._write(session, self._shown, file)
        if summary:
            self._add(self._shown, Path(summary))

    def _regressions(self, shown: Report) -> Iterator[str]:
        """Say what got worse since the baseline, for what was tested in this run."""
        if shown.changes is None:
            return
        fails = ": this run fails" if self._fails_on_regression else ""
        for each in shown.regressions[:_MOST]:
            yield f"{each.kind}: {each.where}: {each.what}: {each.was} -> {each.now}"
        count = len(shown.regressions)
        yield (
            f"worse than the baseline: {count} of {len(shown.changes)} changes{fails}"
            if count
            else "nothing got worse since the baseline"
        )

    def _write(self, session: pytest.Session, shown: Report, file: Path) -> None:
        try:
            with telling_faults():
                text = reporters()[file.suffix](shown)
        except ConformanceError as error:
            self._said.append(f"cannot write {file}: {_why(error)}: this run fails")
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
