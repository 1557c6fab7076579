"""A badge in SVG, with the level that every cube reaches on every platform."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from mlcube_conformance.base.text import visible
from mlcube_conformance.results.finding import in_numbers
from mlcube_conformance.results.overview import BAD

if TYPE_CHECKING:
    from mlcube_conformance.results.report import Report

__all__ = ["OPTION", "SUFFIX", "report"]

SUFFIX = ".svg"
OPTION = "badge"

_LABEL = "MLCube"
#: Pixels of a character, and beside a text.
_WIDTH, _MARGIN = 7, 10
_GREEN, _RED, _GREY = "#2c7a3f", "#b3261e", "#5f6368"
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" \
aria-label="{title}">
<title>{title}</title>
<rect width="{whole}" height="20" rx="3" fill="#444"/>
<path d="M{left} 0h{most}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{most}z" fill="{colour}"/>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" \
font-size="11">
<text x="{middle}" y="14">{label}</text>
<text x="{right}" y="14">{words}</text>
</g>
</svg>
"""


def report(shown: Report) -> str:
    """Return the badge; its title has all counts."""
    overview = shown.overview
    counts = overview.counts
    level = [] if "runner" in overview.record else [overview.level or "no level"]
    if overview.is_killed:
        words, colour = "not finished", _RED
    elif not counts:
        words, colour = "nothing checked", _GREY
    elif overview.is_bad:
        # A run may fail by what got worse alone.
        bad = [*in_numbers(counts, BAD)] or ["failed"]
        words, colour = ", ".join([*level, *bad]), _RED
    else:
        words, colour = ", ".join([*level, f"{counts['passed']} passed"]), _GREEN
    left = _WIDTH * len(_LABEL) + _MARGIN
    right = _WIDTH * len(words) + _MARGIN
    return _SVG.format(
        whole=left + right,
        left=left,
        most=right - 3,
        middle=left / 2,
        right=left + right / 2,
        colour=colour,
        label=_LABEL,
        words=escape(words),
        title=escape(visible(f"{_LABEL} conformance: {overview.verdict}")),
    )
