"""The words of a line of a Dockerfile: its quotes, escapes and variables.

The rules are those of Docker's reference for the file, section "Environment
replacement": single quotes keep what is in them, a backslash keeps one sign.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Word", "split_words"]

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variable:
    name: str
    operator: str
    """`-` for a default, `+` for what stands in place of a value, or ""."""
    other: str


@dataclass(frozen=True, slots=True)
class Word:
    """One word, as literal parts and variables."""

    parts: tuple[str | _Variable, ...]

    def text(self, known: Mapping[str, str]) -> str:
        """Return the word with its variables replaced; an unknown one is empty."""
        return "".join(_value(part, known) for part in self.parts)

    def shell(self, known: Mapping[str, str]) -> str:
        """Return the word as a shell has to read it, with unknown variables left."""
        pieces = [
            _for_shell(part)
            if isinstance(part, _Variable) and part.name not in known
            else shlex.quote(value)
            for part in self.parts
            if (value := _value(part, known)) or isinstance(part, _Variable)
        ]
        return "".join(pieces) or "''"

    def is_known(self, known: Mapping[str, str]) -> bool:
        """Say whether the values of all its variables are known."""
        return all(isinstance(part, str) or part.name in known for part in self.parts)


def _value(part: str | _Variable, known: Mapping[str, str]) -> str:
    if isinstance(part, str):
        return part
    value = known.get(part.name, "")
    if part.operator == "+":
        return part.other if value else ""
    return value or (part.other if part.operator else "")


def _for_shell(variable: _Variable) -> str:
    other = re.sub(r'([\\"$`])', r"\\\1", variable.other)
    operator = f":{variable.operator}{other}" if variable.operator else ""
    return f'"${{{variable.name}{operator}}}"'


def split_words(line: str, *, at_spaces: bool = True) -> list[Word]:
    """Split a line into its words.

    Args:
        line: What follows the keyword.
        at_spaces: False for instructions whose rest is one word.

    Raises:
        ValueError: A quote is not closed, or a variable cannot be understood.
    """
    words: list[Word] = []
    parts: list[str | _Variable] = []
    begun = False
    quote = ""
    place = 0
    while place < len(line):
        sign = line[place]
        place += 1
        if sign == quote:
            quote = ""
        elif not quote and sign in "'\"":
            quote, begun = sign, True
        elif not quote and at_spaces and sign.isspace():
            if begun:
                words.append(_word(parts))
            parts, begun = [], False
        elif sign == "\\" and quote != "'" and place < len(line):
            begun = True
            follows = line[place]
            place += 1
            # Between double quotes a backslash keeps only what has a meaning there.
            kept = "" if not quote or follows in '"$\\' else "\\"
            parts.append(kept + follows)
        elif sign == "$" and quote != "'":
            begun = True
            part, place = _variable(line, place)
            parts.append(part)
        else:
            begun = True
            parts.append(sign)
    if quote:
        message = f"the quote {quote} is not closed"
        raise ValueError(message)
    return [*words, _word(parts)] if begun else words


def _variable(line: str, place: int) -> tuple[str | _Variable, int]:
    """Read what follows a dollar sign; return it and the place behind it."""
    match = _VARIABLE.match(line, place - 1)
    if match is not None:
        name, operator, other = match[1] or match[2], match[3] or "", match[4] or ""
        return _Variable(name=name, operator=operator, other=other), match.end()
    if line.startswith("{", place):
        message = f"the variable {line[place - 1 :][:20]} is not understood"
        raise ValueError(message)
    return "$", place


def _word(parts: list[str | _Variable]) -> Word:
    """Join the literal parts that follow each other."""
    joined: list[str | _Variable] = []
    for part in parts:
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return Word(tuple(joined))
