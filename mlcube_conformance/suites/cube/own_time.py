"""The time of a task, at the test that is about it: others take none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.model import Case
from mlcube_conformance.suites.cube.subjects import subject_of_item
from mlcube_conformance.suites.hooks import clause_id

if TYPE_CHECKING:
    from collections.abc import Generator

    from mlcube_conformance.suites.cube.execution import Execution

__all__ = ["OwnTime"]

_CLAUSE = "mlcube_clause"
#: The clause about a task that ran.
_OF_TIME = "EXIT-1"


class OwnTime:
    """Corrects what pytest takes for the time of a test, in JUnit and elsewhere.

    A task runs when the first test asks for it, whichever that is.
    """

    def __init__(self, execution: Execution) -> None:
        """Take what knows how long tasks ran."""
        self._execution = execution
        self._before = 0.0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Note the clause for JUnit, and what tasks took so far."""
        clause = (_CLAUSE, clause_id(item))
        if clause[1] and clause not in item.user_properties:
            item.user_properties.append(clause)
        self._before = self._execution.spent

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Move the time of a task to the test of its exit code."""
        report = yield
        if call.when == "setup":
            spent = self._execution.spent - self._before
            report.duration = max(0, report.duration - spent)
        elif call.when == "call" and clause_id(item) == _OF_TIME:
            subject = subject_of_item(item)
            run = self._execution.run_of(subject) if isinstance(subject, Case) else None
            if run is not None and run.result is not None:
                report.duration += run.result.seconds
        return report
