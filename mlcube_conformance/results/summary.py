"""What the findings of a run come to, and whether they say anything."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlcube_conformance.results.finding import Finding

__all__ = ["of_runs", "said_nothing", "skips"]

_OF_RUNS = ("placement", "case", "comparison")
_DEFINED = ("cube", "platform")
_LEFT_OUT = ("not run", "not applicable", "unsupported")


def of_runs(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that took an image or a run."""
    return [each for each in findings if each.subject.kind in _OF_RUNS]


def skips(findings: Sequence[Finding]) -> Counter[str]:
    """Count why tests of images and runs were skipped."""
    return Counter(
        each.reason for each in of_runs(findings) if each.verdict in _LEFT_OUT
    )


def said_nothing(findings: Sequence[Finding], deselected: int) -> str:
    """Return why a run without a failure shows nothing, or "" if it shows some."""
    found = of_runs(findings)
    if found and all(each.verdict in _LEFT_OUT for each in found):
        return "every case was skipped: nothing was tested"
    definitions = any(
        each.subject.kind in _DEFINED and each.verdict == "passed" for each in findings
    )
    if deselected and not found and not definitions:
        return "no test was selected: nothing was tested"
    return ""
