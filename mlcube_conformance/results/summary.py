"""What the findings of a run come to, and whether they say anything."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlcube_conformance.results.finding import Finding

__all__ = ["left_out", "of_runs", "said_nothing", "skips"]

_OF_RUNS = ("placement", "case", "comparison")
_DEFINED = ("cube", "platform")
_LIMIT = "unsupported"
_LEFT_OUT = ("not run", "not applicable", _LIMIT)


def of_runs(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that took an image or a run."""
    return [each for each in findings if each.subject.kind in _OF_RUNS]


def skips(findings: Sequence[Finding]) -> Counter[str]:
    """Count why tests of images and runs were skipped."""
    return Counter(
        each.reason
        for each in of_runs(findings)
        if each.verdict in _LEFT_OUT and not (each.verdict == _LIMIT and each.messages)
    )


def left_out(findings: Sequence[Finding]) -> list[str]:
    """Return the lines that say what was not tested, and why."""
    lines = []
    for message in _unsupported(findings):
        lines += ["mlcube-conformance: unsupported, by no fault of the cube:", message]
    for reason, count in skips(findings).most_common():
        lines.append(f"mlcube-conformance: {count} skipped: {reason}")
    return lines


def _unsupported(findings: Sequence[Finding]) -> list[str]:
    """Return what cubes ask for and is not given here, each once."""
    messages = (
        str(message)
        for each in findings
        if each.verdict == _LIMIT
        for message in each.messages
    )
    return [*dict.fromkeys(messages)]


def said_nothing(findings: Sequence[Finding], deselected: int) -> str:
    """Return why a run without a failure shows nothing, or "" if it shows some."""
    found = of_runs(findings)
    if found and all(each.verdict in _LEFT_OUT for each in found):
        return "every case was skipped: nothing was tested"
    if not found and any(each.verdict == _LIMIT for each in findings):
        return "nothing of the cube is supported: nothing was tested"
    definitions = any(
        each.subject.kind in _DEFINED and each.verdict == "passed" for each in findings
    )
    if deselected and not found and not definitions:
        return "no test was selected: nothing was tested"
    return ""
