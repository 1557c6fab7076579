"""Reads the words and lists in the description of a runner."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import did_you_mean

if TYPE_CHECKING:
    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located

__all__ = [
    "PLACEHOLDER",
    "Words",
    "check_placeholders",
    "items_below",
    "items_of",
    "texts_below",
    "words_below",
]


Words = tuple[str, ...]
PLACEHOLDER = re.compile(r"\$\{(\w+)\}|\{(\w+)\}")


def words_below(
    mapping: Located, key: str, known: set[str], problems: Problems, *, required: bool
) -> Words:
    """Return the words of a command, each a text without unknown placeholders."""
    at = mapping.get(key)
    if at is None:
        if required:
            problems.text(mapping, key)
        return ()
    values = [at] if at.text() else items_of(at)
    if not values or not all(each.text() for each in values):
        problems.add(
            f"{key!r} is not a command",
            at,
            expected="one word, or a list of words",
            do="write each word as one item of a list, in quotes if needed",
        )
        return ()
    for each in values:
        check_placeholders(each, known | {"python"}, problems)
        if "\0" in each.text():
            problems.add(
                "a word contains a null character",
                each,
                found=ascii(each.text()),
                expected="a valid argument",
                do="fix the word",
            )
    return tuple(each.text() for each in values)


def items_of(at: Located) -> list[Located]:
    """Return the items of a value, none where it is not a list."""
    return list(at.value) if isinstance(at.value, list) else []


def check_placeholders(word: Located, known: set[str], problems: Problems) -> None:
    """Add a problem for each placeholder that has no meaning here."""
    for match in PLACEHOLDER.finditer(word.text()):
        name = match[2]
        if name and name not in known:
            problems.add(
                f"unknown placeholder {{{name}}}",
                word,
                found=word.text(),
                expected=f"one of {', '.join(f'{{{each}}}' for each in sorted(known))}",
                do=did_you_mean(name, known) or "fix the word",
            )


def texts_below(document: Located, key: str, problems: Problems) -> dict[str, str]:
    """Return names with their texts."""
    at = document.get(key)
    if at is None:
        return {}
    if not at.is_mapping():
        problems.add(
            f"{key!r} is not a mapping",
            at,
            expected="names, each with a text",
            do="write NAME: text",
        )
    return {name: problems.text(at, name) for name, _ in at.items()}


def items_below(document: Located, key: str, problems: Problems) -> list[Located]:
    """Return the items of a list; add a problem where it is something else."""
    at = document.get(key)
    if at is not None and not isinstance(at.value, list):
        problems.add(
            f"{key!r} is not a list",
            at,
            expected="a list",
            do="begin each item with a hyphen",
        )
    return items_of(at) if at else []
