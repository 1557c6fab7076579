"""A run as a page of Markdown, short enough for the summary of a job on GitHub."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlcube_conformance.base.markdown import cell, table
from mlcube_conformance.base.text import mask, plain
from mlcube_conformance.results.matrix import (
    DIFFERENT,
    columns_of,
    levels_of_cube,
    name_of,
    numbers_of,
    rows_of,
    seen_of,
)
from mlcube_conformance.results.overview import BAD, STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlcube_conformance.results.overview import Check, Overview, Part
    from mlcube_conformance.results.report import Report

__all__ = ["LARGEST", "page"]

#: Characters of a page: GitHub takes 1 MiB for all steps of a job.
LARGEST = 256 * 1024
_ROWS, _FAILURES, _CHANGES = 200, 50, 50
_MARKS = {
    **dict.fromkeys(BAD, "❌"),
    "passed": "✅",
    "warning": "⚠️",
    "unsupported": "-",
    "not run": "-",
    "not applicable": "-",
    "expected failure": "☑️",
}


def page(shown: Report) -> str:
    """Return the page."""
    text = ""
    for number, line in enumerate(_lines(shown)):
        if len(text) + len(line) > LARGEST:
            return f"{text}\n… cut after {number} paragraphs\n"
        text += f"{line}\n"
    return text


def _lines(shown: Report) -> Iterator[str]:
    """Yield paragraphs, whole: none may be cut."""
    overview = shown.overview
    sign = "❌" if overview.is_bad else "✅"
    yield f"## {sign} {cell(overview.title)}: {cell(overview.verdict)}\n"
    if overview.is_killed:
        yield "The run did not come to its end: this is what was known.\n"
    if overview.runners:
        yield "\n".join(_runners(overview)) + "\n"
        yield "\n".join(_clauses(overview)) + "\n"
    else:
        yield "\n".join(_matrix(overview)) + "\n"
    if shown.changes is not None:
        yield "\n".join(_changes(shown)) + "\n"
    bad = [(part, each) for part, each in overview.checks if each.is_bad]
    for part, check in bad[:_FAILURES]:
        yield "\n".join(_failure(overview, part, check)) + "\n"
    if len(bad) > _FAILURES:
        yield f"… and {len(bad) - _FAILURES} more.\n"
    yield from _others(overview)


def _matrix(overview: Overview) -> Iterator[str]:
    columns = columns_of(overview)
    lines: list[tuple[str, ...]] = []
    for cube, rows in rows_of(overview).items():
        levels = levels_of_cube(overview, cube)
        if levels:
            words = (
                f"**{each['level'] or 'no level'}**" if each else "" for each in levels
            )
            lines.append((f"**{cell(cube)}**", "level", *words))
        for row in rows:
            shared = row.parts.get("")
            cells = (row.parts.get(each) or shared for each in columns)
            lines.append((cell(cube), cell(row.title), *map(_cell, cells)))
    head = ("cube", "task", *(cell(each) or "all" for each in columns))
    yield from table(head, lines[:_ROWS])
    if len(lines) > _ROWS:
        yield f"\n… and {len(lines) - _ROWS} more rows."


def _runners(overview: Overview) -> Iterator[str]:
    head = (
        "runner",
        "version",
        "cubes",
        "platform",
        "passed",
        "failed",
        "errors",
        "host",
        "date",
    )
    yield from table(
        head,
        (
            (
                *map(cell, (each.label, each.version, each.format, each.platform)),
                *map(str, numbers_of(overview, each.label)),
                *map(cell, (each.host, each.date)),
            )
            for each in overview.runners.values()
        ),
    )


def _clauses(overview: Overview) -> Iterator[str]:
    """Yield clauses by runners; of one runner alone, what was seen too."""
    columns = columns_of(overview)
    alone = columns[0] if len(columns) == 1 else None
    lines: list[tuple[str, ...]] = []
    for group, rows in rows_of(overview).items():
        if group == DIFFERENT or (lines and lines[0][0] == f"**{DIFFERENT}**"):
            lines.append((f"**{group}**", *[""] * (len(columns) + 1)))
        for row in rows:
            parts = [row.parts.get(each) for each in columns]
            words = [f"{_MARKS[one.state]} {one.state}" if one else "" for one in parts]
            if alone is not None:
                words.append(
                    cell("; ".join(map(seen_of, row.parts[alone].checks)), 300)
                )
            lines.append((cell(row.title), cell(row.sentence), *words))
    more = [] if alone is None else ["seen"]
    yield from table(("clause", "requirement", *map(cell, columns), *more), lines)


def _cell(part: Part | None) -> str:
    if part is None:
        return ""
    words = [_MARKS[part.state]]
    done = sum(part.counts[each] for each in STATES[:-1])
    words.append(f"{part.counts['passed']}/{done}" if done else part.state)
    if part.seconds is not None:
        words.append(f"{part.seconds:.1f} s")
    return " ".join(words)


def _failure(overview: Overview, part: Part, check: Check) -> Iterator[str]:
    where = name_of(part)
    reason = check.finding["reason"] or check.state
    yield f"### {_MARKS[check.state]} {cell(f'{where}: {reason}', 200)}\n"
    about = (
        f"**{cell(check.clause)}** {cell(check.sentence)}"
        if check.clause
        else check.state
    )
    yield about + (f" ({check.state})" if check.state != "failed" else "")
    yield from _fence(map(str, check.messages))
    if check.more:
        yield f"\nMore: `{check.more}`"
    for name, text in check.finding["facts"].items():
        if name in {"again", "by hand"}:
            yield from (f"\n{cell(name)}:", *_fence([text]))
    if not overview.keeps_logs(part):
        yield "\nThe logs were removed at the end of the run."


def _fence(texts: Iterable[str]) -> Iterator[str]:
    """Yield a block in which nothing is Markdown."""
    text = plain(mask("\n\n".join(texts)))
    if text:
        longest = max((len(each) for each in re.findall("`+", text)), default=0)
        fence = "`" * max(3, longest + 1)
        yield from (f"\n{fence}text", text, fence)


def _changes(shown: Report) -> Iterator[str]:
    found = shown.changes or ()
    yield "### Compared with the baseline\n"
    if not found:
        yield "Nothing changed."
        return
    yield from table(
        ("", "change", "where", "what", "was", "now"),
        (
            (
                "❌" if each.is_regression else "✅" if each.kind == "fixed" else "-",
                each.kind,
                cell(each.where),
                cell(each.what, 200),
                cell(each.was),
                cell(each.now),
            )
            for each in found[:_CHANGES]
        ),
    )
    if len(found) > _CHANGES:
        yield f"\n… and {len(found) - _CHANGES} more."


def _others(overview: Overview) -> Iterator[str]:
    """Yield each reason why something was not tested or only warned of, once."""
    reasons: dict[tuple[str, str], int] = {}
    for _, check in overview.checks:
        if check.state not in {*BAD, "passed"}:
            key = (check.state, str(check.finding["reason"]))
            reasons[key] = reasons.get(key, 0) + 1
    if reasons:
        rows = (
            (cell(state), str(count), cell(reason, 200))
            for (state, reason), count in [*reasons.items()][:_ROWS]
        )
        lines = table(("state", "checks", "reason"), rows)
        yield "<details><summary>What was not tested, or need not pass</summary>\n"
        yield "\n".join(lines) + "\n"
        yield "</details>\n"
    tool, host = overview.record["tool"], overview.record["host"]
    yield (
        f"mlcube-conformance {cell(tool['version'])}, "
        f"{cell(overview.record['began'])}, "
        f"{cell(host['system'])} {cell(host['machine'])}"
    )
