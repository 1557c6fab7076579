"""Certificates: what a run proved of cubes and images, as a statement of in-toto.

The predicate is in-toto's test-result 0.1, with further keys that readers of it skip:
https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from mlcube_conformance.base.errors import Message, UsageError, Violation
from mlcube_conformance.base.files import is_plain_file, read_text
from mlcube_conformance.results.overview import BAD, Overview
from mlcube_conformance.results.reading import joined, read_record
from mlcube_conformance.runners.common.content import cube_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["VERDICTS", "Point", "certificate", "read_certificate", "verified"]

#: What a certificate is worth: without its record, nobody can tell that it is true.
VERDICTS: Final = "verdicts"

_STATEMENT: Final = "https://in-toto.io/Statement/v1"
_PREDICATE: Final = "https://in-toto.io/attestation/test-result/v0.1"
#: Bytes of a certificate.
_LARGEST = 64 * 1024 * 1024
_ID = "sha256:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One statement of a certificate, and whether it holds."""

    state: Literal["holds", "changed", "not checked"]
    what: str
    why: str = ""


def certificate(records: Sequence[Path]) -> dict[str, Any]:
    """Return the statement on what the runs of these records proved.

    Args:
        records: Their files: `record.json`, or `record.jsonl` of a killed run.

    Raises:
        UsageError: One is not a record.
    """
    record = _record(records)
    return {
        "_type": _STATEMENT,
        "subject": [*_cubes(record), *_images(record)],
        "predicateType": _PREDICATE,
        "predicate": _predicate(record, records),
    }


def _record(records: Sequence[Path]) -> Mapping[str, Any]:
    return joined([*map(read_record, records)])


def _predicate(record: Mapping[str, Any], records: Sequence[Path]) -> dict[str, Any]:
    """Return all that a record alone says, whatever has become of cubes and images."""
    overview = Overview(record)
    tests: dict[str, list[str]] = {"passed": [], "warned": [], "failed": []}
    clauses = []
    for part, check in overview.checks:
        words = (check.clause or check.test, part.cube, part.title, part.column)
        name = " ".join(dict.fromkeys(filter(None, words)))
        if check.state == "passed":
            tests["passed"].append(name)
        elif check.state in BAD:
            tests["failed"].append(name)
        elif check.state != "not applicable":
            tests["warned"].append(name)
        clauses.append(
            {
                "clause": check.clause,
                "cube": part.cube,
                "part": part.title,
                "platform": part.column,
                "state": check.state,
                "reason": str(check.finding["reason"]),
                "test": check.test,
            }
        )
    result = "WARNED" if tests["warned"] else "PASSED"
    levels = {
        (each.get("run"), each["subject"]): each["level"]
        for each in record.get("levels", ())
    }
    return {
        "result": "FAILED" if overview.is_bad else result,
        "configuration": [
            {
                "name": "record",
                "uri": str(file.absolute()),
                "digest": {"sha256": _sha256(file)},
            }
            for file in records
        ],
        **{f"{name}Tests": found for name, found in tests.items()},
        **{key: record[key] for key in ("tool", "host", "ended", "command")},
        "platforms": [
            {
                **{key: each[key] for key in ("id", "cube", "platform", "engine")},
                "level": levels.get((each.get("run"), each["id"]), ""),
            }
            for each in record["platforms"]
        ],
        "clauses": clauses,
    }


