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
@pytest.mark.parametrize("or_unnumbered", [True, False])
def test_only_an_answer_is_one(line: str, *, or_unnumbered: bool) -> None:
    lines = [b'{"to": 1, "found": "it"}', line.encode()]

    assert answer_in(lines[1:], 1, or_unnumbered=or_unnumbered) is None
    assert answer_in(lines, 1, or_unnumbered=or_unnumbered) == {"found": "it"}


def test_answer_of_an_older_version_has_no_number() -> None:
    assert answer_in([b"{}"], 1) is None
    assert answer_in([b"{}"], 1, or_unnumbered=True) == {}
    numbered = [b'{"to": 1, "found": "it"}', b"{}"]
    assert answer_in(numbered, 1, or_unnumbered=True) == {"found": "it"}


NOTHING = {"state": "none", "record": None, "outcome": None}
RESULT = {
    "exit_code": 0,
    "timed_out": False,
    "out_of_memory": False,
    "seconds": 1.5,
    "command": ["docker"],
}


def _failed(*messages: object) -> dict[str, object]:
    error = {"fault": "cube", "messages": [*messages]}
    return {**ENDED, "outcome": {"image": None, "result": None, "error": error}}


ENDED = {
    "state": "ended",
    "record": {"began": "2026-11-29"},
    "outcome": {"image": None, "result": RESULT, "error": None},
}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("use", {}),
        ("look", NOTHING),
        ("look", {**NOTHING, "said": ["a"], "free": 10**9, "of a later version": 7}),
        ("look", ENDED),
        ("look", _failed({"what": "a", "where": "b", "tail": []})),
        ("names", {"names": ["a"]}),
        ("start", {**NOTHING, "mine": True}),
        ("clean", {"found": []}),
        ("environment", {"python": "p", "env": {"A": "b"}, "root": "/r", "home": "/"}),
    ],
)
def test_answer_has_what_is_asked_for(asked: str, found: dict[str, object]) -> None:
    assert is_answer(found, {"do": asked})


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("look", {"state": "none"}),
        ("look", {**NOTHING, "state": 7}),
        ("look", {**NOTHING, "said": 7}),
        ("look", {**NOTHING, "free": "x"}),
        ("look", {**ENDED, "record": {"began": 7}}),
        ("look", {**ENDED, "outcome": 7}),
        ("look", {**ENDED, "outcome": {"result": RESULT}}),
        (
            "look",
            {**ENDED, "outcome": {"image": None, "result": {}, "error": None}},
        ),
        ("look", _failed({"what": ["a"], "tail": []})),
        ("look", _failed({"what": "a", "tail": "abc"})),
        ("look", _failed()),
        ("start", NOTHING),
        ("clean", {"found": [7]}),
        ("clean", {"found": [{"folder": "/r"}]}),
        ("names", {"names": [7]}),
        ("environment", {"python": "p", "env": {}}),
        ("environment", {"python": "p", "env": {"A": 7}, "root": "/r", "home": "/"}),
    ],
)
def test_answer_without_what_is_asked_for_is_none(
    asked: str, found: dict[str, object]
) -> None:
    assert not is_answer(found, {"do": asked})


@pytest.mark.parametrize("error", ["words", 7, [], None, {"found": None}])
def test_refusal_without_words_gives_no_reason(error: object) -> None:
    assert trouble_in({"error": error}) == {}
    assert trouble_in(None) == {}
