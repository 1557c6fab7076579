"""`mlcube-conformance explain`: what a clause asks for, how it breaks, what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from mlcube_conformance.base.errors import Message, UsageError, did_you_mean
from mlcube_conformance.base.text import folded, visible
from mlcube_conformance.clauses.naming import known_clause, known_ids
from mlcube_conformance.commands.clause_facts import facts_of
from mlcube_conformance.commands.output import refusing, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlcube_conformance.clauses import Clause

__all__ = ["explain"]

_WIDTH: Final = 80
#: Columns of a label.
_LABEL: Final = 9
#: Columns before what a message says behind its label.
_BEHIND_LABEL: Final = 12


@click.command(short_help="Explain a clause: why, how it breaks, what to do.")
@click.argument(
    "clause_id",
    metavar="CLAUSE",
    shell_complete=lambda _, __, begun: [
        each for each in known_ids() if each.startswith(begun.upper())
    ],
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(*, clause_id: str, as_json: bool) -> None:
    """Explain a clause: what it asks for, why, how cubes break it, what to do.

    Example: mlcube-conformance explain OUTPUT-1
    """
    with refusing():
        found = facts_of(_named(clause_id))
        show(json.dumps(found, indent=2) + "\n" if as_json else _text(found))


def _named(clause_id: str) -> Clause:
    wanted = clause_id.upper()
    found = known_clause(wanted)
    if found is not None:
        return found
    raise UsageError(
        Message(
            what=f"unknown clause {clause_id!r}",
            where="CLAUSE",
            found=repr(clause_id),
            expected="an id, as each failure and `mlcube-conformance clauses` show it",
            do=did_you_mean(wanted, known_ids()) or "fix the id, such as OUTPUT-1",
        )
    )


def _text(found: dict[str, Any]) -> str:
    depth = f", for {found['depth']}" if found["depth"] else ""
    whose = f"{found['level']} of a {found['who']}{depth}"
    lines = [
        *_folded(f"{found['id']} ({whose}): {found['sentence']}", 0, 2),
        "",
        *_labelled("why", found["why"]),
        *_labelled("test", _test(found)),
        *_labelled("checks", found["checks"]),
        *_labelled("applies", _applies(found)),
        *_example(found["example"]),
        *_others(found),
        *_breaker(found["broken_by"]),
        "",
        *_waiver(found["waiver"]),
    ]
    return "".join(f"{visible(each)}\n" for each in lines)


def _test(found: dict[str, Any]) -> str:
    if not found["test"]:
        return f"none: {found['why_not']}"
    file, _, function = found["test"].partition("::")
    return f"{function} ({file})"


def _applies(found: dict[str, Any]) -> str:
    return f"where {', and '.join(found['needs'])}" if found["needs"] else ""


def _example(example: dict[str, Any] | None) -> Iterator[str]:
    """Yield how a cube breaks it, what is said of that, and what to do."""
    if not example:
        return
    yield ""
    yield from _labelled("example", example["breaks"])
    for each in example["difference"]:
        yield from _folded(f"  {each}", 0, 4)
    yield ""
    yield from _labelled("seen by", example["seen_by"])
    for each in example["message"]:
        yield from _folded(f"  {each}", 0, 2 + _BEHIND_LABEL) if each else ("",)
    yield ""
    yield from _labelled("fix", example["fix"])
    yield f"  try: mlcube-conformance zoo {example['name']} --to lesson"


def _others(found: dict[str, Any]) -> Iterator[str]:
    shown = found["example"]["name"] if found["example"] else ""
    others = [each for each in found["animals"] if each["name"] != shown]
    if others:
        yield from ("", "other cubes that break it:")
    for each in others:
        yield from _folded(f"{each['name']}: {each['breaks']}", 2, 4)
        yield from _folded(f"fix: {each['fix']}", 4, 9)


def _breaker(known: dict[str, str]) -> Iterator[str]:
    if known:
        yield ""
        yield from _labelled("broken", f"by {known['runner']}: {known['reason']}")


def _waiver(waiver: dict[str, Any]) -> Iterator[str]:
    if "why_not" in waiver:
        yield from _labelled("waive", waiver["why_not"])
        return
    yield from _folded(f"to let it fail for now, in {waiver['file']}:", 0, 0)
    yield from (f"  {each}" for each in waiver["lines"])
    if "note" in waiver:
        yield from _folded(f"({waiver['note']})", 0, 1)


def _labelled(label: str, text: str) -> Iterator[str]:
    """Yield a text behind its label, or nothing if it is empty."""
    if text:
        yield from _folded(f"{label + ':':<{_LABEL}}{text}", 0, _LABEL)


def _folded(text: str, first: int, others: int) -> list[str]:
    """Return a text in lines of a terminal.

    Args:
        text: One line.
        first: Columns before its first line.
        others: Columns before the others.
    """
    return folded(text, _WIDTH, " " * first, " " * others)
