"""What is wrong with runs and images, whichever tests were selected to look at them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.errors import Violation
from mlcube_conformance.clauses.naming import naming
from mlcube_conformance.results.finding import Finding
from mlcube_conformance.suites.cube.expected import (
    expected_failure,
    is_met_after_all,
)
from mlcube_conformance.suites.cube.facts import subject_of
from mlcube_conformance.suites.hooks import sendable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pytest

    from mlcube_conformance.base.errors import Message
    from mlcube_conformance.model import Case
    from mlcube_conformance.plan.order import Placement
    from mlcube_conformance.results.record import Record
    from mlcube_conformance.suites.cube.depth import Depth
    from mlcube_conformance.suites.cube.execution import Execution

__all__ = ["Unseen"]

_WORKER_OUTPUT = "mlcube_unmet"


@dataclass(slots=True, kw_only=True)
class Unseen:
    """Clauses that a run does not meet and that no test of it has reported."""

    execution: Execution
    placements: Sequence[Placement]
    depth: Depth
    """Which clauses count, and how much."""
    _warned: list[Finding] = field(default_factory=list)
    _sent: list[Finding] = field(default_factory=list)
    _kept: list[Finding] = field(default_factory=list)

    def send(self, config: pytest.Config) -> None:
        """Tell the controller of pytest-xdist what is wrong with runs in its worker."""
        output: dict[str, Any] = getattr(config, "workeroutput", {})
        output[_WORKER_OUTPUT] = [sendable(each.to_dict()) for each in self._found()]

    def take(self, output: dict[str, Any]) -> None:
        """Take what a worker sent."""
        self._sent += map(Finding.from_dict, output.get(_WORKER_OUTPUT, ()))

    def settle(self, record: Record) -> bool:
        """Record what no test has reported; say whether that fails the run."""
        self._warned = [
            each
            for each in record.findings
            if each.verdict == "failed"
            and each.messages
            and each.clause
            and not each.expected
            and not self.depth.is_must(each.clause)
        ]
        known = {
            (each.subject.id, each.clause)
            for each in record.findings
            if each.verdict in {"failed", "error"}
        }
        for each in (*self._sent, *self._found()):
            if (each.subject.id, each.clause) not in known:
                self._kept.append(each)
                record.find(replace(each, required=self.depth.is_must(each.clause)))
        return any(self._fails(each) for each in self._kept)

    def _fails(self, finding: Finding) -> bool:
        if finding.expected:
            return False
        if finding.verdict == "passed":
            return True  # Its failure was expected.
        return self.depth.is_must(finding.clause)

    def _found(self) -> Iterator[Finding]:
        for placement in self.execution.begun(self.placements):
            trouble = self.execution.trouble_of(placement)
            if isinstance(trouble, Violation):
                known = expected_failure(placement, "IMAGE-1")
                messages = trouble.messages
                yield _finding(placement, "IMAGE-1", messages, expected=bool(known))
            for case in placement.all_cases:
                run = self.execution.run_of(case)
                if run is not None:
                    judged = run.judgement
                    for name, wrong in (
                        *judged.clauses.items(),
                        *judged.advice.items(),
                    ):
                        known = expected_failure(case, name)
                        if not self.depth.includes(name):
                            continue
                        if wrong:
                            yield _finding(case, name, wrong, expected=bool(known))
                        elif known and name in judged.advice:
                            met = (is_met_after_all(known),)
                            yield replace(_finding(case, name, met), verdict="passed")

    def write(
        self,
        reporter: pytest.TerminalReporter,
        text: Callable[[Iterable[Message]], str],
    ) -> None:
        """Show what no test has reported.

        Args:
            reporter: Where to.
            text: Returns messages as they may be shown.
        """
        failing = [each for each in self._kept if self._fails(each)]
        others = [each for each in self._kept if not self._fails(each)]
        others = [*self._warned, *(each for each in others if not each.expected)]
        for title, found in (
            ("FAILURES that no selected test looks at", failing),
            ("WARNINGS: clauses that a cube SHOULD meet", others),
        ):
            if found:
                reporter.section(title)
            for each in found:
                reporter.write_line(text(each.messages))
                known = self.depth.find(each.clause)
                named = naming(each.clause, known.sentence if known else "")
                for label, shown in named.items():
                    reporter.write_line(f"  {label + ':':<10}{shown}")
        for each in failing:
            reporter.write_line(
                f"mlcube-conformance: {each.subject.id} does not meet {each.clause} "
                f"({each.reason}): this run fails",
                red=True,
            )


def _finding(
    subject: Case | Placement,
    name: str,
    messages: tuple[Message, ...],
    *,
    expected: bool = False,
) -> Finding:
    return Finding(
        subject=subject_of(subject),
        verdict="failed",
        clause=name,
        reason=messages[0].what,
        messages=messages,
        expected=expected,
    )
