"""Compares what a task wrote with the promised result, the largest deviation first."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.paths import is_like
from mlcube_conformance.base.snapshots import snapshot
from mlcube_conformance.checks.documents.deviations import deviations
from mlcube_conformance.checks.documents.reading import (
    DocumentError,
    Judged,
    Wrong,
    read_document,
    read_file,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["differences", "kind_of"]

_KINDS = {".json": "json", ".yaml": "yaml", ".yml": "yaml", ".csv": "csv"}
_SHOWN = 10
_DO = (
    "fix the task, or take the new result with --update-snapshots if it is right;\n"
    "name what always changes in ignore, and give numbers a tolerance"
)


def kind_of(name: str) -> str:
    """Return how a file is compared: as a document of some kind, or "" for bytes."""
    return _KINDS.get(Path(name).suffix.lower(), "")


def differences(question: Mapping[str, Any]) -> Judged:
    """Judge whether an output is what the cube stored as expected."""
    rule = question["rule"]
    expected, found = Path(rule["place"]), Path(question["place"])
    cube, root = Path(question["cube"]), Path(question["root"])
    ignore: list[str] = rule["ignore"]
    names = {"expected": _files(expected, ignore), "found": _files(found, ignore)}
    if not names["expected"]:
        nothing = Wrong(
            found=f"nothing at {expected}",
            expected="a stored result to compare with",
            do="run again with --update-snapshots to store this one, if it is right",
        )
        return Judged(wrong=nothing)
    lines = [f"{each}: missing" for each in names["expected"] - names["found"]]
    lines += [
        f"{each}: not in the snapshot" for each in names["found"] - names["expected"]
    ]
    lines.sort()
    most: list[tuple[float, str]] = []
    for name in sorted(names["expected"] & names["found"]):
        ours = read_file(expected / name, cube)
        theirs = read_file(found / name, root)
        file = found.name if name == "." else name
        most += _compare(ours, theirs, file, rule)
    most.sort(key=lambda each: -each[0])
    lines += [text for _, text in most]
    if not lines:
        return Judged()
    more = len(lines) - _SHOWN
    wrong = Wrong(
        found="\n".join(lines[:_SHOWN]) + (f"\nand {more} more" if more > 0 else ""),
        expected=f"the same as {expected}"
        + (f", numbers within {rule['tolerance']}" if rule["tolerance"] else ""),
        do=_DO,
    )
    return Judged(wrong=wrong)


def _files(place: Path, ignore: Sequence[str]) -> set[str]:
    return {
        name
        for name, _ in snapshot(place).files()
        if not any(is_like(name, pattern) for pattern in ignore)
    }


def _compare(
    expected: bytes, found: bytes, name: str, rule: Mapping[str, Any]
) -> Iterator[tuple[float, str]]:
    """Yield the size and the text of each difference of two files."""
    if expected == found:
        return
    kind = kind_of(name)
    if kind:
        try:
            before = read_document(expected, kind, name)
            after = read_document(found, kind, name)
        except DocumentError as error:
            yield math.inf, error.wrong.found
            return
        for each in deviations(
            before, after, tolerance=rule["tolerance"], ignore=rule["ignore"]
        ):
            yield each.size, f"{name}: {each}"
        return
    if not rule.get("documents"):
        yield math.inf, f"{name}: {_first_difference(expected, found)}"


def _first_difference(expected: bytes, found: bytes) -> str:
    """Say where two files differ: the line of texts, else the byte."""
    at = next(
        (i for i, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b),
        min(len(expected), len(found)),
    )
    try:
        before, after = expected.decode(), found.decode()
    except UnicodeDecodeError:
        sizes = f"{len(found)} instead of {len(expected)} in all"
        return f"other bytes, the first at {at}: {sizes}"
    number = expected[:at].count(b"\n")
    lines = [
        said[number] if number < len(said) else "(the end)"
        for said in (after.splitlines(), before.splitlines())
    ]
    return f"line {number + 1}: {shown(lines[0])} instead of {shown(lines[1])}"
