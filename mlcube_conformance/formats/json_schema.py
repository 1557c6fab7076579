"""Holds what a file says to a JSON Schema, and tells each difference with its line."""

from __future__ import annotations

import json
import math
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jsonschema.exceptions import ValidationError

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located

__all__ = [
    "as_json",
    "check_schema",
    "follow_schema",
    "in_words",
    "published",
    "validator_of",
]

_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}


@cache
def published(name: str) -> dict[str, Any]:
    """Return a schema that comes with this package.

    Args:
        name: Name of the file, without `.schema.json`.
    """
    file = files(__package__) / f"{name}.schema.json"
    schema: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return schema


def validator_of(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - of a library
    """Return what validates documents; it fetches nothing that a schema refers to."""
    from referencing import Registry  # noqa: PLC0415 - for few cubes

    return _draft_of(schema)(schema, registry=Registry())


def check_schema(schema: Any) -> None:  # noqa: ANN401 - as JSON knows it
    """Check that a document is a JSON Schema of the draft that it names, or 2020-12.

    Raises:
        SchemaError: It is not.
    """
    _draft_of(schema).check_schema(schema)


def _draft_of(schema: Any) -> Any:  # noqa: ANN401 - of a library
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - for few cubes
    from jsonschema.validators import validator_for  # noqa: PLC0415 - same

    named = schema.get("$schema") if isinstance(schema, dict) else None
    if not isinstance(named, str):  # 2020-12 refuses any other value.
        return Draft202012Validator
    return validator_for(schema, default=Draft202012Validator)


def as_json(at: Located) -> Any:  # noqa: ANN401 - as JSON knows it
    """Return a value without its places; a date, .inf and .nan are text, as written."""
    if isinstance(at.value, dict):
        return {key: as_json(value) for key, value in at.value.items()}
    if isinstance(at.value, list):
        return [as_json(each) for each in at.value]
    if isinstance(at.value, float) and not math.isfinite(at.value):
        return at.as_written() or str(at.value)  # JSON has no such number.
    if at.value is None or isinstance(at.value, (str, bool, int, float)):
        return at.value
    return at.as_written()


def follow_schema(
    document: Located, schema: Mapping[str, Any], problems: Problems
) -> bool:
    """Add a problem for each value that a schema does not allow; say if there is none.

    Args:
        document: What the file says.
        schema: The schema, which is our own.
        problems: Takes what is wrong.
    """
    errors = sorted(
        validator_of(schema).iter_errors(as_json(document)),
        key=lambda each: [str(step) for step in each.absolute_path],
    )
    told: set[tuple[object, ...]] = set()
    for each in errors:
        deepest = _deepest(each)
        place = tuple(deepest.absolute_path)
        if place not in told:  # One fault there may break several rules.
            told.add(place)
            _tell(deepest, document, schema, problems)
    return not errors


def _tell(
    deepest: Any,  # noqa: ANN401 - a ValidationError, with its types left open
    document: Located,
    schema: Mapping[str, Any],
    problems: Problems,
) -> None:
    at = _at(document, deepest.absolute_path)
    name = at.source.key or at.source.file.name
    if deepest.validator == "additionalProperties":
        problems.unknown_keys(at, deepest.schema.get("properties", {}))
    elif deepest.validator in {"required", "dependentRequired"}:
        lacks = deepest.message.split("'")[1]
        if deepest.validator == "dependentRequired":
            lacks = deepest.message.split("'")[0].strip() or lacks
        problems.add(
            f"{name} lacks a key",
            at,
            found=f"the keys {', '.join(map(str, deepest.instance))}",
            expected=deepest.message.replace("'", ""),
            do="add it",
        )
    elif deepest.validator == "enum":
        allowed = [str(each) for each in deepest.validator_value]
        problems.add(
            f"unknown value of {name!r}",
            at,
            expected=f"one of {', '.join(allowed)}",
            do=did_you_mean(at.as_written(), allowed) or "fix the value",
        )
    else:
        problems.add(
            f"the value of {name!r} is invalid",
            at,
            expected=in_words(_described(deepest), schema),
            do="fix the value",
        )


def _deepest(error: ValidationError) -> ValidationError:
    """Return what is wrong in the only way that a value can be meant, if it is one."""
    while error.context:
        ways: dict[object, list[ValidationError]] = {}
        for each in error.context:
            ways.setdefault(each.relative_schema_path[0], []).append(each)
        meant = [
            found
            for found in ways.values()
            if not any(each.validator == "type" and not each.path for each in found)
        ]
        if len(meant) != 1:
            break
        error = meant[0][0]
    return error


def _described(error: Any) -> Any:  # noqa: ANN401 - see above
    """Return the nearest rule around an error that says what is meant, or its own."""
    around = error
    while around is not None and "description" not in around.schema:
        around = around.parent
    return (around or error).schema


def _at(document: Located, path: Iterable[str | int]) -> Located:
    at = document
    for step in path:
        found = at.value[step] if isinstance(step, int) else at.get(step)
        if found is None:
            break
        at = found
    return at


def in_words(rule: Any, schema: Mapping[str, Any]) -> str:  # noqa: ANN401 - as JSON knows it
    """Return what a rule of a schema allows, for a reader."""
    if "$ref" in rule and "description" not in rule:
        named = schema["$defs"][rule["$ref"].rpartition("/")[2]]
        return in_words(named, schema)
    words = [
        str(rule.get("description", "")).rstrip("."),
        f"one of {', '.join(map(str, rule['enum']))}" if "enum" in rule else "",
        _of_several(rule.get("anyOf") or rule.get("oneOf") or (), schema),
        "" if "type" in rule else f"with {', '.join(rule.get('required', ()))}",
        f"text that matches {rule['pattern']}" if "pattern" in rule else "",
    ]
    said = [each for each in words if each and each != "with "]
    return said[0] if said else _of_type(rule, schema)


def _of_several(ways: Iterable[Any], schema: Mapping[str, Any]) -> str:
    words = dict.fromkeys(in_words(each, schema) for each in ways)
    return " or ".join(each for each in words if each)


def _of_type(rule: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    words = [_TYPES.get(str(rule.get("type")), "")]
    if rule.get("items"):
        words.append(f"of {in_words(rule['items'], schema)}")
    words += [
        f"{said} {rule[key]}"
        for key, said in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "more than"),
            ("maximum", "at most"),
        )
        if key in rule
    ]
    return " ".join(words)
