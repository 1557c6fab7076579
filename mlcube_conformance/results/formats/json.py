"""A scorecard as JSON, which `mlcube-conformance scorecard` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlcube_conformance.results.judgements import Scorecard

__all__ = ["SUFFIX", "write"]

SUFFIX = ".json"


def write(card: Scorecard) -> str:
    """Return the document."""
    return card.to_json()
