"""A scorecard as JSON, which `mlcube-conformance scorecard` reads, or a record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlcube_conformance.base.text import plain_json

if TYPE_CHECKING:
    from mlcube_conformance.results.judgements import Scorecard
    from mlcube_conformance.results.report import Report

__all__ = ["SUFFIX", "report", "write"]

SUFFIX = ".json"


def write(card: Scorecard) -> str:
    """Return the document."""
    return card.to_json()


def report(shown: Report) -> str:
    """Return the record, of several runs where they were joined; in ASCII."""
    return plain_json(json.dumps(shown.overview.record, indent=2)) + "\n"
