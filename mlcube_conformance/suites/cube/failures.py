"""What is shown and recorded of a test that failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    ConformanceError,
    Unsupported,
    Violation,
    without_paths,
)
from mlcube_conformance.base.faults import fault_of_ours
from mlcube_conformance.base.text import command_line, mask, plain, visible
from mlcube_conformance.clauses.naming import naming
from mlcube_conformance.model import Case
from mlcube_conformance.plan.order import Comparison, Placement
from mlcube_conformance.results.finding import Finding
from mlcube_conformance.suites.again import again_for_cube
from mlcube_conformance.suites.cube.expected import (
    expected_failure,
    is_met_after_all,
)
from mlcube_conformance.suites.cube.facts import subject_of
from mlcube_conformance.suites.cube.subjects import subject_of_item
from mlcube_conformance.suites.hooks import (
    UNSUPPORTED,
    attach,
    clause_id,
    is_decisive,
    is_unexpected_pass,
    verdict_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pytest

    from mlcube_conformance.base.errors import Message
    from mlcube_conformance.suites.cube.depth import Depth
    from mlcube_conformance.suites.cube.execution import Execution
    from mlcube_conformance.suites.cube.plugins import Plugins

    Fault = Violation | ConformanceError

__all__ = ["Failures", "mask_report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Shows what failed, and how to look at it."""

    config: pytest.Config
    execution: Execution
    plugins: Plugins
    keep: str

    def conclude(
        self,
        report: pytest.TestReport,
        item: pytest.Item,
        error: BaseException | None,
    ) -> None:
        """Let a report show what was found, and take it to the record."""
        error = fault_of_ours(error) or error
        facts: list[tuple[str, str]] = []
        _leave_out(report, item, error)
        if report.failed and isinstance(error, (Violation, ConformanceError)):
            facts = self._show(report, item, error)
        mask_report(report)
        if is_decisive(report):
            required = self.execution.depth.is_must(clause_id(item))
            attach(report, _finding(item, report, error, facts, required=required))
        self._show_met(report, item)
        _warn(report, item, error, self.execution.depth)

    def _show(
        self, report: pytest.TestReport, item: pytest.Item, error: Fault
    ) -> list[tuple[str, str]]:
        """Show an error as its message and its facts alone; return the facts."""
        facts = self._facts(item, subject_of_item(item))
        if isinstance(error, Violation):
            # What the machine did says nothing of the test that met it first.
            facts = [*self._broken(item), *facts]
        shown = (f"  {label + ':':<10}{text}" for label, text in facts)
        report.longrepr = "\n".join([self.text(error.messages), *map(plain, shown)])
        return facts

    def _show_met(self, report: pytest.TestReport, item: pytest.Item) -> None:
        """Show that a clause is met though its failure was expected, if so."""
        if report.failed and is_unexpected_pass(report):
            known = expected_failure(subject_of_item(item), clause_id(item))
            if known is not None:
                report.longrepr = str(is_met_after_all(known))

    def text(self, messages: Iterable[Message]) -> str:
        """Return the text of messages; it names no file that will be gone."""
        if self.keep == "none":
            messages = without_paths(messages, self.execution.folder)
        return "\n\n".join(map(str, messages))

    def _broken(self, item: pytest.Item) -> Iterator[tuple[str, str]]:
        """Yield the clauses that were broken, and what explains them."""
        for mark in item.iter_markers("clause"):
            name = str(mark.args[0])
            broken = self.plugins.clause(name)
            yield from naming(name, broken.sentence if broken else "").items()

    def _facts(self, item: pytest.Item, subject: object) -> list[tuple[str, str]]:
        """Return how to look at a case."""
        facts = []
        if isinstance(subject, (Case, Placement)):
            facts.append(("again", again_for_cube(self.config, item, (subject,))))
        if isinstance(subject, Comparison):
            again = again_for_cube(self.config, item, subject.cases)
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
        if runs and self.keep == "none" and self.execution.workspace is None:
            return [("files", "removed, as --keep none asks")]
        by_hand = [
            ("by hand", mask(command_line(run.result.command)))
            for run in runs
            if run.result and isinstance(subject, Case) and self.keep != "none"
        ]
        return [*by_hand, *(("files", str(run.workspace)) for run in runs)]


def _finding(
    item: pytest.Item,
    report: pytest.TestReport,
    error: BaseException | None,
    facts: list[tuple[str, str]],
    *,
    required: bool,
) -> Finding:
    """Return what a test found."""
    verdict, reason = verdict_of(report, error)
    messages = (
        error.messages if isinstance(error, (Violation, ConformanceError)) else ()
    )
    return Finding(
        subject=subject_of(subject_of_item(item)),
        clause=clause_id(item),
        verdict=verdict,
        reason=reason,
        messages=messages,
        facts=dict(facts),
        test=item.nodeid,
        seconds=round(report.duration, 3),
        expected=expected_failure(subject_of_item(item), clause_id(item)) is not None,
        required=required,
    )


def _leave_out(
    report: pytest.TestReport, item: pytest.Item, error: BaseException | None
) -> None:
    """Show a test as skipped where its subject asks for what is not given here."""
    if not isinstance(error, Unsupported):
        return
    path, line, _ = item.location
    reason = visible(error.messages[0].what)
    report.outcome = "skipped"
    report.longrepr = (path, (line or 0) + 1, f"Skipped: {UNSUPPORTED}{reason}")


def _warn(
    report: pytest.TestReport,
    item: pytest.Item,
    error: BaseException | None,
    depth: Depth,
) -> None:
    """Show a test of a clause that a cube SHOULD meet as one that may fail."""
    clause = clause_id(item)
    if report.failed and isinstance(error, Violation) and not depth.is_must(clause):
        report.outcome = "skipped"
        report.wasxfail = f"{clause}, a SHOULD: {visible(error.messages[0].what)}"


def mask_report(report: pytest.TestReport) -> None:
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
