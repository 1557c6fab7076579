"""The record of a run: one line for each event as it happens, and all of it at the end.

A line is written at once and whole, so a crash, a kill or a full disk leaves what
was known. Several processes may write lines of one run.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.names import make_run_folder
from mlcube_conformance.base.text import masked
from mlcube_conformance.base.writing import write_with_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mlcube_conformance.results.finding import Finding

__all__ = [
    "LINES",
    "LISTS",
    "SCHEMA_VERSION",
    "WHOLE",
    "Record",
    "lines_of",
    "parsed",
    "read_lines",
    "whole",
]

SCHEMA_VERSION = 1
#: Name of the file that is written while a run goes on.
LINES = "record.jsonl"
#: Name of the file that is written at its end.
WHOLE = "record.json"

#: Where each kind of line stands in the whole, and what tells one of them from others.
_LISTS = {
    "cube": ("cubes", ("id",)),
    "platform": ("platforms", ("id",)),
    "configure": ("configures", ("subject",)),
    "run": ("runs", ("subject",)),
    "level": ("levels", ("subject",)),
    "call": ("calls", ("log",)),
    "finding": ("findings", ()),
}
#: Names of the lists of a whole record.
LISTS = tuple(name for name, _ in _LISTS.values())
#: Digits of the largest whole number: a float has room for 308.
_DIGITS = 300


class Record:
    """What is known of a run, in memory and in its files."""

    def __init__(self, folder: Path, copies: Sequence[Path] = ()) -> None:
        """Remember where to write; nothing is written yet.

        Args:
            folder: Folder of the run.
            copies: Further files for the whole record.
        """
        self._folder = folder
        self._copies = copies
        self._cut = False
        self._known: set[object] = set()
        self._own: list[dict[str, Any]] = []
        self.findings: list[Finding] = []
        self.whole: dict[str, Any] | None = None
        """All of it, once the run ended."""
        self.trouble = ""
        """Why the record cannot be written; "" where it can."""

    @property
    def lines(self) -> Path:
        """File that is written while the run goes on."""
        return self._folder / LINES

    def begin(self, **facts: object) -> None:
        """Write the first line: what the run is, and who runs it where."""
        self._own.append(self.event("begun", schema_version=SCHEMA_VERSION, **facts))

    def event(self, kind: str, **facts: object) -> dict[str, Any]:
        """Write one line: something happened; return it."""
        found: dict[str, Any] = masked({"kind": kind, "at": _now(), **facts})
        text = json.dumps(found, default=str)
        try:
            try:
                self._append(text)
            except FileNotFoundError:
                make_run_folder(self._folder)
                self._append(text)
        except OSError as error:
            self.trouble = self.trouble or f"{self.lines}: {error.strerror}"
        return found

    def _append(self, text: str) -> None:
        # In one call, which the system does not mix with those of other processes.
        line = f"\n{text}\n" if self._cut else f"{text}\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(self.lines, flags, 0o644)
        try:
            data = line.encode()
            self._cut = os.write(handle, data) < len(data)
        finally:
            os.close(handle)

    def is_new(self, what: object) -> bool:
        """Say whether this is asked for the first time of something."""
        known = what in self._known
        self._known.add(what)
        return not known

    def find(self, finding: Finding) -> None:
        """Keep what a test found."""
        self.findings.append(finding)
        self._own.append(self.event("finding", **finding.to_dict()))

    def end(self, exit_code: int) -> dict[str, Any]:
        """Write the last line, and the whole record; return it."""
        self._own.append(self.event("ended", exit_code=exit_code))
        # A task or a runner may write to the file: what is found is not theirs to say.
        own = {each["kind"] for each in self._own}
        others = (x for x in read_lines(self.lines) if x.get("kind") not in own)
        found = self.whole = whole([*others, *self._own])
        text = json.dumps(found, indent=2) + "\n"
        for file in (self._folder / WHOLE, *self._copies):
            try:
                write_with_folder(file, text)
            except OSError as error:
                self.trouble = self.trouble or f"{file}: {error.strerror}"
        return found


def _now() -> str:
    """Return the time as ISO 8601 has it, in UTC, with milliseconds."""
    now = time.time()
    day = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return f"{day}.{int(now % 1 * 1000):03}Z"


def read_lines(file: Path) -> list[dict[str, Any]]:
    """Return the lines of the record in a file; see `lines_of`."""
    with suppress(OSError):
        return lines_of(file.read_text(encoding="utf-8", errors="replace"))
    return []


def lines_of(text: str) -> list[dict[str, Any]]:
    """Return the lines of a record; one that was cut short is left out."""
    found = []
    for line in text.splitlines():
        with suppress(ValueError, RecursionError):
            each = parsed(line)
            if isinstance(each, dict) and isinstance(each.get("kind"), str):
                found.append(each)
    return found


def parsed(text: str) -> Any:  # noqa: ANN401 - as JSON knows it
    """Return the JSON document of a text.

    Raises:
        ValueError: It is not JSON, or holds a number too large to compute with.
        RecursionError: It is too deep.
    """
    return json.loads(text, parse_int=_whole_number)


def _whole_number(digits: str) -> int:
    if len(digits) > _DIGITS:
        found = f"a number of {len(digits)} digits"
        raise ValueError(found)
    return int(digits)


def whole(lines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a record as one document, from its lines.

    Of what began and ended, the end is kept. A run that was killed has no `ended`.
    """
    found: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "ended": None}
    lists: dict[str, dict[object, dict[str, Any]]] = {name: {} for name in LISTS}
    for number, line in enumerate(lines):
        facts = {key: value for key, value in line.items() if key != "kind"}
        kind = line.get("kind")
        if kind == "begun":
            found |= {"began": facts.pop("at", None), **facts}
        elif kind == "ended":
            found["ended"] = facts
        elif kind in _LISTS:
            name, keys = _LISTS[kind]
            told = [json.dumps(facts.get(key), sort_keys=True) for key in keys]
            lists[name][(*told, "" if keys else number)] = facts
    return found | {name: list(each.values()) for name, each in lists.items()}
