"""A scorecard, or a run, as a page of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.results.page import page
from mlcube_conformance.results.scorecard import markdown

if TYPE_CHECKING:
    from mlcube_conformance.results.judgements import Scorecard
    from mlcube_conformance.results.report import Report

__all__ = ["SUFFIX", "report", "write"]

SUFFIX = ".md"


def write(card: Scorecard) -> str:
    """Return the page on a runner."""
    return markdown([card])


def report(shown: Report) -> str:
    """Return the page on a run: the matrix, then each failure once."""
    return page(shown)
