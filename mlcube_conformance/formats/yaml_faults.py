"""Says in plain words why a text is not YAML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.base.source import Source, Where

if TYPE_CHECKING:
    import yaml

__all__ = ["not_yaml"]

#: What PyYAML says, and what that means; the first that matches counts.
_WORDS = tuple(
    (re.compile(said), means)
    for said, means in (
        (r"character '\\t' that cannot start", "a tab, where only blanks can be"),
        (
            r"character '(.+)' that cannot start",
            r"\1 at the start of a value: quote it",
        ),
        (r"found another document", "a second document (---)"),
        (
            r"end of (the )?stream|<(stream|document) end>",
            "an open quote or bracket, up to the end of the file",
        ),
        (r"expected <block end>", "a line that is not indented as those around it"),
        (
            r"expected ',' or|expected the node|parsing a flow",
            "a missing bracket or comma",
        ),
        (r"could not find expected ':'", "a line without a colon"),
        (r"mapping values are not allowed", "a second colon: quote the value"),
        (r"sequence entries are not allowed", "a hyphen where no list can begin"),
        (r"undefined alias", "an alias (*) without its anchor (&)"),
        (
            r"unknown escape character '(.+)'",
            r"the unknown escape \\\1 in double quotes",
        ),
    )
)


def not_yaml(error: yaml.MarkedYAMLError, source: Source, *, shown: bool) -> Violation:
    """Return the error of a file that is not YAML.

    Args:
        error: What PyYAML says.
        source: Where that is.
        shown: Whether the line may be shown.
    """
    mark = error.problem_mark
    snippet = (mark.get_snippet(indent=0) if mark else "") or ""
    return Violation(
        Message(
            what=f"{source.file.name} is not YAML",
            where=Where(f"{source}, column {source.column}", source),
            found=f"{_in_plain_words(error)}\n{snippet}".rstrip()
            if shown  # What a link points to may be a secret.
            else "text that is not YAML",
            expected="valid YAML",
            do="fix the line (tabs, an unclosed quote or bracket, a missing colon?)",
        )
    )


def _in_plain_words(error: yaml.MarkedYAMLError) -> str:
    said = error.problem or "no YAML"
    for pattern, means in _WORDS:
        match = pattern.search(said)
        if match:
            return match.expand(means)
    return said
