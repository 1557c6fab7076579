"""What a host is asked, and what counts as its answer."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from mlcube_conformance.formats.json_schema import validator_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LONGEST", "answer_in", "is_answer", "request_of", "trouble_in"]

#: Bytes of an answer: room for the names of two million files.
LONGEST: Final = 256 * 1024 * 1024

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_TEXTS = {"type": "array", "items": _TEXT}
_TEXT_BY_NAME = {"type": "object", "additionalProperties": _TEXT}


def _with(given: Mapping[str, Any], **maybe: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    """Return the schema of an object with some keys, and others that it may have."""
    return {
        "type": "object",
        "required": [*given],
        "properties": {**given, **maybe},
    }


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"type": "null"}, schema]}


_MESSAGE = {
    **_with({"what": _TEXT, "tail": _TEXTS}),
    "additionalProperties": _TEXT,
}
#: As `Outcome.write` writes it; it goes into `read_outcome`.
_OUTCOME = {
    "image": _or_null(
        _with(
            {"name": _TEXT, "digest": _TEXT, "origin": _TEXT},
            source=_TEXT,
            entrypoint=_TEXTS,
            user=_or_null(_TEXT),
            variables=_TEXTS,
            size=_or_null(_NUMBER),
        )
    ),
    "result": _or_null(
        _with(
            {
                "exit_code": {"type": "integer"},
                "timed_out": {"type": "boolean"},
                "out_of_memory": {"type": "boolean"},
                "seconds": _NUMBER,
                "command": _TEXTS,
            },
            taken_away=_TEXTS,
            elsewhere=_TEXTS,
            peak_memory=_or_null(_NUMBER),
            over=_TEXT,
            left_running=_NUMBER,
            network_off={"type": "boolean"},
        )
    ),
    "error": _or_null(
        _with(
            {
                "fault": _TEXT,
                "messages": {"type": "array", "items": _MESSAGE, "minItems": 1},
            }
        )
    ),
}
_LOOK = _with(
    {
        "state": {"enum": ["none", "running", "ended", "lost"]},
        "record": _or_null(
            _with({"began": _TEXT}, id=_TEXT, case=_TEXT, timeout=_NUMBER)
        ),
        "outcome": _or_null(_with(_OUTCOME)),
    },
    said=_TEXTS,
    free=_NUMBER,
)
_CLEANED = _with({"folder": _TEXT, "cube": _TEXT, "bytes": _NUMBER, "kept": _TEXT})
#: JSON Schemas of answers, by what is asked for: another version may be there.
_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "environment": _with(
        {"python": _TEXT, "env": _TEXT_BY_NAME, "root": _TEXT, "home": _TEXT}
    ),
    "claim": _with({"found": _TEXT}),
    # Each is looked at below: a schema takes seconds for a million.
    "names": _with({"names": {"type": "array"}}),
    "clean": _with({"found": {"type": "array", "items": _CLEANED}}),
    "start": {"allOf": [_LOOK, _with({"mine": {"type": "boolean"}})]},
    "look": _LOOK,
}


def request_of(request: Mapping[str, Any], number: int) -> bytes:
    """Return a request as the line that asks for it."""
    return json.dumps({**request, "number": number}).encode() + b"\n"


def answer_in(
    lines: Iterable[bytes], number: int, *, or_unnumbered: bool = False
) -> dict[str, Any] | None:
    """Return the answer to a request among lines of output, None for none.

    Args:
        lines: The lines; a shell that starts or ends may have said some of them.
        number: The number of the request.
        or_unnumbered: Whether the last object without a number counts, too: an older
            version answers so.
    """
    numbered: list[dict[str, Any]] = []
    unnumbered: list[dict[str, Any]] = []
    for each in lines:
        with suppress(ValueError, RecursionError):
            found = json.loads(each)
            if not isinstance(found, dict):
                continue
            if "to" not in found:
                unnumbered.append(found)
            elif (to := found.pop("to")) == number and type(to) is int:
                numbered.append(found)
    answers = numbered or (unnumbered if or_unnumbered else [])
    return answers[-1] if answers else None


def is_answer(found: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    """Say whether an answer has what a request asks for."""
    asked = request["do"]
    is_valid = asked not in _SCHEMAS or bool(_validator(asked).is_valid(found))
    return is_valid and all(isinstance(each, str) for each in found.get("names", ()))


@cache
def _validator(asked: str) -> Any:  # noqa: ANN401 - of a library
    return validator_of(_SCHEMAS[asked])


def trouble_in(found: Mapping[str, Any] | None) -> dict[str, str]:
    """Return why a host refuses, as its answer says; {} for no reason."""
    trouble = found.get("error") if found else None
    words = trouble if isinstance(trouble, dict) else {}
    return {key: str(words[key]) for key in ("found", "do") if words.get(key)}
