"""Commands by which a workflow of GitHub shows problems beside the lines of a change.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.paths import shown_in
from mlcube_conformance.base.text import mask, plain, visible
from mlcube_conformance.clauses.naming import explaining

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mlcube_conformance.results.flaw import Flaw

__all__ = ["github_commands"]

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
#: What ends a command, or a part of it: first that by which the others are written.
_IN_TEXT = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY = {**_IN_TEXT, ":": "%3A", ",": "%2C"}


def github_commands(flaws: Iterable[Flaw], folder: Path) -> list[str]:
    """Return one command for each flaw.

    Args:
        flaws: What is wrong.
        folder: That of the repository: paths in it are relative to it.
    """
    return [_command(each, folder) for each in flaws]


def _command(flaw: Flaw, folder: Path) -> str:
    source, message = flaw.source, flaw.message
    properties = {"title": mask(": ".join(filter(None, (flaw.clause, message.what))))}
    if source is not None:
        place = {
            "file": str(shown_in(folder, source.file)),
            "line": str(source.line or ""),
            "col": str(source.column or ""),
        }
        properties = {**place, **properties}
    written = ",".join(
        f"{name}={_escaped(value, _IN_PROPERTY)}"
        for name, value in properties.items()
        if value
    )
    more = explaining(flaw.clause)
    text = f"{message}\n  more:     {more}" if more else str(message)
    return f"::{_COMMANDS[flaw.level]} {written}::{_escaped(text, _IN_TEXT)}"


def _escaped(text: str, signs: dict[str, str]) -> str:
    for sign, instead in signs.items():
        text = text.replace(sign, instead)
    return plain(visible(text))  # No line end is left to be seen as one.
