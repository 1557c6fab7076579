"""Reads the file of clauses that a runner is known not to meet, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError, Violation, did_you_mean
from mlcube_conformance.clauses import RUNNER_CLAUSES
from mlcube_conformance.formats.problems import Problems, TooManyProblemsError
from mlcube_conformance.formats.yaml import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.formats.yaml import Located

__all__ = ["EXPECTED", "EXPECTED_KEYS", "load_expected_failures"]

EXPECTED_KEYS = ("clause", "reason")
EXPECTED = tuple(each.id for each in RUNNER_CLAUSES if each.test)


def load_expected_failures(file: Path) -> dict[str, str]:
    """Return the reason of each clause that the file lists.

    Raises:
        UsageError: The file does not exist or not valid; with every problem.
    """
    try:
        document = read_yaml(file)
    except Violation as violation:
        raise UsageError(*violation.messages) from violation
    problems = Problems()
    try:
        reasons = _reasons(document, problems)
    except TooManyProblemsError as error:
        raise UsageError(*error.messages) from error
    if problems.messages:
        raise UsageError(*problems.messages)
    return reasons


def _reasons(document: Located, problems: Problems) -> dict[str, str]:
    if document.value is None:
        return {}
    if not isinstance(document.value, list):
        problems.add(
            "the file of expected failures is not a list",
            document,
            expected="a list of mappings with the keys clause and reason",
            do="begin each with a hyphen: - clause: …",
        )
        return {}
    lines: dict[str, int] = {}
    reasons = {}
    for each in document.value:
        clause, reason = _read(each, problems)
        if clause in lines:
            problems.add(
                f"{clause} is listed twice",
                each,
                found=f"{clause}, which line {lines[clause]} has already",
                expected="each clause once",
                do="remove one of them",
            )
        elif clause:
            lines[clause] = each.source.line
            reasons[clause] = reason
    return reasons


def _read(at: Located, problems: Problems) -> tuple[str, str]:
    """Return the clause and the reason; a problem is added where there is none."""
    if not at.is_mapping():
        problems.add(
            "an expected failure is not a mapping",
            at,
            expected="a mapping with the keys clause and reason",
            do="write both keys",
        )
        return "", ""
    problems.unknown_keys(at, EXPECTED_KEYS)
    problems.messages.extend(_written_twice(at, key) for key in at.duplicates)
    clause, reason = (problems.text(at, key) for key in EXPECTED_KEYS)
    if clause and clause not in EXPECTED:
        problems.add(
            f"unknown clause {clause!r}, or one without a test",
            at.get("clause") or at,
            expected="the id of a clause of runners that has a test",
            do=did_you_mean(clause, EXPECTED) or "see docs/clauses.md",
        )
        return "", reason
    return clause, reason


def _written_twice(at: Located, key: str) -> Message:
    return Message(
        what=f"the key {key!r} is written twice",
        where=str(at.source),
        expected=f"{key!r} once",
        do="remove one of them, or begin another with a hyphen",
    )
