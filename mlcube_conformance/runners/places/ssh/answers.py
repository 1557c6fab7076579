"""What a host is asked, and what counts as its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "LONGEST",
    "Types",
    "answer_in",
    "has_types",
    "is_answer",
    "request_of",
    "trouble_in",
]

#: Bytes of an answer: room for the names of two million files.
LONGEST: Final = 256 * 1024 * 1024

#: Types of values, by their keys.
Types = Mapping[str, type | tuple[type, ...]]
#: What an answer has, by what is asked for: another version may be there.
_HAS: Mapping[str, Types] = {
    "environment": {"python": str, "env": dict},
    "claim": {"found": str},
    "names": {"names": list},
    "clean": {"found": list},
    "start": {"state": str, "mine": bool},
    "look": {
        "state": str,
        "record": (dict, type(None)),
        "outcome": (dict, type(None)),
    },
}


def request_of(request: Mapping[str, Any], number: int) -> bytes:
    """Return a request as the line that asks for it."""
    return json.dumps({**request, "number": number}).encode() + b"\n"


def answer_in(
    lines: Iterable[bytes], number: int, *, is_numbered: bool = True
) -> dict[str, Any] | None:
    """Return the answer to a request among lines of output, None for none.

    Args:
        lines: The lines; a shell that starts or ends may have said some of them.
        number: The number of the request.
        is_numbered: Whether the answer has it; that of an older version has not.
    """
    answer = None
    for each in lines:
        with suppress(ValueError, RecursionError):
            found = json.loads(each)
            if isinstance(found, dict):
                to = found.pop("to", None if is_numbered else number)
                if to == number and type(to) is int:
                    answer = found
    return answer


def is_answer(found: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    """Say whether an answer has what a request asks for."""
    return has_types(found, _HAS.get(request["do"], {}))


def has_types(found: Mapping[str, Any], types: Types) -> bool:
    """Say whether values of JSON are of some types."""
    return all(isinstance(found.get(key), kind) for key, kind in types.items())


def trouble_in(found: Mapping[str, Any] | None) -> dict[str, str]:
    """Return why a host refuses, as its answer says; {} for no reason."""
    trouble = found.get("error") if found else None
    words = trouble if isinstance(trouble, dict) else {}
    return {key: str(words[key]) for key in ("found", "do") if words.get(key)}
