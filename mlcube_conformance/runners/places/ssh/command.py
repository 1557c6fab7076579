"""A command of a runner on another host: all that decides what it does there.

What is sent is what a run is known by, so that nothing can be sent and left out of it:
after a cut link, a run must not take over the results of one with other variables.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

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
        """Return what tells the command from all others, and shows no value.

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
    verb: str, options: Options, variables: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return the words that say what is asked of a runner, and variables for them.

    Args:
        verb: `configure` or `run`.
        options: What the command line here asks.
        variables: Those of builds and tasks that the platform file names.
    """
    words = ["--configure-timeout", f"{options.configure_timeout:g}"]
    if options.build_strategy:
        words += ["--build-strategy", options.build_strategy]
    left = {**variables, **options.environment}
    built: dict[str, str] = {}
    for name, value in options.build_args.items():
        # Through a variable, since others of that host see command lines.
        hidden = name not in left and not name.startswith("PYTHON")
        words += ["--build-arg", name if hidden else f"{name}={value}"]
        built |= {name: value} if hidden else {}
    for name in list(left):
        # What Python itself reads is for the task, and not for the runner.
        own = name.startswith("PYTHON")
        words += ["--env", f"{name}={left.pop(name)}" if own else name]
    if options.network:
        words += ["--network", options.network]
    words += _of_verb(verb, options)
    return words, {**built, **left}


def _of_verb(verb: str, options: Options) -> Sequence[str]:
    if verb == "configure":
        return ["--retag"] if options.retag else []
    gpus = [] if options.gpus is None else ["--gpus", options.gpus or "0"]
    return ["--task-timeout", f"{options.task_timeout:g}", *gpus]
