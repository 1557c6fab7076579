"""Judges what an earlier run left, and runs nothing: `--check-only`.

That a run made a file cannot be known: a file counts where it is there and not empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import require_given
from mlcube_conformance.checks.promised import KINDS, kept_promises
from mlcube_conformance.plan.order import paths_elsewhere
from mlcube_conformance.suites.cube.execution import Execution
from mlcube_conformance.suites.cube.looking import look_at_left
from mlcube_conformance.suites.cube.task_run import TaskRun
from mlcube_conformance.suites.hooks import clause_id

if TYPE_CHECKING:
    from mlcube_conformance.model import Case
    from mlcube_conformance.plan.order import Placement

__all__ = ["LeftFiles", "NothingRuns"]

#: Clauses that files show by themselves.
_JUDGED = {"OUTPUT-1", "OUTPUT-2", "OUTPUT-3", "OWNER-1", *KINDS.values()}
#: Fixtures that need an image or a run.
_OF_RUNS = {"configured", "attempt"}


@dataclass(slots=True)
class LeftFiles(Execution):
    """Stands for an execution: its runs are the files in the workspace."""

    def run(self, placement: Placement, case: Case) -> TaskRun:
        """Return what is where a case writes its outputs."""
        workspace = self.workspace_of(placement)
        if case.key not in self._runs:
            require_given(paths_elsewhere(case.invocation, workspace))
            outputs = look_at_left(case, workspace)
            self._runs[case.key] = TaskRun(
                case=case,
                workspace=workspace,
                left=True,
                outputs=outputs,
                promised=kept_promises(case, outputs).clauses,
            )
        found = self._runs[case.key]
        if isinstance(found, Exception):
            raise found
        return found


class NothingRuns:
    """Skips the tests that need an image or a run."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip a test, unless it is about a clause that files show."""
        names = set(getattr(item, "fixturenames", ()))
        if names & _OF_RUNS and clause_id(item) not in _JUDGED:
            pytest.skip("not judged: --check-only runs nothing")
