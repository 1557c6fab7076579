"""SARIF 2.1.0, which code scanning services and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlcube_conformance import __version__
from mlcube_conformance.base.addresses import PAGES
from mlcube_conformance.base.paths import shown_in
from mlcube_conformance.base.text import plain, plain_json
from mlcube_conformance.clauses.naming import explaining, known_clause, page_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlcube_conformance.base.errors import Message
    from mlcube_conformance.base.source import Source
    from mlcube_conformance.results.flaw import Flaw

__all__ = ["sarif_log"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "SRCROOT"
#: Rule of what no clause is about.
_OWN = "test"
_LEVELS = {"MUST": "error", "SHOULD": "warning"}


def sarif_log(
    flaws: Sequence[Flaw], folder: Path, faults: Sequence[Message] = ()
) -> str:
    """Return the log, in ASCII; it holds one run.

    Args:
        flaws: What is wrong with cubes.
        folder: That of the repository: paths in it are relative to it.
        faults: What kept cubes from being tested.
    """
    names = list(dict.fromkeys(each.clause for each in flaws))
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "mlcube-conformance",
                "semanticVersion": __version__,
                "informationUri": f"{PAGES}/",
                "rules": [_rule(name) for name in names],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"uri": f"file://{_uri(folder)}/"}},
        "results": [_result(each, names, folder) for each in flaws],
    }
    if faults:
        notes = [
            {"level": "error", "message": {"text": plain(str(each))}} for each in faults
        ]
        run["invocations"] = [
            {"executionSuccessful": False, "toolExecutionNotifications": notes}
        ]
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return plain_json(json.dumps(document, indent=2)) + "\n"


def _rule(name: str) -> dict[str, Any]:
    found = known_clause(name)
    if found is None:
        text = "a test of the user's own"
        return {"id": name or _OWN, "shortDescription": {"text": text}}
    page = page_of(name)
    return {
        "id": name,
        "shortDescription": {"text": found.sentence},
        "help": {
            "text": f"{found.sentence}. Why: {found.evidence}. More: {explaining(name)}"
        },
        **({"helpUri": page} if page else {}),
        "defaultConfiguration": {"level": _LEVELS[found.level]},
    }


def _result(flaw: Flaw, names: list[str], folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": flaw.clause or _OWN,
        "ruleIndex": names.index(flaw.clause),
        "level": flaw.level,
        "message": {"text": plain(str(flaw.message))},
    }
    source = flaw.source
    if source is not None:
        result["locations"] = [{"physicalLocation": _place(source, folder)}]
    return result


def _place(source: Source, folder: Path) -> dict[str, Any]:
    path = shown_in(folder, source.file)
    file: dict[str, str] = {"uri": f"file://{_uri(path)}"}
    if not path.is_absolute():
        file = {"uri": _uri(path), "uriBaseId": _ROOT}
    place: dict[str, Any] = {"artifactLocation": file}
    if source.line:
        place["region"] = {"startLine": source.line}
        if source.column:
            place["region"]["startColumn"] = source.column
    return place


def _uri(path: Path) -> str:
    try:
        return quote(os.fsencode(path))
    except UnicodeEncodeError:  # a record may say anything
        return quote(str(path).encode("utf-8", "replace"))
