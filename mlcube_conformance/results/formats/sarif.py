"""A run in SARIF 2.1.0, which code scanning services and editors read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.results.sarif_log import sarif_log

if TYPE_CHECKING:
    from mlcube_conformance.results.report import Report

__all__ = ["SUFFIX", "report"]

SUFFIX = ".sarif"


def report(shown: Report) -> str:
    """Return the log: each clause that is not met, at a line of its cube."""
    return sarif_log(shown.flaws, shown.folder, shown.faults)
