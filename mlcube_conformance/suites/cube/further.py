"""Runs a task further times, each in a workspace of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from mlcube_conformance.base.copying import copy
from mlcube_conformance.base.errors import Violation, not_written
from mlcube_conformance.base.trees import remove_tree, walk
from mlcube_conformance.checks.broken_inputs import refuses
from mlcube_conformance.checks.hermetic import (
    ends_when_asked,
    same_again,
    same_bytes,
    works_under,
)
from mlcube_conformance.plan.broken_inputs import break_input
from mlcube_conformance.plan.conditions import (
    STRANGER,
    Condition,
    conditions_of,
    under,
)
from mlcube_conformance.plan.given import protect_inputs
from mlcube_conformance.plan.mounts import host_path
from mlcube_conformance.plan.workspace import make_outputs
from mlcube_conformance.suites.cube.running import Job
from mlcube_conformance.suites.cube.task_run import TaskRun

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mlcube_conformance.base.errors import Message
    from mlcube_conformance.model import Case, Invocation
    from mlcube_conformance.plan.order import Placement
    from mlcube_conformance.suites.cube.execution import Execution

__all__ = ["LONG_ENOUGH", "Further"]


_WORKSPACE = "workspace"
#: Seconds that a task must take for it to be asked to end half-way.
LONG_ENOUGH = 2
#: Clauses that a run under harder conditions has to meet.
_NEEDED = ("INPUT-1", "EXIT-1", "OUTPUT-1", "OUTPUT-2", "OUTPUT-3")


def _unchanged(invocation: Invocation, _: Path) -> Invocation:
    return invocation


@dataclass(frozen=True, slots=True)
class Further:
    """Runs tasks that ran before, with something changed."""

    execution: Execution
    placement_of: Callable[[Case], Placement]
    _conditions: dict[object, Mapping[str, tuple[Message, ...]]] = field(
        default_factory=dict
    )

    def on_broken_inputs(self, run: TaskRun) -> tuple[Message, ...]:
        """Run a task on each broken input that its cube names; return what is wrong.

        Args:
            run: The run of the task that succeeded.

        Raises:
            MachineError: The platform is at fault.
        """
        messages: list[Message] = []
        for number, broken in enumerate(run.case.promises.negative, start=1):
            name = f"broken-{number}"
            folder = self._folder(run.case, name)
            change = partial(break_input, broken=broken, folder=folder / "broken")
            try:
                again = self._run(run, name, change)
            except Violation as violation:  # There is nothing to break.
                messages += violation.messages
            else:
                messages += refuses(again.case, broken, again)
        return tuple(messages)

    def under_conditions(self, run: TaskRun) -> Mapping[str, tuple[Message, ...]]:
        """Run a task under harder conditions; return what is wrong, by clause.

        All conditions but another user are tried in one run; only if it fails, each by
        itself.

        Args:
            run: The run of the task that succeeded.

        Raises:
            MachineError: The platform is at fault.
        """
        case = run.case
        if case.key not in self._conditions:
            # Another user has no power to lose: that is a run of its own.
            both = conditions_of(case)
            strangers = [each for each in both if each.stranger]
            others = [each for each in both if not each.stranger]
            self._conditions[case.key] = {
                **self._under(run, strangers),
                **self._under(run, others),
            }
        return self._conditions[case.key]

    def _under(
        self, run: TaskRun, conditions: Sequence[Condition]
    ) -> Mapping[str, tuple[Message, ...]]:
        found: dict[str, tuple[Message, ...]] = {each.clause: () for each in conditions}
        if not conditions:
            return found
        all_at_once = self._wrong(run, conditions)
        if not all_at_once[1]:
            return found
        blamed = conditions[-1]
        if len(conditions) > 1:
            for each in conditions:
                found[each.clause] = works_under(
                    run.case, each, *self._wrong(run, [each])
                )
            blamed = replace(blamed, words="under harder conditions together")
        if not any(found.values()):
            found[blamed.clause] = works_under(run.case, blamed, *all_at_once)
        return found

    def _wrong(
        self, run: TaskRun, conditions: Sequence[Condition]
    ) -> tuple[TaskRun, list[Message]]:
        numbers = [each.clause.rpartition("-")[2] for each in conditions]
        name = f"hermetic-{'-'.join(numbers)}"
        again = self._run(run, name, conditions=conditions)
        clauses = again.judgement.clauses
        wrong = [each for clause in _NEEDED for each in clauses.get(clause, ())]
        return again, wrong

    def asked_to_end(self, run: TaskRun) -> tuple[Message, ...]:
        """Run a task, and ask it to end half-way; return what is wrong.

        Args:
            run: The run of the task that succeeded, after `LONG_ENOUGH` seconds.

        Raises:
            MachineError: The platform is at fault.
        """
        after = {"asked_after": str(run.ended.seconds / 2)}
        condition = Condition(
            clause="HERMETIC-9",
            words="",
            do="",
            options=dict.fromkeys(("docker", "singularity", "local"), after),
        )
        return ends_when_asked(
            run.case, self._run(run, "asked", conditions=[condition])
        )

    def on_own_outputs(self, run: TaskRun) -> tuple[Message, ...]:
        """Run a task where its outputs are already; return what is wrong.

        Raises:
            MachineError: The platform is at fault.
        """
        again = self._run(run, "again", keeps_outputs=True)
        return same_again(run.case, run.outputs, again)

    def once_more(self, run: TaskRun) -> tuple[Message, ...]:
        """Run a task in another fresh workspace; return which bytes differ.

        Raises:
            MachineError: The platform is at fault.
        """
        return same_bytes(run.case, run.outputs, self._run(run, "twice"))

    def _folder(self, case: Case, name: str) -> Path:
        placement = self.placement_of(case)
        return self.execution.folder_of(placement) / f"{case.invocation.name}.{name}"

    def _run(
        self,
        run: TaskRun,
        name: str,
        change: Callable[[Invocation, Path], Invocation] = _unchanged,
        *,
        conditions: Sequence[Condition] = (),
        keeps_outputs: bool = False,
    ) -> TaskRun:
        """Run a task in a copy of its workspace.

        Args:
            run: The run of the task that succeeded.
            name: What tells the run from others of the same case.
            change: Returns what to run there; takes the invocation and the workspace.
            conditions: Harder conditions to run it under.
            keeps_outputs: Whether its outputs are there already.
        """
        placement = self.placement_of(run.case)
        folder = self._folder(run.case, name)
        remove_tree(folder)
        names = [each.workspace for each in conditions if each.workspace != _WORKSPACE]
        workspace = folder / (names[0] if names else _WORKSPACE)
        asked = next(
            each for each in placement.all_cases if each.key == run.case.key
        ).invocation
        self._copy_workspace(
            asked,
            self.execution.workspace_of(placement),
            workspace,
            keeps_outputs=keeps_outputs,
        )
        invocation = change(_with_own_outputs(asked, workspace), workspace)
        runner = self.execution.runner(placement.platform.kind)
        case = replace(
            run.case,
            invocation=invocation,
            platform=under(run.case.platform, conditions),
        )
        try:
            make_outputs(invocation, workspace)
            ready = protect_inputs(
                invocation,
                workspace,
                folder / "given",
                by_engine=runner.protects_inputs,
            )
        except Violation as violation:
            return TaskRun(case=case, workspace=workspace, not_ready=violation)
        if any(each.stranger for each in conditions):
            _give_away(workspace)
        return self.execution.start(
            Job(
                case=replace(case, invocation=ready),
                image=self.execution.image(placement),
                runner=runner,
                workspace=workspace,
                copies=folder / "given",
                logs=folder / "task",
                options=self.execution.options,
                watch=self.execution.watch,
                offline=run.offline is None,
            ),
            further=name,
        )

    @staticmethod
    def _copy_workspace(
        invocation: Invocation, source: Path, target: Path, *, keeps_outputs: bool
    ) -> None:
        inputs = {host_path(each, source) for each in invocation.bound("input")}
        outputs = {
            path
            for each in invocation.bound("output")
            if not keeps_outputs
            and (path := host_path(each, source)) not in inputs
            and not any(path in one.parents for one in inputs)
        }
        try:
            copy(source, target, left_out=outputs.__contains__)
        except OSError as error:
            what = "the workspace cannot be copied for another run"
            do = "free some disk space, or fix the permissions"
            raise not_written(what, target, error, do=do) from error


def _give_away(workspace: Path) -> None:
    """Let another user own a workspace: it is a copy, and ours."""
    os.chown(workspace, STRANGER, STRANGER)
    for each in walk(workspace):
        os.chown(
            each.name,
            STRANGER,
            STRANGER,
            dir_fd=each.folder,
            follow_symlinks=False,
        )


def _with_own_outputs(invocation: Invocation, workspace: Path) -> Invocation:
    """Return an invocation that leaves the outputs of the command line alone."""
    return replace(
        invocation,
        bindings=tuple(
            replace(each, value=str(workspace / "given" / each.parameter.name / "file"))
            if each.given_by_user and each.parameter.role == "output"
            else each
            for each in invocation.bindings
        ),
    )
