"""`mlcube-conformance scorecard`: what runners meet, side by side."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from mlcube_conformance.base.errors import UsageError, Violation
from mlcube_conformance.base.files import read_text
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.writing import refuse_to_replace
from mlcube_conformance.commands.output import (
    refusing,
    show_or_write,
)
from mlcube_conformance.results.judgements import Scorecard, scorecards_of
from mlcube_conformance.results.reading import read_record
from mlcube_conformance.results.scorecard import markdown

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["scorecard"]

#: Bytes of a scorecard: a hundred times those of one.
_LARGEST_CARD = 16 * 1024 * 1024


@click.command(short_help="Print scorecards, several side by side, as Markdown.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--output", metavar="FILE", help="Output file (default: the terminal).")
def scorecard(files: tuple[str, ...], output: str | None) -> None:
    """Print scorecards, several side by side, as Markdown.

    A FILE is a scorecard in JSON, or the record.json of a test of a runner.

    Example: mlcube-conformance scorecard docker.json local.json
    """
    with refusing():
        places = [given_path(each, "FILE") for each in files]
        if output is not None:
            refuse_to_replace(places, given_path(output, "--output"), "--output")
        page = markdown([card for each in places for card in _read_cards(each)])
        show_or_write(page, output)


def _read_cards(file: Path) -> list[Scorecard]:
    try:
        text = read_text(file, limit=_LARGEST_CARD)
    except Violation as violation:
        raise UsageError(*violation.messages) from violation
    with suppress(ValueError, RecursionError):
        document = json.loads(text)
        if isinstance(document, dict) and document.get("suite") == "runner":
            return scorecards_of(read_record(file))
    return [Scorecard.from_json(text, where=str(file))]
