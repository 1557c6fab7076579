"""A command of a runner on another host: all that decides what it does there.

What is sent is what a run is known by, so nothing can be sent and left out of it:
after a cut link, a run must not take over the results of one with other variables.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlcube_conformance.options import options_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlcube_conformance.option import Taker
    from mlcube_conformance.runners.contract import Options

__all__ = ["RemoteCommand", "option_words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCommand:
    """A command line of a runner, as it is started on a host."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    """May hold secrets."""
    files: Mapping[str, Path]
    """Small files that it reads, by their places on the host."""

    def identity(self, *more: object) -> str:
        """Return the identity of the command, which shows no value.

        Args:
            more: What else decides what comes of it, such as its inputs.
        """
        files = {
            there: hashlib.sha256(file.read_bytes()).hexdigest()
            for there, file in self.files.items()
        }
        sent = [self.argv, dict(self.environment), files, more]
        text = json.dumps(sent, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def option_words(
    verb: Taker, options: Options, variables: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return the words that say what is asked of a runner, and variables for them.

    Args:
        verb: The command of the runner.
        options: What the command line here asks.
        variables: Those of builds and tasks that the platform file names.
    """
    words: list[str] = []
    hidden: dict[str, str] = {}
    taken = {**variables, **options.environment}
    for each in options_of(verb):
        value: Any = getattr(options, each.goes_to) if each.goes_to else None
        if each.forward == "words":
            words += _words(each.name, value)
        elif each.forward == "variables":
            given = taken if each.goes_to == "environment" else value
            others = {} if given is taken else taken
            for name, text in given.items():
                # What Python itself reads is for the task, and not for the runner.
                shown = name in others or name.startswith("PYTHON")
                words += [each.name, f"{name}={text}" if shown else name]
                hidden |= {} if shown else {name: text}
    return words, hidden


def _words(option: str, value: object) -> list[str]:
    """Return an option with its value; nothing where it would change nothing."""
    if value is None or value is False:
        return []
    if value is True:
        return [option]
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return [option, text or "0"]
