"""Judges the text of a file, and values in a document."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from collections.abc import Mapping

__all__ = ["matches", "value_is_right"]


def matches(question: Mapping[str, Any]) -> Judged:
    """Judge whether a regular expression is found in a file."""
    place = Path(question["place"])
    text = read_file(place, Path(question["root"])).decode("utf-8", "replace")
    expression = question["rule"]["value"]
    if re.search(expression, text, re.MULTILINE):
        return Judged()
    lines = text.splitlines()
    return Judged(
        wrong=Wrong(
            found=f"{place}, which begins with {shown(lines[0])}"
            if lines
            else f"{place}, which is empty",
            expected=f"text that matches {shown(expression)}",
            do="write what the cube promises, or fix the expression",
        )
    )


def value_is_right(question: Mapping[str, Any]) -> Judged:
    """Judge a value of a document, or the whole of it."""
    import jmespath  # noqa: PLC0415 - not for other questions

    place, rule = Path(question["place"]), question["rule"]
    content = read_file(place, Path(question["root"]))
    document = read_document(content, question["kind"], str(place))
    path = rule.get("path")
    try:
        value = jmespath.search(path, document) if path else document
    except jmespath.exceptions.JMESPathError as error:
        raise DocumentError(place, error, expected=f"a value at {path}") from error
    where = f"{path} in {place}" if path else str(place)
    if path and value is None and rule.get("equal", 0) is not None:
        keys = ", ".join(map(str, document)) if isinstance(document, dict) else ""
        lacking = Wrong(
            found=f"no {where}" + (f"; it has {shown(keys)}" if keys else ""),
            expected=f"a value at {path}",
            do="write the value, or fix the path",
        )
        return Judged(wrong=lacking)
    wrong = _judge_value(value, where, rule, question)
    return Judged(wrong=wrong, value=value if _is_finite(value) else None)


def _is_finite(value: object) -> bool:
    """Say whether it is a number that a float holds: 1e400 and NaN keep no limit."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= sys.float_info.max


def _judge_value(
    value: Any,  # noqa: ANN401 - as JSON knows it
    where: str,
    rule: Mapping[str, Any],
    question: Mapping[str, Any],
) -> Wrong | None:
    least, most = rule.get("at_least"), rule.get("at_most")
    if least is not None or most is not None:
        limits = [
            f"{words} {limit}"
            for words, limit in (("at least", least), ("at most", most))
            if limit is not None
        ]
        inside = (
            _is_finite(value)
            and (least is None or value >= least)
            and (most is None or value <= most)
        )
        if not inside:
            kind = "" if _is_finite(value) else "a finite number, "
            return Wrong(
                found=f"{shown(value)} at {where}",
                expected=f"{kind}{' and '.join(limits)}",
            )
    if "equal" in rule and deviations(
        rule["equal"], value, tolerance=rule.get("tolerance", 0)
    ):
        about = f", give or take {rule['tolerance']}" if rule.get("tolerance") else ""
        return Wrong(
            found=f"{shown(value)} at {where}",
            expected=f"{shown(rule['equal'])}{about}",
        )
    if "schema" in rule:
        return _follows(value, where, rule, Path(question["cube"]))
    return None


def _follows(
    value: object, where: str, rule: Mapping[str, Any], cube: Path
) -> Wrong | None:
    from jsonschema.exceptions import SchemaError, best_match  # noqa: PLC0415 - heavy
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 - comes with it

    from mlcube_conformance.formats.json_schema import (  # noqa: PLC0415 - same
        check_schema,
        validator_of,
    )

    schema = rule["schema"]
    if "schema_file" in rule:
        file = Path(rule["schema_file"])
        schema = read_document(read_file(file, cube), "json", str(file))
    try:
        check_schema(schema)
        validator = validator_of(schema)
        error = best_match(validator.iter_errors(value))
    except (SchemaError, Unresolvable) as wrong:
        why = getattr(wrong, "message", wrong)
        raise DocumentError(where, shown(str(why)), expected="a JSON Schema") from wrong
    if error is None:
        return None
    at = "".join(f"[{each!r}]" for each in error.absolute_path)
    return Wrong(
        found=f"{shown(error.message)} at {where}{f', {at}' if at else ''}",
        expected="a value that follows the JSON Schema of the promise",
    )
