"""The table of clauses, the page of it, and the tests that it names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import conformance_tests
from mlcube_conformance.clauses import (
    CLAUSES,
    CUBE_CLAUSES,
    FEATURES,
    RUNNER_CLAUSES,
    Clause,
    clause,
)
from mlcube_conformance.clauses.page import clauses_markdown

_SUITES = Path(conformance_tests.__file__).parent
_PAGE = Path(__file__).parents[1] / "docs" / "clauses.md"


def test_each_id_is_given_once() -> None:
    assert len({each.id for each in CLAUSES}) == len(CLAUSES)


def test_each_fact_of_the_survey_is_there_once() -> None:
    facts = [each.fact for each in CLAUSES if each.fact is not None]

    assert sorted(facts) == list(range(1, 107))


@pytest.mark.parametrize("each", CLAUSES, ids=lambda each: each.id)
def test_clause_has_either_a_test_or_a_reason(each: Clause) -> None:
    assert bool(each.test) != bool(each.why_not)
    assert each.sentence
    assert each.evidence


def test_clauses_need_only_features_that_are_known() -> None:
    assert {need for each in CLAUSES for need in each.needs} == set(FEATURES)


def test_clauses_are_of_cubes_or_of_runners() -> None:
    assert {each.who for each in CUBE_CLAUSES} == {"cube"}
    assert {each.who for each in RUNNER_CLAUSES} == {"runner"}
    assert {*CUBE_CLAUSES, *RUNNER_CLAUSES} == set(CLAUSES)


def test_clause_is_found_by_its_id() -> None:
    assert clause("EXIT-2").id == "EXIT-2"
    with pytest.raises(KeyError):
        clause("EXIT-0")


def test_page_is_that_of_the_clauses() -> None:
    assert _PAGE.read_text(encoding="utf-8") == clauses_markdown(), (
        "run: mlcube-conformance clauses > docs/clauses.md"
    )


def test_page_lists_every_clause_once() -> None:
    rows = [
        line.split("|")[1].strip()
        for line in clauses_markdown().splitlines()
        if line.startswith("|")
    ]
    listed = [word for word in rows if word not in {"clause", "name", "---"}]

    features = [f"`{name}`" for name in FEATURES]
    assert sorted(listed) == sorted([*features, *(each.id for each in CLAUSES)])


def test_each_test_is_there_and_marked_with_its_clause() -> None:
    marked = {
        f"{file.relative_to(_SUITES.parent).as_posix()}::{function}": ids
        for file in _SUITES.rglob("test_*.py")
        for function, ids in _marked(file).items()
    }
    amiss = {
        each.id: marked.get(each.test, "no such function")
        for each in CLAUSES
        if each.test and each.id not in marked.get(each.test, [])
    }

    assert amiss == {}


def test_marks_name_clauses_that_there_are() -> None:
    named = {
        name
        for file in _SUITES.rglob("test_*.py")
        for ids in _marked(file).values()
        for name in ids
    }

    assert named <= {each.id for each in CLAUSES}


def _marked(file: Path) -> dict[str, list[str]]:
    """Return the functions of a file, each with the clauses that it is marked with."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        node.name: [
            argument.value
            for decorator in node.decorator_list
            if isinstance(decorator, ast.Call)
            and ast.unparse(decorator.func) == "pytest.mark.clause"
            for argument in decorator.args
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
