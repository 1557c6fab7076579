"""Messages for a terminal, then everything in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.clauses import clause
from mlcube_conformance.clauses.naming import naming

if TYPE_CHECKING:
    from mlcube_conformance.results.flaw import Flaw
    from mlcube_conformance.validation.report import Report

__all__ = ["write"]

_LEVELS = {"error": "error", "warning": "warning", "note": "unsupported"}


def write(report: Report) -> str:
    """Return the text, in which nothing can steer a terminal."""
    shown = [_paragraph(each) for _, each in report.flaws()]
    return "\n\n".join([*shown, f"{report.counts}\n"])


def _paragraph(flaw: Flaw) -> str:
    named = naming(flaw.clause, clause(flaw.clause).sentence)
    lines = (f"  {label + ':':<10}{text}" for label, text in named.items())
    return "\n".join([f"{_LEVELS[flaw.level]}: {flaw.message}", *lines])
