"""Clauses that cubes are known to break, as their `conformance.yaml` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlcube_conformance.base.errors import Message, UsageError, Violation
from mlcube_conformance.model import Case
from mlcube_conformance.plan.order import Comparison
from mlcube_conformance.suites.cube.subjects import subject_of_item
from mlcube_conformance.suites.hooks import clause_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlcube_conformance.plan.selection import Selection
    from mlcube_conformance.promise import ExpectedFailure
    from mlcube_conformance.suites.cube.plugins import Plugins

__all__ = ["expect_failures", "expected_failure", "is_met_after_all", "refuse_unknown"]


def refuse_unknown(selection: Selection, plugins: Plugins) -> None:
    """Refuse an expected failure of a clause that neither we nor a plugin have.

    Raises:
        UsageError: There is one.
    """
    for loaded in selection.cubes:
        for each in loaded.cube.expected_failures:
            if plugins.clause(each.clause) is None:
                raise UsageError(
                    Message(
                        what=f"unknown clause {each.clause!r}",
                        where=str(each.source),
                        found=each.clause,
                        expected="the id of a clause of cubes, or of a plugin",
                        do="fix the id: see docs/clauses.md",
                    )
                )


def expected_failure(subject: Any, clause: str) -> ExpectedFailure | None:  # noqa: ANN401 - a cube, platform or case
    """Return why a subject is known to break a clause, if it is.

    Args:
        subject: A cube, a platform, a placement, a case or a comparison.
        clause: Id of the clause.
    """
    listed = _listed_for(subject)
    if not clause or not listed:
        return None
    cases = subject.cases if isinstance(subject, Comparison) else (subject,)
    platforms = [found for each in cases if (found := getattr(each, "platform", None))]
    names = {name for each in platforms for name in (each.id, each.kind)}
    runs = [each.invocation for each in cases if isinstance(each, Case)]
    tasks = {name for each in runs for name in (each.name, each.task.name)}
    for each in listed:
        if each.clause == clause and each.fits(frozenset(names), frozenset(tasks)):
            return each
    return None


def _listed_for(subject: Any) -> tuple[ExpectedFailure, ...]:  # noqa: ANN401 - a cube, platform or case
    """Return the failures that the cube of a subject expects."""
    cube = getattr(subject, "cube", None)
    return cube.expected_failures if cube else ()


def expect_failures(items: Iterable[pytest.Item]) -> None:
    """Mark the tests of clauses that their subject is known to break."""
    for item in items:
        subject = subject_of_item(item)
        if not _listed_for(subject):
            continue  # Nearly all: there may be very many tests.
        known = expected_failure(subject, clause_id(item))
        if known is not None:
            item.add_marker(
                pytest.mark.xfail(reason=known.reason, raises=Violation, strict=True)
            )


def is_met_after_all(known: ExpectedFailure) -> Message:
    """Return the message for a clause that is met though its failure is expected."""
    is_limited = known.task and known.platform
    return Message(
        what=f"{known.clause} is met, though its failure is expected",
        where=str(known.source),
        found=f"no failure; expected was: {known.reason}",
        expected="a failure, as expected_failures says",
        do="remove it from expected_failures"
        if is_limited
        else "remove it from expected_failures, or name the task and platform",
    )
