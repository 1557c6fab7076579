"""Reads a document that a task wrote, as values that JSON knows."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from mlcube_conformance.base.errors import Violation
from mlcube_conformance.base.files import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "LARGEST",
    "DocumentError",
    "Judged",
    "Wrong",
    "read_document",
    "read_file",
    "shown",
]

#: Bytes of a document.
LARGEST = 64 * 1024 * 1024
_SHOWN = 300
#: Key of the cells of a row beyond the last column.
_REST = "(more)"
_DATE = "tag:yaml.org,2002:timestamp"
_FORMATS = {"json": "JSON", "yaml": "YAML", "csv": "CSV"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What is wrong with a document."""

    found: str
    expected: str
    do: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The answer to a question about a document."""

    wrong: Wrong | None = None
    value: float | None = None
    """What was judged, where it is a number."""


class DocumentError(Exception):
    """A document cannot be judged."""

    def __init__(
        self, *found: object, expected: str = "a document that can be read"
    ) -> None:
        """Keep what is wrong: where, and what is found there."""
        text = ": ".join(map(str, found))
        self.wrong = Wrong(found=text, expected=expected)
        super().__init__(text)


def shown(value: object) -> str:
    """Return a value in one line, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def read_file(file: Path, root: Path) -> bytes:
    """Return the content of a plain file below a folder.

    Raises:
        DocumentError: It cannot be read, or is too large.
    """
    try:
        return read_bytes(file, root, limit=LARGEST)
    except Violation as violation:
        message = violation.messages[0]
        raise DocumentError(
            file, message.found, expected=message.expected
        ) from violation


def read_document(content: bytes, kind: str, name: str) -> Any:  # noqa: ANN401 - as JSON knows it
    """Return the values of a document.

    Of a table, it is a list with a mapping for each row; what looks like a number is
    one.

    Args:
        content: What the file holds.
        kind: `json`, `yaml` or `csv`.
        name: What messages call it.

    Raises:
        DocumentError: It is not of that kind.
    """
    try:
        text = content.decode("utf-8-sig")
        if kind == "json":
            return json.loads(text)
        if kind == "yaml":
            return _plain(yaml.load(text, _Loader))  # noqa: S506 - a safe one
        csv.field_size_limit(LARGEST)  # 128 KiB otherwise.
        lines = io.StringIO(text, newline="")
        rows = csv.DictReader(lines, restkey=_REST, strict=True)
        return [{key: _number(value) for key, value in row.items()} for row in rows]
    except (ValueError, csv.Error, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise DocumentError(
            name, why[:_SHOWN], expected=f"valid {_FORMATS[kind]}"
        ) from error


class _Loader(yaml.SafeLoader):
    """Reads 1e-6 as a number, as YAML 1.2 and JSON do, and a date as it is written."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML has it
        first: [each for each in known if each[0] != _DATE]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+\Z", re.ASCII),
    list("-+0123456789"),
)


def _plain(value: Any) -> Any:  # noqa: ANN401 - as YAML knows it
    """Return a value as JSON knows it: a date is text."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, set):  # Without an order: two runs must read the same.
        return sorted((_plain(each) for each in value), key=str)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    known = value is None or isinstance(value, (str, bool, int, float))
    return value if known else str(value)


def _number(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
