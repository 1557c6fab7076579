"""The parts that the schemas are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "ANYTHING",
    "FILLED",
    "NOTHING",
    "NO_TEXT",
    "SCALAR",
    "TRUTH",
    "VERSION",
    "Rule",
    "any_of",
    "described",
    "empty_or",
    "exactly",
    "in_order",
    "mapping",
    "named_by",
    "pattern_of",
    "schema_type",
    "text",
    "words",
]

Rule = dict[str, Any]

ANYTHING: Rule = {}
NOTHING: Rule = {"type": "null"}
NO_TEXT: Rule = {"enum": [None, ""]}
#: Text with a reference, which may become anything once it is filled in.
FILLED: Rule = {"type": "string", "pattern": r"\$\{"}
#: YAML has dates too, which JSON has as text.
SCALAR: Rule = {"type": ["string", "number", "boolean", "null"]}
#: Our reader has the truth values of YAML 1.1; many editors have those of 1.2 only.
TRUTH: Rule = {
    "anyOf": [
        {"type": "boolean"},
        {
            "type": "string",
            "pattern": "^(yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$",
        },
    ]
}
# As `formats.problems.is_version` has it.
VERSION: Rule = {
    "type": "string",
    "pattern": r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$",
    "examples": ["1.0.0"],
}
#: Letters of other scripts, which `\w` of Python has and that of JavaScript lacks.
_LETTERS = r"\w\u0080-\uffff"


def text(description: str, *examples: str) -> Rule:
    """Return the rule for a text that is not blank."""
    shown: Rule = {"examples": list(examples)} if examples else {}
    return {"description": description, "type": "string", "pattern": r"\S", **shown}


def exactly(pattern: str) -> Rule:
    """Return the rule for a text that as a whole matches a pattern."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def words(known: Iterable[str | bool | None], *others: Rule) -> Rule:
    """Return the rule for one of several words, which editors offer."""
    return any_of({"enum": list(known)}, *others) if others else {"enum": list(known)}


def any_of(*ways: Rule) -> Rule:
    """Return the rule for what may be written in several ways."""
    return {"anyOf": list(ways)}


def empty_or(*ways: Rule) -> Rule:
    """Return the rule for a value that may be left empty."""
    return any_of(*ways, NO_TEXT)


def described(description: str, rule: Rule) -> Rule:
    """Return a rule with the text that editors show for it."""
    return {"description": description, **rule}


def mapping(
    description: str,
    properties: Mapping[str, Rule],
    required: Sequence[str] = (),
    *,
    closed: bool = True,
) -> Rule:
    """Return the rule for a mapping.

    Args:
        description: What editors show for it.
        properties: The rule of each key.
        required: Keys that it must have.
        closed: Whether it has no other keys.
    """
    rule: Rule = {"description": description} if description else {}
    rule |= {"type": "object", "properties": dict(properties)}
    if required:
        rule["required"] = list(required)
    if closed:
        rule["additionalProperties"] = False
    return rule


def named_by(description: str, names: str, rule: Rule) -> Rule:
    """Return the rule for a mapping whose keys are names that its author chooses."""
    return {
        "description": description,
        "type": "object",
        "propertyNames": {"pattern": names},
        "additionalProperties": rule,
    }


def in_order(keys: Iterable[str], rules: Mapping[str, Rule]) -> dict[str, Rule]:
    """Return the rules of the keys that a reader knows, in its order.

    Raises:
        ValueError: A key has no rule, or a rule no key.
    """
    names = list(keys)
    if {*names} != {*rules}:
        raise ValueError(sorted({*names} ^ {*rules}))
    return {key: rules[key] for key in names}


def schema_type(names: Sequence[str], what: str) -> dict[str, Rule]:
    """Return the rules of the two keys that say what a file is."""
    return {
        "schema_type": {"description": what, "enum": list(names)},
        "schema_version": described("Version of the format: 1.0.0.", VERSION),
    }


def pattern_of(regex: re.Pattern[str]) -> str:
    """Return a pattern as both Python and JavaScript read it, without flags."""
    found = regex.pattern.replace(r"\w", _LETTERS).replace(r"\d", "0-9")
    # A class of one: `\d{1,3}` becomes `[0-9]{1,3}`, and `[\d,-]` becomes `[0-9,-]`.
    pieces, inside = [], False
    for piece in re.findall(
        rf"0-9|{re.escape(_LETTERS)}|\\.|\[\^?|[^\\]", found, re.DOTALL
    ):
        is_class = piece in {"0-9", _LETTERS}
        letter = len(piece) == 1 and piece.isascii() and piece.isalpha()
        both = piece.replace(r"\"", '"')  # JavaScript allows no needless escape.
        if letter and regex.flags & re.IGNORECASE:
            both = piece.lower() + piece.upper()
        pieces.append(
            f"[{both}]" if not inside and (is_class or both != piece) else both
        )
        if piece.startswith("["):
            inside = True
        elif piece == "]":
            inside = False
    return "".join(pieces)
