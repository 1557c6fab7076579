"""What can go wrong, and whose fault it is.

Two trees, so a caller knows by type alone who has to act::

    AssertionError
    └── Violation                 the cube is wrong: a test fails
    Exception
    └── ConformanceError          not the cube: a test errors
        ├── Unsupported           what the cube asks for is not given here, by choice
        ├── UsageError            what was asked for cannot be done
        └── MachineError          the machine, the platform or we are at fault
            └── PlatformUnavailable   the platform does not exist at all

Each carries a `Message`, so every text reads in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Required, TypedDict, Unpack

from mlcube_conformance.base.text import mask, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = [
    "ConformanceError",
    "Fields",
    "MachineError",
    "Message",
    "PlatformUnavailable",
    "Unsupported",
    "UsageError",
    "Violation",
    "did_you_mean",
    "not_written",
    "refusal",
    "require",
    "require_given",
    "without_paths",
]


#: Characters of a word, and number of words, that are compared for a guess.
_LONGEST_GUESS = 100
_MOST_GUESSES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One problem: what, where, found, expected, what to do."""

    what: str
    where: str = ""
    found: str = ""
    expected: str = ""
    do: str = ""
    tail: tuple[str, ...] = ()
    """Last lines of the log that shows it, oldest first."""
    log: str = ""
    """Path of the whole log."""

    def __str__(self) -> str:
        """Render as one aligned paragraph, then the tail of the log."""
        fields = (
            ("where", self.where),
            ("found", self.found),
            ("expected", self.expected),
            ("do", self.do),
            ("log", self.log),
        )
        lines = [self.what]
        for label, text in fields:
            if text:
                indented = text.replace("\n", "\n" + " " * 12)
                lines.append(f"  {label + ':':<10}{indented}")
        if self.tail:
            lines.append("  the log ends with:")
            lines.extend(f"    | {line}" for line in self.tail)
        # Names of files come from cubes and tasks, who could steer a terminal.
        return plain(mask("\n".join(lines)))


class Fields(TypedDict, total=False):
    """The fields of a message other than `what` and `where`."""

    found: Required[str]
    expected: Required[str]
    do: Required[str]
    tail: tuple[str, ...]
    log: str


def without_paths(messages: Iterable[Message], folder: Path) -> tuple[Message, ...]:
    """Return messages without paths in a folder that will be gone.

    What points to a place in it is left out; elsewhere a path starts in the folder.
    """
    return tuple(_without(each, str(folder)) for each in messages)


def _without(message: Message, folder: str) -> Message:
    led = {
        name: "" if folder in text else text
        for name, text in (
            ("where", message.where),
            ("do", message.do),
            ("log", message.log),
        )
    }
    told = {
        name: text.replace(f"{folder}/", "")
        for name, text in (
            ("what", message.what),
            ("found", message.found),
            ("expected", message.expected),
        )
    }
    tail = tuple(line.replace(f"{folder}/", "") for line in message.tail)
    return replace(message, **led, **told, tail=tail)


class Violation(AssertionError):  # noqa: N818 - a verdict
    """The cube breaks a clause."""

    def __init__(self, message: Message, *more: Message) -> None:
        """Keep the messages, the first of which is the main one."""
        self.messages = (message, *more)
        super().__init__("\n\n".join(str(each) for each in self.messages))


class ConformanceError(Exception):
    """Something other than the cube is wrong."""

    def __init__(self, message: Message, *more: Message) -> None:
        """Keep the messages, the first of which is the main one."""
        self.messages = (message, *more)
        super().__init__("\n\n".join(str(each) for each in self.messages))


class Unsupported(ConformanceError):  # noqa: N818 - a verdict
    """The cube asks for what is not given here, by choice."""


class UsageError(ConformanceError):
    """The command line asks for something impossible."""


class MachineError(ConformanceError):
    """The machine, the platform or this tool failed."""


class PlatformUnavailable(MachineError):  # noqa: N818 - names a state
    """The platform cannot be used on this machine."""


def refusal(*, what: str, where: str, **fields: Unpack[Fields]) -> UsageError:
    """Return the error of a wrong request."""
    return UsageError(Message(what=what, where=where, **fields))


def not_written(
    what: str,
    place: object,
    error: Exception,
    *,
    do: str,
    expected: str = "a writable folder",
) -> MachineError:
    """Return the error of a place that the system does not let us write to.

    Args:
        what: What cannot be made, copied or written.
        place: Where.
        error: What the system says.
        do: What to do.
        expected: What it takes.
    """
    found = str(getattr(error, "strerror", None) or error)
    return MachineError(
        Message(what=what, where=str(place), found=found, expected=expected, do=do)
    )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "did you mean 'x'?" for the known word nearest to `word`, or ""."""
    if len(word) > _LONGEST_GUESS:
        return ""  # To compare long words takes its time.
    few = islice((each for each in known if len(each) <= _LONGEST_GUESS), _MOST_GUESSES)
    names: Sequence[str] = sorted(few)
    near = get_close_matches(word, names, n=1)
    return f"did you mean '{near[0]}'?" if near else ""


def require(problems: Sequence[Message]) -> None:
    """Raise a violation if there is any problem.

    Raises:
        Violation: With every problem.
    """
    if problems:
        raise Violation(*problems)


def require_given(limits: Sequence[Message]) -> None:
    """Raise an error if anything is asked for that is not given here.

    Raises:
        Unsupported: With every limit.
    """
    if limits:
        raise Unsupported(*limits)
