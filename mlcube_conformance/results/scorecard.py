"""How runners stand to the clauses, for a terminal and as a page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mlcube_conformance.base.markdown import cell, table
from mlcube_conformance.base.text import plain
from mlcube_conformance.clauses import CLAUSES
from mlcube_conformance.clauses.page import FAMILIES
from mlcube_conformance.results.finding import in_numbers
from mlcube_conformance.results.tested_runners import labels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlcube_conformance.results.judgements import Judgement, Scorecard

__all__ = ["lines", "markdown"]

_LEVELS = ("MUST", "SHOULD")
_UNEXPECTED = "passed against expectation"
_EXPECTED = "expected fail"
_WORDS = {
    "passed": "✔ pass",
    _UNEXPECTED: "✔ unexpected pass",
    "failed": "✘ FAIL",
    "error": "✘ ERROR",
    _EXPECTED: "✘ expected fail",
    "unsupported": "- unsupported",
    "not applicable": "- n/a",
    "not run": "- not run",
}
_MOST = 400


def _result(judgement: Judgement) -> str:
    """Return the verdict, and whether it was expected."""
    if judgement.expected and judgement.verdict in {"passed", "failed"}:
        return _UNEXPECTED if judgement.verdict == "passed" else _EXPECTED
    return judgement.verdict


def _is_open(judgement: Judgement) -> bool:
    """Say whether a judgement deserves a line of its own."""
    return judgement.broken or _result(judgement) == _UNEXPECTED


def lines(card: Scorecard) -> Iterator[str]:
    """Yield a card for a terminal: the counts, then what was expected not to be met.

    Any other failure is shown by pytest, in full.
    """
    yield plain(_described(card))
    rows = [(family, level, text[0]) for family, level, text in _summaries([card])]
    width = max((len(family) for family, _, _ in rows), default=0)
    for family, level, text in rows:
        yield f"  {family:<{width}}  {level:<6}  {text}"
    for each in card.ordered():
        if _result(each) == _EXPECTED:
            yield f"{each.clause} {_EXPECTED}: {each.of.sentence}"
            yield f"  {_short(_why(each))}"
    yield _verdict(card)


def _why(judgement: Judgement) -> str:
    """Return why it is so, and what showed it, if that says more."""
    return "; ".join(filter(None, (judgement.reason, judgement.seen)))


def _short(reason: str) -> str:
    line = " ".join(plain(reason).split())
    return line if len(line) <= _MOST else f"{line[: _MOST - 1]}…"


def _described(card: Scorecard) -> str:
    of = f"{card.runner} {card.version}".rstrip()
    cubes = f", {card.format} cubes" if card.format else ""
    return f"{of}{cubes}, {card.date}, mlcube-conformance {card.tool}"


def _verdict(card: Scorecard) -> str:
    musts = [
        each
        for each in card.judgements
        if each.of.level == "MUST" and each.verdict != "not applicable"
    ]
    judged = [each for each in musts if each.verdict != "not run"]
    errors = sum(each.verdict == "error" for each in judged)
    unmet = sum(each.verdict not in {"passed", "error"} for each in judged)
    left = len(musts) - len(judged)
    if not judged:
        return "no MUST was judged"
    if unmet:
        found = f"{unmet} of {len(judged)} MUST not met"
    elif errors or left:
        found = f"{len(judged) - errors} MUST met"
    else:
        return "every MUST is met"
    said = in_numbers({"error": errors}, ["error"])
    return ", ".join([found, *said, *([f"{left} MUST not run"] if left else [])])


def markdown(cards: Sequence[Scorecard]) -> str:
    """Return a page on one runner, or on several side by side."""
    return "\n".join(_page(cards)) + "\n"


def _page(cards: Sequence[Scorecard]) -> Iterator[str]:
    names = _names(cards)
    yield f"# Scorecard of {', '.join(names)}"
    yield ""
    for card in cards:
        yield f"- {cell(_described(card))}: {_verdict(card)}"
    yield from ("", "## Summary", "")
    yield from table(
        ("family", "level", *names),
        ((family, level, *texts) for family, level, texts in _summaries(cards)),
    )
    for name, card in zip(names, cards, strict=True):
        listed = [each for each in card.ordered() if _is_open(each)]
        errors = [each for each in listed if each.verdict == "error"]
        unmet = [each for each in listed if each.verdict != "error"]
        yield from _not_met(f"Not met by {name}", unmet)
        yield from _not_met(f"Errors in the test of {name}", errors)
        yield from _not_supported(name, card)
    yield from ("", "## All clauses", "")
    heads = [*names, "seen"] if len(cards) == 1 else names
    yield from table(("clause", "level", "requirement", *heads), _all_rows(cards))


def _names(cards: Sequence[Scorecard]) -> list[str]:
    """Return the heading of each card's column."""
    told = ((each.runner, each.version, each.format, each.date) for each in cards)
    return [cell(each, 60) for each in labels_of(told)]


def _summaries(
    cards: Sequence[Scorecard],
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield family, level and a text for each card; the families together last.

    What was not run is left out, as of a run with `-k`.
    """
    for family in (*FAMILIES, "all"):
        for level in _LEVELS:
            counts = tuple(
                _count(
                    each
                    for each in card.judgements
                    if each.verdict != "not run"
                    and each.of.level == level
                    and family in {each.of.family, "all"}
                )
                for card in cards
            )
            if any(counts):
                yield family, level, tuple(map(_counted, counts))


def _count(judgements: Iterable[Judgement]) -> Counter[str]:
    return Counter(map(_result, judgements))


def _counted(count: Counter[str]) -> str:
    """Return a count as in "7 of 9 passed, 1 failed, 1 unsupported"."""
    asked = count.total() - count["not applicable"]
    if not asked:
        return "n/a" if count else "-"
    passed = count["passed"] + count[_UNEXPECTED]
    others = (word for word in _WORDS if word != "passed" and count[word])
    told = (f"{count[word]} {word}" for word in others)
    return ", ".join([f"{passed} of {asked} passed", *told])


def _not_met(title: str, judgements: Sequence[Judgement]) -> Iterator[str]:
    if judgements:
        yield from ("", f"## {title}", "")
        yield from table(
            ("clause", "level", "requirement", "result", "reason"),
            (
                (
                    each.clause,
                    each.of.level,
                    cell(each.of.sentence),
                    _WORDS[_result(each)],
                    cell(_why(each), _MOST),
                )
                for each in judgements
            ),
        )


def _not_supported(name: str, card: Scorecard) -> Iterator[str]:
    judgements = [each for each in card.ordered() if each.verdict == "unsupported"]
    if judgements:
        yield from ("", f"## Not supported by {name}", "")
        yield from table(
            ("clause", "level", "requirement", "reason"),
            (
                (
                    each.clause,
                    each.of.level,
                    cell(each.of.sentence),
                    cell(each.reason, _MOST),
                )
                for each in judgements
            ),
        )


def _all_rows(cards: Sequence[Scorecard]) -> Iterator[tuple[str, ...]]:
    judged = [{each.clause: each for each in card.judgements} for card in cards]
    for each in CLAUSES:
        found = [one.get(each.id) for one in judged]
        if all(one is None or one.verdict == "not run" for one in found):
            continue
        words = [_WORDS[_result(one)] if one else "" for one in found]
        if len(cards) == 1:
            words += [cell(_why(one), _MOST) for one in found if one]
        yield each.id, each.level, cell(each.sentence), *words
