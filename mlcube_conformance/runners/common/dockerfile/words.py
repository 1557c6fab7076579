"""The words of a line of a Dockerfile: its quotes, escapes and variables.

The rules are those of Docker's reference for the file, section "Environment
replacement": single quotes keep what is in them, a backslash keeps one sign.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Word", "split_words"]

#: Characters of a word, once its variables are replaced.
_MAX_LENGTH = 32_768
#: How deep variables may nest in defaults.
_MAX_DEPTH = 20
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(:[-+])?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variable:
    name: str
    operator: str
    """`-` for a default, `+` for what stands instead of a value, or ""."""
    other: Word


@dataclass(frozen=True, slots=True)
class Word:
    """One word, as literal parts and variables."""

    parts: tuple[str | _Variable, ...]

    def text(self, known: Mapping[str, str]) -> str:
        """Return the word with its variables replaced; an unknown one is empty.

        Raises:
            ValueError: It is longer than any word needs to be.
        """
        return _joined(_value(part, known) for part in self.parts)

    def shell(self, known: Mapping[str, str]) -> str:
        """Return the word as a shell has to read it, with unknown variables left."""
        pieces = [
            f'"{_for_shell(part, known)}"'
            if isinstance(part, _Variable) and part.name not in known
            else shlex.quote(value)
            for part in self.parts
            if (value := _value(part, known)) or isinstance(part, _Variable)
        ]
        return _joined(pieces) or "''"

    def is_known(self, known: Mapping[str, str]) -> bool:
        """Say whether the values of all its variables are known."""
        return all(isinstance(part, str) or part.name in known for part in self.parts)


def _joined(pieces: Iterable[str]) -> str:
    """Join texts that may repeat a value again and again."""
    found = []
    left = _MAX_LENGTH
    for each in pieces:
        found.append(each)
        left -= len(each)
        if left < 0:
            message = f"a word of more than {_MAX_LENGTH} characters"
            raise ValueError(message)
    return "".join(found)


def _value(part: str | _Variable, known: Mapping[str, str]) -> str:
    if isinstance(part, str):
        return part
    value, other = known.get(part.name, ""), part.other.text(known)
    if part.operator == "+":
        return other if value else ""
    return value or (other if part.operator else "")


def _for_shell(variable: _Variable, known: Mapping[str, str]) -> str:
    """Return a variable as a shell reads it between double quotes."""
    if not variable.operator:
        return f"${{{variable.name}}}"
    other = _joined(
        _for_shell(part, known)
        if isinstance(part, _Variable) and part.name not in known
        else re.sub(r'([\\"$`}])', r"\\\1", _value(part, known))
        for part in variable.other.parts
    )
    return f"${{{variable.name}:{variable.operator}{other}}}"


def split_words(line: str, *, at_spaces: bool = True, depth: int = 0) -> list[Word]:
    """Split a line into its words.

    Args:
        line: What follows the keyword.
        at_spaces: False for instructions whose rest is one word.
        depth: How many variables it is a default in.

    Raises:
        ValueError: A quote is not closed, or a variable cannot be understood.
    """
    if depth > _MAX_DEPTH:
        message = "variables in variables, too deep"
        raise ValueError(message)
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
            part, place = _variable(line, place, depth)
            parts.append(part)
        else:
            begun = True
            parts.append(sign)
    if quote:
        message = f"the quote {quote} is not closed"
        raise ValueError(message)
    return [*words, _word(parts)] if begun else words


def _variable(line: str, place: int, depth: int) -> tuple[str | _Variable, int]:
    """Read what follows a dollar sign; return it and the place behind it."""
    match = _VARIABLE.match(line, place - 1)
    if match is None:
        if line.startswith("{", place):
            raise _not_understood(line, place)
        return "$", place
    end = match.end()
    if match[1]:
        return _Variable(name=match[1], operator="", other=Word(())), end
    closing = _closing(line, end)
    operator, inner = (match[3] or "")[1:], line[end:closing]
    if inner and not operator:
        raise _not_understood(line, place)
    words = split_words(inner, at_spaces=False, depth=depth + 1)
    other = words[0] if words else Word(())
    return _Variable(name=match[2], operator=operator, other=other), closing + 1


def _closing(line: str, place: int) -> int:
    """Return the place of the brace that closes a variable."""
    depth, quote = 1, ""
    for at in range(place, len(line)):
        sign = line[at]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "{}":
            depth += 1 if sign == "{" else -1
            if depth == 0:
                return at
    raise _not_understood(line, place)


def _not_understood(line: str, place: int) -> ValueError:
    return ValueError(f"the variable at {line[place - 1 :][:20]!r} is not supported")


def _word(parts: list[str | _Variable]) -> Word:
    """Join the literal parts that follow each other."""
    joined: list[str | _Variable] = []
    for is_text, group in groupby(parts, lambda part: isinstance(part, str)):
        same = list(group)
        joined += ["".join(map(str, same))] if is_text else same
    return Word(tuple(joined))
