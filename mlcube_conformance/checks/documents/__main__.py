"""Judges promised documents: `python -m … < questions > answers`, both JSON.

An answer is what is wrong, and the value that was judged, where it is one number.

What a task wrote, and the expressions and schemas of a cube, may take any time and
memory: they are looked at here, where both have limits.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlcube_conformance.checks.documents.difference import differences
from mlcube_conformance.checks.documents.reading import (
    DocumentError,
    Judged,
    Wrong,
    shown,
)
from mlcube_conformance.checks.documents.values import matches, value_is_right

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["main"]

#: Bytes of memory.
_MEMORY = 4 * 1024**3
_JUDGES = {
    "matches": matches,
    "json": value_is_right,
    "yaml": value_is_right,
    "csv": value_is_right,
    "snapshot": differences,
}


def main() -> None:
    """Answer each question."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _MEMORY if hard == resource.RLIM_INFINITY else min(_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    for line in sys.stdin:
        question = json.loads(line)
        try:
            judged = _JUDGES[question["kind"]](question)
        except DocumentError as error:
            judged = Judged(wrong=error.wrong)
        except RecursionError:
            where = question["place"]
            judged = Judged(
                wrong=DocumentError(
                    where,
                    "values or a schema that are nested too deep, or hold themselves",
                ).wrong
            )
        except Exception as error:  # noqa: BLE001 - whatever a library stumbles over
            judged = Judged(wrong=_not_comparable(question, error))
        sys.stdout.write(json.dumps(asdict(judged)) + "\n")
        sys.stdout.flush()


def _not_comparable(question: Mapping[str, Any], error: Exception) -> Wrong:
    """Say that a document holds what no expression or schema of a promise can take."""
    said = " ".join(str(error).split()) or "out of memory"
    return Wrong(
        found=f"{question['place']}: {type(error).__name__}: {shown(said)}",
        expected="values that the promise can be compared with",
        do="fix the path or the schema of the promise, or the values of the document",
    )


if __name__ == "__main__":
    main()
