"""What counts as the answer of a host."""

from __future__ import annotations

import pytest

from mlcube_conformance.runners.places.ssh.answers import (
    answer_in,
    is_answer,
    trouble_in,
)


@pytest.mark.parametrize(
    "line",
    ["7", "true", '"error"', "[]", "null", "", "bye", "[" * 99_999, '{"to": true}'],
)
@pytest.mark.parametrize("is_numbered", [True, False])
def test_only_an_answer_is_one(line: str, *, is_numbered: bool) -> None:
    lines = [b'{"to": 1, "found": "it"}', line.encode()]

    assert answer_in(lines[1:], 1, is_numbered=is_numbered) is None
    found = answer_in(lines, 1, is_numbered=is_numbered)
    assert found == {"found": "it"}


def test_answer_of_an_older_version_has_no_number() -> None:
    assert answer_in([b"{}"], 1) is None
    assert answer_in([b"{}"], 1, is_numbered=False) == {}


@pytest.mark.parametrize(
    ("found", "is_one"),
    [
        ({"state": "none", "record": None, "outcome": None}, True),
        ({"state": "ended", "record": {}, "outcome": {}}, True),
        ({"state": "none", "record": None, "outcome": 7}, False),
        ({"state": 7, "record": None, "outcome": None}, False),
        ({}, False),
    ],
)
def test_answer_has_what_is_asked_for(
    found: dict[str, object], *, is_one: bool
) -> None:
    assert is_answer(found, {"do": "look"}) is is_one
    assert is_answer({}, {"do": "use"})


@pytest.mark.parametrize("error", ["words", 7, [], None, {"found": None}])
def test_refusal_without_words_gives_no_reason(error: object) -> None:
    assert trouble_in({"error": error}) == {}
    assert trouble_in(None) == {}