def _cubes(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for each in record["cubes"]:
        if each["content"]:
            yield {
                "name": each["id"],
                "digest": {"sha256": each["content"].removeprefix(_ID)},
                "annotations": {
                    "kind": "cube",
                    "place": each["root"],
                    "file": Path(each["file"]).name,
                },
            }


def _images(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    subjects: dict[str, str] = {}
    for each in record["configures"]:
        if "image" in each:
            subjects.setdefault(each["image"]["name"], each["subject"])
    for name, subject in subjects.items():
        if found := _image_sha256(name):
            yield {
                "name": name,
                "digest": {"sha256": found},
                "annotations": {"kind": "image", "subject": subject},
            }


def _image_sha256(name: str) -> str:
    """Return the SHA-256 of a file, or the id of an image in Docker's daemon; or ""."""
    if name.startswith("/"):
        return _sha256(Path(name))
    # Loads the library of Docker.
    from mlcube_conformance.runners.docker.images import (  # noqa: PLC0415
        image_in_daemon,
    )

    return image_in_daemon(name).removeprefix(_ID)


def _sha256(file: Path) -> str:
    """Return the SHA-256 of a file; "" where there is none: it may come from others."""
    if not is_plain_file(file):
        return ""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def read_certificate(file: Path) -> dict[str, Any]:
    """Return a certificate.

    Raises:
        UsageError: It cannot be read, or is not one.
    """
    try:
        found = json.loads(read_text(file, limit=_LARGEST))
        right = found["_type"] == _STATEMENT and found["predicateType"] == _PREDICATE
        _check_shape(found)
    except Violation as violation:
        raise UsageError(*violation.messages) from violation
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        right = False
    if not right:
        raise UsageError(
            Message(
                what="not a certificate",
                where=str(file),
                found="no statement of in-toto on the result of a test",
                expected="what `mlcube-conformance certify` wrote",
                do="fix the path",
            )
        )
    return dict(found)


def _check_shape(found: dict[str, Any]) -> None:
    """Look at each value that is read later.

    Raises:
        LookupError, TypeError, AttributeError: It is missing, or of another type.
    """
    texts = []
    for each in found["subject"]:
        about = each["annotations"]
        texts += [each["name"], each["digest"]["sha256"], about["kind"]]
        is_cube = about["kind"] == "cube"
        texts += [about[x] for x in (("place", "file") if is_cube else ("subject",))]
    if not found["predicate"]["configuration"]:
        raise LookupError
    for each in found["predicate"]["configuration"]:
        texts += [each["uri"], each["digest"]["sha256"]]
    if not all(isinstance(each, str) for each in texts):
        raise TypeError


def verified(
    found: Mapping[str, Any], *, records: Sequence[Path], cube: Path | None
) -> Iterator[Point]:
    """Recompute what a certificate says, as far as that is possible here.

    Args:
        found: The certificate.
        records: Where the records are now; if none, where they were.
        cube: Where its only cube is now; None for where it was.
    """
    configuration = found["predicate"]["configuration"]
    files = [*records] or [Path(each["uri"]) for each in configuration]
    held = True
    for each, file in zip(configuration, files, strict=False):
        point = _compared(f"record {file}", each["digest"]["sha256"], _sha256, file)
        held = held and point.state == "holds"
        yield point
    if held and len(files) == len(configuration):
        same = _says_the_same(found, _record(files), files)
        yield Point(
            state="holds" if same else "changed",
            what=VERDICTS,
            why="" if same else "the certificate says other than its record",
        )
    else:
        why = "they stand in the record"
        yield Point(state="not checked", what=VERDICTS, why=why)
    for each in found["subject"]:
        name, wanted = each["name"], each["digest"]["sha256"]
        if each["annotations"]["kind"] == "cube":
            place = cube or Path(each["annotations"]["place"])
            main = place / Path(each["annotations"]["file"]).name
            yield _compared(f"cube {name} in {place}", wanted, _cube_sha256, main)
        else:
            yield _compared(f"image {name}", wanted, _image_sha256, name)


def _says_the_same(
    found: Mapping[str, Any], record: Mapping[str, Any], files: Sequence[Path]
) -> bool:
    """Say whether a certificate says of verdicts and cubes what its record says."""
    again = _predicate(record, files)
    cubes = [x for x in found["subject"] if x["annotations"]["kind"] == "cube"]
    return cubes == [*_cubes(record)] and (
        _without_places(again) == _without_places(found["predicate"])
    )


def _without_places(predicate: Mapping[str, Any]) -> dict[str, Any]:
    digests = [each["digest"] for each in predicate["configuration"]]
    return {**predicate, "configuration": digests}


def _cube_sha256(main: Path) -> str:
    # Any other folder is not read: a certificate of a stranger may name the root.
    is_cube = main.suffix in {".yaml", ".yml"} and is_plain_file(main)
    return cube_content(main.parent).removeprefix(_ID) if is_cube else ""


def _compared(
    what: str, wanted: str, compute: Callable[[Any], str], place: object
) -> Point:
    try:
        found = compute(place)
    except (OSError, ValueError) as error:
        return Point(state="not checked", what=what, why=str(error))
    if not found:
        return Point(state="not checked", what=what, why="not found here")
    if found != wanted:
        why = f"SHA-256 is {found}, and was {wanted}"
        return Point(state="changed", what=what, why=why)
    return Point(state="holds", what=what)
