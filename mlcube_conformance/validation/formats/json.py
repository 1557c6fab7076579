"""JSON for other programs. Its keys stay; others may be added to a schema version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlcube_conformance import __version__
from mlcube_conformance.base.text import mask, plain_json, visible

if TYPE_CHECKING:
    from mlcube_conformance.results.flaw import Flaw
    from mlcube_conformance.validation.report import Report

__all__ = ["SCHEMA", "write"]

SCHEMA = "mlcube-conformance/validation/1"


def write(report: Report) -> str:
    """Return the document, in ASCII."""
    document = {
        "schema": SCHEMA,
        "tool": {"name": "mlcube-conformance", "version": __version__},
        "counts": {
            "cubes": len(report.cubes),
            "problems": report.problems,
            "errors": report.count("error"),
            "warnings": report.count("warning"),
            "unsupported": report.count("note"),
        },
        "cubes": [
            {
                "path": visible(str(report.path(cube.place))),
                "findings": [_finding(report, each) for each in cube.flaws],
            }
            for cube in report.cubes
        ],
    }
    return plain_json(json.dumps(document, indent=2)) + "\n"


def _finding(report: Report, flaw: Flaw) -> dict[str, object]:
    source, message = flaw.source, flaw.message
    texts = {
        "what": message.what,
        "found": message.found,
        "expected": message.expected,
        "do": message.do,
    }
    return {
        "level": "unsupported" if flaw.level == "note" else flaw.level,
        "clause": flaw.clause,
        **{name: _lines(text) for name, text in texts.items()},
        "file": visible(str(report.path(source.file))) if source else None,
        "line": (source.line if source else 0) or None,
        "column": (source.column if source else 0) or None,
        "key": visible(source.key) if source else "",
    }


def _lines(text: str) -> str:
    return "\n".join(visible(line) for line in mask(text).split("\n"))
