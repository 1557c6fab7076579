"""Reports in files: one module each, by the suffix of the file."""

from __future__ import annotations

from mlcube_conformance.results.formats import writers
from mlcube_conformance.results.judgements import Judgement, Scorecard

CARD = Scorecard(
    runner="tiny",
    version="1",
    date="2026-11-27",
    tool="0.1.0",
    judgements=(Judgement("EXIT-2", "passed"),),
)


def test_reports_are_listed_by_their_suffix() -> None:
    assert list(writers()) == [".json", ".md"]


def test_each_report_is_what_its_suffix_says() -> None:
    assert Scorecard.from_json(writers()[".json"](CARD)) == CARD
    assert writers()[".md"](CARD).startswith("# Scorecard of tiny\n")
