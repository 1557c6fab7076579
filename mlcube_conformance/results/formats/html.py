"""A run as one HTML page, which needs nothing else and reaches nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mlcube_conformance import results
from mlcube_conformance.base.sizes import in_words
from mlcube_conformance.base.text import command_line, mask, plain
from mlcube_conformance.results.finding import passed_failed_errors
from mlcube_conformance.results.matrix import (
    columns_of,
    levels_of_cube,
    name_of,
    numbers_of,
    rows_of,
    seen_of,
)
from mlcube_conformance.results.overview import BAD, STATES
from mlcube_conformance.results.pictures import is_picture
from mlcube_conformance.results.reading import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlcube_conformance.results.overview import Overview, Part
    from mlcube_conformance.results.report import Report

__all__ = ["SUFFIX", "report"]

SUFFIX = ".html"

#: Characters of logs, and of pictures in base64, of the whole page.
_LOGS, _PICTURES = 2_000_000, 3_000_000
#: Characters of one log.
_LONGEST = 200_000
#: Parts from which those that passed are shown in short.
_MANY = 500
#: Entries of a list that is not the matrix.
_MOST = 200
_SLOWEST = 30
#: States of which a list of clauses says enough.
_QUIET = ("passed", "not applicable", "not run")
_LOOKS = {**dict.fromkeys(BAD, "bad"), "warning": "warn", "passed": "good"}
_SIGNS = {"bad": "✘", "warn": "!", "good": "✔", "none": "-"}
_COLUMNS = """\
:root {{ --least: {least}rem;
  --columns: {heads} repeat({count}, minmax(8rem, 1fr)); }}
@media (max-width: 40rem) {{ :root {{ --least: {small}rem;
  --columns: minmax(7rem, 1fr) repeat({count}, minmax(7rem, 1fr)); }} }}
"""
#: Width of the first two columns: cube and task, or family and clause.
_OF_CUBES, _OF_RUNNERS = (
    "minmax(5rem, 12rem) minmax(7rem, 14rem)",
    "5rem minmax(14rem, 3fr)",
)
_STATIC = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"


def report(shown: Report) -> str:
    """Return the page."""
    # Only here: it takes time to import.
    from jinja2 import Environment  # noqa: PLC0415
    from markupsafe import Markup  # noqa: PLC0415 - comes with it

    environment = Environment(
        autoescape=True,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _part_of_page("css"), _part_of_page("js")
    view = _View(shown.overview)
    count = len(columns_of(shown.overview))
    heads = _OF_RUNNERS if shown.overview.runners else _OF_CUBES
    least, small = 15 + 9 * count, 7 + 7 * count
    style += _COLUMNS.format(heads=heads, count=count, least=least, small=small)
    return environment.from_string(_part_of_page("html")).render(
        **view.values(),
        shown=shown,
        policy=f"{_STATIC}; style-src {_hash(style)}; script-src {_hash(script)}",
        style=Markup(style),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours
    )


@cache
def _part_of_page(kind: str) -> str:
    return (files(results) / "template" / f"report.{kind}").read_text("utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest())
    return f"'sha256-{digest.decode()}'"


def _clean(value: object) -> object:
    """Return a value that is shown without secrets and control characters."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return plain(mask(value))
    return value


def _look(state: str) -> str:
    return _LOOKS.get(state, "none")


