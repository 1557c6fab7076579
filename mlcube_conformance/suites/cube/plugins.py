"""Calls the hooks of other plugins; what fails in one is an error that names it."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from traceback import extract_tb
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import MachineError, Message
from mlcube_conformance.clauses import CLAUSES, Clause
from mlcube_conformance.clauses.others import clauses_of_others

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from mlcube_conformance.model import Case, Image
    from mlcube_conformance.plan.order import Placement
    from mlcube_conformance.suites.cube.task_run import TaskRun

    Check = Callable[[TaskRun], Iterable[Message | str]]

__all__ = ["Plugins"]

_CHECKS = "pytest_mlcube_checks"
_CLAUSES = "pytest_mlcube_clauses"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LONGEST = 500
#: What a function may raise to end a test; in a hook, it is an error as any other.
_OUTCOMES = (pytest.fail.Exception, pytest.skip.Exception)


class Plugins:
    """The other plugins of a session."""

    def __init__(self, config: pytest.Config) -> None:
        """Take where hooks are called; call none."""
        self._hook = config.hook
        self._checks: Mapping[str, Check] | None = None
        self._clauses = {each.id: each for each in CLAUSES}

    def checks(self) -> Mapping[str, Check]:
        """Return the checks of other plugins by name, and learn their clauses.

        Raises:
            MachineError: A hook failed, or returned what it must not; the first time.
        """
        if self._checks is None:
            self._checks = {}
            self._learn_clauses()
            with _fault_of(_CHECKS):
                self._checks = _united(self._hook.pytest_mlcube_checks())
        return self._checks

    def _learn_clauses(self) -> None:
        with _fault_of(_CLAUSES):
            for found in (clauses_of_others(), *self._hook.pytest_mlcube_clauses()):
                for each in found:
                    if not isinstance(each, Clause):
                        msg = f"{each!r} is not a Clause"
                        raise TypeError(msg)
                    if self._clauses.setdefault(each.id, each) is not each:
                        msg = f"another clause has the id {each.id!r}"
                        raise ValueError(msg)

    def clause(self, clause_id: str) -> Clause | None:
        """Return the clause with that id, ours or of another plugin.

        Those of plugins are known after the first call of `checks`.
        """
        return self._clauses.get(clause_id)

    def check(self, name: str, run: TaskRun) -> tuple[Message, ...]:
        """Return what a check says of a run.

        Raises:
            MachineError: The check failed.
        """
        where = f"case {run.case.id}, check {name}"
        with _fault_of(_CHECKS, f"check {name}: "):
            found = self.checks()[name](run)
            if isinstance(found, str):
                msg = "it returned a text, not a list of them"
                raise TypeError(msg)
            return tuple(
                Message(what=each, where=where) if isinstance(each, str) else each
                for each in found or ()
            )

    @contextmanager
    def configuring(self, placement: Placement) -> Iterator[list[Image]]:
        """Call what other plugins do before and after an image is made.

        Yields:
            A list that takes the image.

        Raises:
            MachineError: A hook failed.
        """
        cube, platform = placement.cube, placement.platform
        made: list[Image] = []
        self._call("pytest_mlcube_before_configure", cube=cube, platform=platform)
        with _then(
            lambda: self._call(
                "pytest_mlcube_after_configure",
                cube=cube,
                platform=platform,
                image=made[0] if made else None,
            )
        ):
            yield made

    @contextmanager
    def running(self, case: Case, workspace: Path) -> Iterator[list[TaskRun]]:
        """Call what other plugins do before and after a task runs.

        Yields:
            A list that takes what became of it.

        Raises:
            MachineError: A hook failed.
        """
        ended: list[TaskRun] = []
        self._call("pytest_mlcube_before_run", case=case, workspace=workspace)
        with _then(
            lambda: self._call(
                "pytest_mlcube_after_run", case=case, run=ended[0] if ended else None
            )
        ):
            yield ended

    def _call(self, name: str, **facts: object) -> None:
        with _fault_of(name):
            getattr(self._hook, name)(**facts)


def _united(found: Iterable[Mapping[str, Check]]) -> Mapping[str, Check]:
    """Return all checks, in the order of their names, as workers need it."""
    checks: dict[str, Check] = {}
    for each in found:
        for name, check in each.items():
            if not _NAME.fullmatch(name):
                msg = f"{name!r} is not a name of letters, digits and any of _ . -"
                raise ValueError(msg)
            if name in checks:
                msg = f"two checks have the name {name!r}"
                raise ValueError(msg)
            checks[name] = check
    return dict(sorted(checks.items()))


@contextmanager
def _then(call: Callable[[], None]) -> Iterator[None]:
    """Make a call at the end; an earlier fault counts more than one in it."""
    try:
        yield
    except BaseException:
        with suppress(MachineError):
            call()
        raise
    call()


@contextmanager
def _fault_of(hook: str, more: str = "") -> Iterator[None]:
    """Turn what a hook raises into an error that names it.

    Raises:
        MachineError: Something was raised.
    """
    try:
        yield
    except (Exception, *_OUTCOMES) as error:
        raise MachineError(
            Message(
                what=f"the hook {hook} failed",
                where=_where(error, hook),
                found=f"{more}{type(error).__name__}: {error}"[:_LONGEST],
                expected="a hook of another plugin that raises nothing",
                do="fix the plugin or conftest.py, or leave it out (-p no:NAME)",
            )
        ) from error


def _where(error: BaseException, hook: str) -> str:
    """Return the line of the plugin that raised an error, if any."""
    frames = extract_tb(error.__traceback__)
    named = [each for each in frames if each.name == hook]
    last = frames[-1]
    if not named and last.filename != __file__:
        named = [last]
    return "".join(f"{at.filename}:{at.lineno}, in {at.name}" for at in named[-1:])
