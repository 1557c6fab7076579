"""A scorecard as a page of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.results.scorecard import markdown

if TYPE_CHECKING:
    from mlcube_conformance.results.judgements import Scorecard

__all__ = ["SUFFIX", "write"]

SUFFIX = ".md"


def write(card: Scorecard) -> str:
    """Return the page."""
    return markdown([card])
