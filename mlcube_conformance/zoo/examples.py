"""The example of a clause, with what a real run said of it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from mlcube_conformance.zoo.animals import animals

if TYPE_CHECKING:
    from mlcube_conformance.zoo.animals import Animal

__all__ = ["MESSAGES", "example_of", "message_of_example", "seen_on"]

#: What was said of each example: lines, by the name of the animal. The tests of the
#: zoo compare it with their runs, and write it where they are asked to.
MESSAGES = "messages.json"
#: Families of clauses that `validate` finds, without a run.
_OF_FILES = ("FILE", "RECIPE")


@cache
def _examples() -> dict[str, Animal]:
    found: dict[str, Animal] = {}
    for each in animals():
        if each.example or each.clause not in found:
            found[each.clause] = each
    return found


def example_of(clause_id: str) -> Animal | None:
    """Return the animal that is shown as the example of a clause, if it has one."""
    return _examples().get(clause_id)


def seen_on(animal: Animal) -> str:
    """Return the kind of platform whose message is shown: "" for `validate`.

    It is one that needs no engine, where there is a choice.
    """
    if not animal.on or animal.clause.startswith(_OF_FILES):
        return ""
    return "local" if "local" in animal.on else animal.on[0]


@cache
def _messages() -> dict[str, list[str]]:
    file = files(__package__) / MESSAGES
    found: dict[str, list[str]] = json.loads(file.read_text("utf-8"))
    return found


def message_of_example(animal: Animal) -> list[str]:
    """Return the lines of its message, without what differs from run to run."""
    return _messages()[animal.name]
