"""The scorecard of a runner: its file, its lines, its page."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mlcube_conformance.base.errors import UsageError
from mlcube_conformance.clauses import clause
from mlcube_conformance.results.judgements import Judgement, Scorecard
from mlcube_conformance.results.scorecard import lines, markdown

DOCKER = Scorecard(
    runner="docker",
    version="27.1",
    date="2026-11-24",
    tool="0.3.0",
    judgements=(
        Judgement("EXIT-2", "passed", seen="exit code 42"),
        Judgement("EXIT-3", "passed"),
        Judgement("EXIT-6", "not run"),
        Judgement("PATH-1", "failed", "argv[1] was a|b"),
        Judgement("PATH-4", "failed", "cuts a=b", expected=True, seen="it was /a"),
        Judgement("MOUNT-1", "not run"),
        Judgement("MOUNT-12", "unsupported", "no warning"),
        Judgement("REMOTE-2", "not applicable", "it runs here"),
    ),
)
MLCUBE = Scorecard(
    runner="mlcube",
    version="0.0.9",
    date="2026-11-20",
    tool="0.3.0",
    judgements=(
        Judgement("EXIT-2", "error", "the machine stopped"),
        Judgement("MOUNT-12", "passed"),
    ),
)


def test_card_survives_its_file() -> None:
    assert Scorecard.from_json(DOCKER.to_json()) == DOCKER


def test_file_tells_its_version_and_the_order_of_clauses() -> None:
    card = replace(DOCKER, judgements=DOCKER.judgements[::-1])

    document = json.loads(card.to_json())

    assert document["schema_version"] == 1
    assert [each["clause"] for each in document["judgements"]] == [
        *("EXIT-2", "EXIT-3", "EXIT-6", "PATH-1", "PATH-4"),
        *("MOUNT-1", "MOUNT-12", "REMOTE-2"),
    ]


def _document(**changed: object) -> str:
    return json.dumps(json.loads(DOCKER.to_json()) | changed)


def _judged(**judgement: Any) -> str:  # noqa: ANN401 - any JSON
    return _document(judgements=[{"clause": "EXIT-2", "verdict": "passed"} | judgement])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ("not JSON",)),
        ("[" * 100_000, ("not JSON",)),
        ("[]", ("the document: a list", "an object")),
        ("{}", ("schema_version None", "schema_version 1")),
        (_document(schema_version=2), ("schema_version 2", "schema_version 1")),
        (_document(schema_version=True), ("schema_version True",)),
        (_document(runner=3), ("runner: a number", "runner: text")),
        (_document(date=None), ("date: nothing",)),
        (_document(judgements={}), ("judgements: an object", "a list")),
        (_document(judgements=["x"]), ("judgements[0]: text",)),
        (_judged(clause="EXIT2"), ("judgements[0].clause: 'EXIT2'", "did you mean")),
        (_judged(clause="zzz"), ("version of mlcube-conformance that wrote it",)),
        (_judged(verdict="good"), ("judgements[0].verdict: 'good'", "one of passed,")),
        (_judged(reason=[]), ("judgements[0].reason: a list",)),
        (_judged(seen=3), ("judgements[0].seen: a number",)),
        (_judged(expected="yes"), ("judgements[0].expected: text", "true or false")),
        (
            _document(judgements=[{"clause": "EXIT-2", "verdict": "passed"}] * 2),
            ("EXIT-2 more than once",),
        ),
    ],
)
def test_what_is_no_card_is_refused(text: str, says: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        Scorecard.from_json(text, where="card.json")

    for part in ("the file is not a scorecard", "card.json", *says):
        assert part in str(caught.value)


def test_reason_and_expected_may_be_left_out() -> None:
    card = Scorecard.from_json(_judged())

    assert card.judgements == (Judgement("EXIT-2", "passed"),)


def test_lines_count_what_ran_and_tell_what_pytest_does_not() -> None:
    assert list(lines(DOCKER)) == [
        "docker 27.1, 2026-11-24, mlcube-conformance 0.3.0",
        "  EXIT    MUST    2 of 2 passed",
        "  PATH    MUST    0 of 2 passed, 1 failed, 1 expected fail",
        "  MOUNT   SHOULD  0 of 1 passed, 1 unsupported",
        "  REMOTE  MUST    n/a",
        "  all     MUST    2 of 4 passed, 1 failed, 1 expected fail, 1 not applicable",
        "  all     SHOULD  0 of 1 passed, 1 unsupported",
        f"PATH-4 expected fail: {clause('PATH-4').sentence}",
        "  cuts a=b; it was /a",
        "2 of 4 MUST not met, 2 MUST not run",
    ]


@pytest.mark.parametrize(
    ("judgements", "last"),
    [
        ((), "no MUST was judged"),
        ((Judgement("MOUNT-12", "failed"),), "no MUST was judged"),
        ((Judgement("EXIT-2", "passed"),), "every MUST is met"),
        (
            (Judgement("EXIT-2", "passed"), Judgement("EXIT-14", "not applicable")),
            "every MUST is met",
        ),
        (
            (Judgement("EXIT-2", "passed"), Judgement("EXIT-3", "not run")),
            "1 MUST met, 1 MUST not run",
        ),
        ((Judgement("EXIT-2", "error"),), "0 MUST met, 1 error"),
        (
            (Judgement("EXIT-2", "error"), Judgement("EXIT-3", "failed")),
            "1 of 2 MUST not met, 1 error",
        ),
        (
            (
                Judgement("EXIT-2", "passed"),
                *(Judgement(each, "error") for each in ("EXIT-3", "EXIT-4")),
                Judgement("EXIT-5", "not run"),
            ),
            "1 MUST met, 2 errors, 1 MUST not run",
        ),
        ((Judgement("EXIT-2", "unsupported"),), "1 of 1 MUST not met"),
        ((Judgement("EXIT-2", "failed", expected=True),), "1 of 1 MUST not met"),
    ],
)
def test_last_line_is_the_verdict(judgements: tuple[Judgement, ...], last: str) -> None:
    assert list(lines(replace(DOCKER, judgements=judgements)))[-1] == last


def test_pass_that_was_not_expected_is_told() -> None:
    judged = Judgement("PATH-4", "passed", "cuts a=b", expected=True)

    told = list(lines(replace(DOCKER, judgements=(judged,))))

    assert "  PATH  MUST    1 of 1 passed, 1 passed against expectation" in told


def test_reason_cannot_steer_a_terminal_nor_fill_it() -> None:
    reason = "red \x1b[31m\nand " + "long " * 1000
    judged = Judgement("PATH-4", "failed", reason, expected=True)

    told = list(lines(replace(DOCKER, judgements=(judged,))))

    (reason,) = (line for line in told if line.startswith("  red"))
    assert reason.startswith("  red and long long")
    assert len(reason) < 500


def test_page_of_one_runner() -> None:
    page = markdown([DOCKER])

    told = "docker 27.1, 2026-11-24, mlcube-conformance 0.3.0"
    assert page.startswith("# Scorecard of docker\n")
    for line in (
        f"- {told}: 2 of 4 MUST not met, 2 MUST not run",
        "| family | level | docker |",
        "| EXIT | MUST | 2 of 2 passed |",
        "## Not met by docker",
        "## Not supported by docker",
        "## All clauses",
    ):
        assert line in page.splitlines()
    failed, again = (x for x in page.splitlines() if r"argv\[1\] was a\|b" in x)
    assert failed.startswith("| PATH-1 | MUST | spaces in the path")
    assert "| ✘ FAIL |" in failed
    rows = page[page.index("## All clauses") :].splitlines()
    assert again in rows
    assert "| clause | level | requirement | docker | seen |" in rows
    (passed,) = (line for line in rows if line.startswith("| EXIT-2 |"))
    assert passed.endswith("| ✔ pass | exit code 42 |")
    assert not any(line.startswith(("| EXIT-6 |", "| MOUNT-1 |")) for line in rows)


def test_page_of_two_runners_has_a_column_for_each() -> None:
    page = markdown([DOCKER, MLCUBE]).splitlines()

    assert "# Scorecard of docker, mlcube" in page
    assert "| family | level | docker | mlcube |" in page
    assert "| EXIT | MUST | 2 of 2 passed | 0 of 1 passed, 1 error |" in page
    assert "| PATH | MUST | 0 of 2 passed, 1 failed, 1 expected fail | - |" in page
    assert _cells(page, "EXIT-2") == ["✔ pass", "✘ ERROR"]
    assert _cells(page, "PATH-4") == ["✘ expected fail", ""]
    assert _cells(page, "MOUNT-12") == ["- unsupported", "✔ pass"]
    assert _cells(page, "REMOTE-2") == ["- n/a", ""]
    assert "## Not met by mlcube" not in page
    assert "## Errors in the test of mlcube" in page
    assert "## Not supported by mlcube" not in page


def _cells(page: list[str], clause: str) -> list[str]:
    rows = page[page.index("## All clauses") :]
    (row,) = (line for line in rows if line.startswith(f"| {clause} |"))
    return [each.strip() for each in row.split("|")[4:-1]]


@pytest.mark.parametrize(
    ("other", "heads"),
    [
        (replace(DOCKER, version="28"), "| docker 27.1 | docker 28 |"),
        (
            replace(DOCKER, date="2026-12-01"),
            "| docker 27.1 2026-11-24 | docker 27.1 2026-12-01 |",
        ),
    ],
)
def test_columns_of_one_runner_are_told_apart(other: Scorecard, heads: str) -> None:
    assert f"| family | level {heads}" in markdown([DOCKER, other]).splitlines()
