"""Reads records of runs, those of killed runs too, and joins several into one."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.errors import Message, UsageError, Violation
from mlcube_conformance.base.files import read_text
from mlcube_conformance.base.text import plain, visible
from mlcube_conformance.formats.json_schema import validator_of
from mlcube_conformance.results.distinct_cubes import with_distinct_cubes
from mlcube_conformance.results.record import LISTS, lines_of, parsed, whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["LARGEST", "PARTS", "joined", "read_record"]

#: Key of a joined record that lists the runs it was made from.
PARTS = "parts"
#: What tells one run from another.
_OF_RUN = ("run", "began", "ended", "tool", "host", "command", "folder", "runner")
#: Bytes of a record.
LARGEST = 512 * 1024 * 1024
_SHOWN = 200


@cache
def _schema() -> dict[str, Any]:
    file = files(__package__) / "record.schema.json"
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def read_record(file: Path) -> dict[str, Any]:
    """Return the record of a run, from `record.json` or from `record.jsonl`.

    Lines that do not follow the schema are left out: a killed run cuts its last one,
    and a task may write to the file.

    Raises:
        UsageError: It cannot be read, or is not a record.
    """
    try:
        text = read_text(file, limit=LARGEST)
    except Violation as violation:
        raise UsageError(*violation.messages) from violation
    if file.suffix == ".jsonl":
        record = _without_others(whole(lines_of(text)))
    else:
        try:
            record = parsed(text)
        except (ValueError, RecursionError) as error:
            raise _refused(file, f"not JSON: {error}", "a JSON document") from error
    for wrong in validator_of(_schema()).iter_errors(record):
        at = ".".join(str(each) for each in wrong.absolute_path)
        found = visible(plain(wrong.message))[:_SHOWN]
        raise _refused(
            file,
            f"{visible(at)}: {found}" if at else found,
            "a record that follows the schema of this version",
        )
    return dict(record)


def _without_others(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without the events that do not follow its schema."""
    for name in LISTS:
        items = {**_schema()["properties"][name]["items"], "$defs": _schema()["$defs"]}
        follows = validator_of(items).is_valid
        record[name] = [each for each in record[name] if follows(each)]
    return record


def _refused(file: Path, found: str, expected: str) -> UsageError:
    return UsageError(
        Message(
            what="the file is not the record of a run",
            where=visible(str(file)),
            found=found,
            expected=expected,
            do="give a record.json or a record.jsonl from .mlcube-conformance/",
        )
    )


def joined(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one record of several runs, such as the jobs of a matrix.

    Each event says which run it is from. Of a run that is given twice, the last
    record counts.

    Raises:
        UsageError: They are of different suites.
    """
    records = list({each["run"]: each for each in records}.values())
    if len(records) == 1:
        return records[0]
    if len({each["suite"] for each in records}) > 1:
        raise UsageError(
            Message(
                what="the records cannot be joined",
                found="records of cubes and of runners",
                expected="records of cubes, or of runners",
                do="write a report for each of them",
            )
        )
    records = with_distinct_cubes(records)
    parts = [part for each in records for part in _parts_of(each)]
    ends = [each["ended"] for each in parts]
    found = {
        **records[0],
        "run": "+".join(each["run"] for each in records),
        "began": min(each["began"] for each in records),
        "ended": None
        if None in ends
        else {
            "at": max(each["at"] for each in ends),
            "exit_code": max(each["exit_code"] for each in ends),
        },
        PARTS: parts,
    }
    for name in LISTS:
        found[name] = [
            {"run": record["run"], **each}
            for record in records
            for each in record.get(name, ())
        ]
    return found


def _parts_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    alone = {key: record[key] for key in _OF_RUN if key in record}
    return list(record.get(PARTS) or [alone])
