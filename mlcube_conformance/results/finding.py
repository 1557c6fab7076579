"""What one test found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlcube_conformance.base.errors import Message
from mlcube_conformance.base.source import Source, Where, source_of
from mlcube_conformance.base.text import masked

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "FAILED",
    "Finding",
    "Subject",
    "Verdict",
    "in_numbers",
    "message_facts",
    "message_of",
    "passed_failed_errors",
]

Verdict = Literal[
    "passed", "failed", "error", "unsupported", "not applicable", "not run"
]

#: States of checks that say that something is broken; an error says nothing of it.
FAILED = ("failed", "unexpected pass")
#: States of checks with a plural: "2 errors", and not "2 passed".
_MANY = {
    "error": "errors",
    "expected failure": "expected failures",
    "unexpected pass": "unexpected passes",
    "warning": "warnings",
}


def in_numbers(counts: Mapping[str, int], states: Iterable[str]) -> Iterator[str]:
    """Yield the number of checks in each state that has some, as "2 errors"."""
    for each in states:
        count = counts[each]
        if count:
            yield f"{count} {each if count == 1 else _MANY.get(each, each)}"


def passed_failed_errors(counts: Counter[str]) -> tuple[int, int, int]:
    """Return how many checks passed, failed, and were errors.

    An error is of the machine, or of us: it does not say that anything failed.
    """
    failed = sum(counts[each] for each in FAILED)
    return counts["passed"], failed, counts["error"]


def message_facts(message: Message) -> dict[str, Any]:
    """Return a message as JSON knows it, with the place in a file that it names."""
    at = source_of(message.where)
    source = None if at is None else {**asdict(at), "file": str(at.file)}
    return {**asdict(message), "where": str(message.where), "source": source}


def message_of(facts: Mapping[str, Any]) -> Message:
    """Return what `message_facts` was made from.

    Raises:
        KeyError, TypeError: It is not such a document.
    """
    at = facts.get("source")
    source = None if at is None else Source(**{**at, "file": Path(at["file"])})
    words = {key: value for key, value in facts.items() if key != "source"}
    where = Where(facts["where"], source)
    return Message(**{**words, "where": where, "tail": tuple(facts["tail"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a test is about."""

    kind: Literal["cube", "platform", "placement", "case", "comparison", "runner", ""]
    """A placement is a cube on a platform; "" where a test has none."""
    id: str = ""
    """As in test ids: `mnist-docker-train`."""
    cube: str = ""
    platform: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict on a subject, with its reasons."""

    subject: Subject
    verdict: Verdict
    clause: str = ""
    """Id of the clause; "" for a test of the user's own."""
    reason: str = ""
    """Why, in one line; "" where the clause is met."""
    messages: tuple[Message, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    """What a reader needs beside the messages, such as `again`."""
    test: str = ""
    """Name of the test, as pytest has it."""
    expected: bool = False
    """Whether it was known beforehand that the clause is not met."""
    required: bool = True
    """Whether the run fails where the clause is not met."""
    seconds: float = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it, without what must not be stored."""
        messages = [message_facts(each) for each in self.messages]
        found: dict[str, Any] = masked({**asdict(self), "messages": messages})
        return found

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Finding:
        """Return what `to_dict` was made from.

        Raises:
            KeyError, TypeError: It is not such a document.
        """
        words = {**found, "subject": Subject(**found["subject"])}
        messages = tuple(map(message_of, found["messages"]))
        return cls(**{**words, "messages": messages})
