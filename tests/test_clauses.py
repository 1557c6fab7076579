"""The table of clauses, the page of it, and the tests that it names."""

from __future__ import annotations

import ast
import re
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
from mlcube_conformance.clauses.page import clauses_markdown, runner_clauses_markdown
from mlcube_conformance.commands.clause_pages import clause_pages

_SUITES = Path(conformance_tests.__file__).parent
_DOCS = Path(__file__).parents[1] / "docs"


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


def test_pages_are_those_of_the_clauses() -> None:
    pages = clause_pages()
    written = {
        file.relative_to(_DOCS).as_posix(): file.read_text(encoding="utf-8")
        for file in (*_DOCS.glob("*clauses.md"), *_DOCS.glob("clauses/*"))
    }

    differing = [name for name, text in pages.items() if written.get(name) != text]
    assert differing == [], "run: mlcube-conformance clauses --pages docs"
    assert written.keys() - pages.keys() == set(), "remove them"


def test_pages_list_every_clause_once() -> None:
    pages = clauses_markdown() + runner_clauses_markdown()
    rows = [
        line.split("|")[1].strip()
        for line in pages.splitlines()
        if line.startswith("|")
    ]
    listed = [word for word in rows if word not in {"clause", "name", "---"}]

    features = [f"`{name}`" for name in FEATURES]
    links = [f"[{each.id}](clauses/{each.id}.md)" for each in CLAUSES]
    assert sorted(listed) == sorted([*features, *links])


def test_links_of_the_pages_lead_to_files_and_headings() -> None:
    for name, text in clause_pages().items():
        for target in re.findall(r"\]\(([^)]+)\)", text):
            path, _, heading = target.partition("#")
            file = (_DOCS / name).parent / path
            if target.startswith("https:"):
                continue
            assert file.is_file(), (name, target)
            if heading:
                words = heading.replace("-", " ")
                assert f"# {words}\n" in file.read_text("utf-8").lower(), target


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
