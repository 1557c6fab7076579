"""Fills in the templates of a definition file of Singularity."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlcube_conformance.runners.singularity.definition import (
    SECTION,
    STAGE,
    DefinitionError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["filled", "unused"]

_TEMPLATE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
#: Characters of a recipe.
_MAX_LENGTH = 1024 * 1024


def filled(text: str, given: Mapping[str, str]) -> str:
    """Fill in the templates of a definition file, and drop `%arguments`.

    Programs before Apptainer 1.2 do not know them.

    Raises:
        DefinitionError: A template has no value.
    """
    values: dict[str, str] = {}
    kept, in_arguments = [], False
    for line in text.split("\n"):
        match = SECTION.fullmatch(line)
        if match:
            in_arguments = match[1].lower() == "arguments"
        elif STAGE.match(line):
            in_arguments = False
        if not in_arguments:
            kept.append(line)
        elif not match and not line.lstrip().startswith("#"):
            name, equals, value = line.partition("=")
            if equals:
                values[name.strip()] = value.strip()
    values |= given
    missing = sorted({name for name in _TEMPLATE.findall(text) if name not in values})
    if missing:
        raise DefinitionError(
            found=f"no value for {', '.join(missing)}",
            expected="a default in %arguments, or a value of the command line",
            do=f"give --build-arg {missing[0]}=VALUE",
        )
    return _replaced("\n".join(kept), values)


def _replaced(text: str, values: Mapping[str, str]) -> str:
    """Fill in templates, up to where the text becomes too long."""
    pieces: list[str] = []
    end, left = 0, _MAX_LENGTH - len(text)
    for match in _TEMPLATE.finditer(text):
        pieces += [text[end : match.start()], values[match[1]]]
        end = match.end()
        left -= len(values[match[1]])
        if left < 0:
            raise DefinitionError(
                found=f"more than {_MAX_LENGTH} characters, once its templates are "
                "filled",
                expected="a shorter text",
                do="use fewer templates, or shorter values",
            )
    return "".join((*pieces, text[end:]))


def unused(text: str, given: Iterable[str]) -> set[str]:
    """Return those of the given names that no template of a definition file has."""
    return set(given) - set(_TEMPLATE.findall(text))