class _View:
    """What the template shows of an overview."""

    def __init__(self, overview: Overview) -> None:
        """Give the room for logs and pictures to what failed first."""
        self._overview = overview
        self._rows = rows_of(overview)
        self._by_title = {
            (part.cube, row.title): row
            for rows in self._rows.values()
            for row in rows
            for part in row.parts.values()
        }
        self._texts: dict[int, str] = {}
        self._seen: set[int] = set()
        logs, pictures = _LOGS, _PICTURES
        for part in sorted(overview.parts, key=lambda each: each.state not in BAD):
            most = min(_LONGEST, logs)
            for run in part.runs:
                for log in run.get("logs", ()):
                    text = "\n".join(log["tail"])[-most:] if most > 0 else ""
                    self._texts[id(log)] = text
                    logs -= len(text)
                for each in run.get("pictures", ()):
                    if len(each["data"]) <= pictures:
                        pictures -= len(each["data"])
                        self._seen.add(id(each))

    def values(self) -> dict[str, Any]:
        """Return what the template names."""
        overview, counts = self._overview, self._overview.counts
        ended = [each for each in overview.parts if each.seconds]
        slowest = sorted(ended, key=lambda each: -(each.seconds or 0))[:_SLOWEST]
        told = {(each.clause, each.sentence) for _, each in overview.checks}
        columns = columns_of(overview)
        return {
            "overview": overview,
            "most": _MOST,
            "quiet": _QUIET,
            "columns": columns,
            "counts": [(s, counts[s]) for s in reversed(STATES) if counts[s]],
            "ids": {part.key: f"case-{at}" for at, part in enumerate(overview.parts)},
            "failures": [each for each in overview.checks if each[1].is_bad],
            "cubes": self._rows,
            "levels": {each: levels_of_cube(overview, each) for each in self._rows},
            "places": [] if overview.runners else [*self._places(columns)],
            "slowest": slowest,
            "longest": max((each.seconds or 0 for each in slowest), default=0),
            "runs": overview.record.get(PARTS) or [overview.record],
            "clauses": sorted(each for each in told if each[0]),
            "is_packed": self._is_packed,
            "look": _look,
            "sign": lambda state: _SIGNS[_look(state)],
            "shown_verdict": self._shown_verdict,
            "seen_of": seen_of,
            "numbers": lambda each: numbers_of(overview, each.label),
            "of_runners": bool(overview.runners),
            "name": name_of,
            "size": in_words,
            "command": command_line,
            "rest": _rest,
            "logs": self._logs,
            "pictures": self._pictures,
            "siblings": self._siblings,
        }

    def _shown_verdict(self, part: Part) -> str:
        """Return the verdict on a part in a cell."""
        if self._overview.runners:
            return part.state
        asked = part.counts.total() - part.counts["not applicable"]
        return f"{part.counts['passed']}/{asked}"

    def _is_packed(self, part: Part) -> bool:
        """Say whether a script unfolds a part: a browser takes long for very many."""
        return len(self._overview.parts) > _MANY and part.state not in BAD

    def _siblings(self, part: Part) -> list[Part]:
        """Return the same task on each platform, where a matrix says too little."""
        if self._is_packed(part):
            return []
        row = self._by_title[part.cube, part.title]
        return [each for each in row.parts.values() if each.column]

    def _places(self, columns: list[str]) -> Iterator[dict[str, Any]]:
        """Yield each cube on each platform in numbers."""
        overview = self._overview
        engines = {
            (each["cube"], each["platform"]): each["engine"] or each["runner"]
            for each in overview.record["platforms"]
        }
        for cube, rows in self._rows.items():
            for column in columns if len(columns) > 1 else ():
                parts = [row.parts[column] for row in rows if column in row.parts]
                if not parts:
                    continue
                counts = sum((each.counts for each in parts), Counter[str]())
                image = next((each for each in parts if each.title == "image"), None)
                tasks = [each.seconds or 0 for each in parts if each is not image]
                platform = column.partition(" on ")[0]
                yield {
                    "cube": cube,
                    "column": column,
                    "level": overview.levels.get((cube, column), {}).get("level", ""),
                    "numbers": passed_failed_errors(counts),
                    "size": in_words(image.bytes) if image and image.bytes else "",
                    "configure": image.seconds if image else None,
                    "tasks": sum(tasks) or None,
                    "engine": engines.get((cube, platform), ""),
                }

    def _logs(self, part: Part, run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the logs of a run that say something, as far as there is room."""
        shown = any(m.tail for check in part.checks for m in check.messages)
        for log in run.get("logs", ()):
            text = self._texts[id(log)]
            if log["tail"]:
                whole = len(text) >= len("\n".join(log["tail"]))
                yield {
                    **log,
                    "text": text,
                    "cut": not whole or log["bytes"] > 2 * len(text) + 1,
                    "kept": self._overview.keeps_logs(part),
                    "is_open": part.state in BAD and not shown,
                }

    def _pictures(self, run: Mapping[str, Any]) -> Iterator[dict[str, str]]:
        for each in run.get("pictures", ()):
            if id(each) not in self._seen:
                continue
            try:
                content = base64.b64decode(each["data"], validate=True)
            except ValueError:
                continue  # A secret was taken out of it, or it never was base64.
            if is_picture(each["type"], content):
                source = f"data:{each['type']};base64,{each['data']}"
                yield {"name": f"{each['output']}/{each['name']}", "source": source}


def _rest(part: Part) -> Iterator[tuple[str, str]]:
    """Yield the states of which no more is shown, with the clauses in each."""
    for state in _QUIET:
        reasons: dict[str, list[str]] = {}
        for check in part.checks:
            if check.state == state and "seen" not in check.finding["facts"]:
                name = check.clause or check.sentence
                reasons.setdefault(str(check.finding["reason"]), []).append(name)
        for reason, names in reasons.items():
            words = ", ".join(names)
            yield state, f"{words}: {reason}" if reason else words
