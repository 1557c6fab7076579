"""What is said of the examples of clauses: without what differs from run to run."""

from __future__ import annotations

import json
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from mlcube_conformance import zoo
from mlcube_conformance.base.errors import Message
from mlcube_conformance.results.finding import message_of
from mlcube_conformance.zoo.examples import (
    MESSAGES,
    example_of,
    message_of_example,
    seen_on,
)
from mlcube_conformance.zoo.folders import BASE
from tests.cube_folders import BUSYBOX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlcube_conformance.zoo.animals import Animal

__all__ = ["STORE", "compare_messages", "said_by_run", "said_by_validate"]

#: Variable that makes the tests of the zoo write the messages instead of comparing.
STORE = "MLCUBE_CONFORMANCE_STORE_MESSAGES"

_NEUTRAL = (
    (r"/\S*/broken/(?=[\w-]+/)", "cubes/"),
    (r"/\S*/\.mlcube-conformance/\d{8}-\d{6}-[0-9a-f]{8}/", "RUN/"),
    (re.escape(BUSYBOX), BASE),
    (rf"(?<=the invoking user ){os.getuid()}\b", "1000"),
    # The size of an image, with its base.
    (r"(?m)(?<=^  found:    )[\d,]{9,}(?= bytes$)", "27,150,142"),
    # The hash of a file that holds a path of this machine.
    (r"(?m)(?<=  file )[0-9a-f]{12}$", "75454c239c61"),
    # What od shows of random bytes.
    (r"0000000( [0-7]{6}){4}", "0000000 …"),
)


def _neutral(messages: Iterable[Message]) -> list[str]:
    text = "\n\n".join(map(str, messages))
    for found, instead in _NEUTRAL:
        text = re.sub(found, instead, text)
    return text.split("\n")


def said_by_run(record: Path) -> dict[tuple[str, str], list[str]]:
    """Return what a run said of each cube and clause that was not met."""
    findings = json.loads(record.read_text(encoding="utf-8"))["findings"]
    return {
        (each["subject"]["cube"], each["clause"]): _neutral(
            map(message_of, each["messages"])
        )
        for each in findings
        if each["messages"]
    }


def said_by_validate(document: Mapping[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Return what `validate --format json` said of each cube and clause."""
    found: dict[tuple[str, str], list[Message]] = {}
    for cube in document["cubes"]:
        for each in cube["findings"]:
            key = f", key {each['key']}" if each["key"] else ""
            line = f", line {each['line']}" if each["line"] else ""
            words = {name: each[name] for name in ("what", "found", "expected", "do")}
            message = Message(**words, where=f"{each['file']}{line}{key}")
            found.setdefault((Path(cube["path"]).name, each["clause"]), []).append(
                message
            )
    return {key: _neutral(messages) for key, messages in found.items()}


def compare_messages(
    members: Iterable[Animal], kind: str, said: Mapping[tuple[str, str], list[str]]
) -> None:
    """Compare what was said of the examples among some animals, or store it.

    Args:
        members: Animals that were run or read.
        kind: Kind of the platform; "" for `validate`.
        said: What was said, by cube and clause.
    """
    shown = {
        each.name: said[each.name, each.clause]
        for each in members
        if example_of(each.clause) is each and seen_on(each) == kind
    }
    if os.environ.get(STORE):
        file = Path(str(files(zoo) / MESSAGES))
        with FileLock(f"{file}.lock"):
            stored = {**json.loads(file.read_text("utf-8")), **shown}
            text = json.dumps(stored, indent=1, ensure_ascii=False, sort_keys=True)
            file.write_text(f"{text}\n", encoding="utf-8")
        return
    known = {name: message_of_example(_named(members, name)) for name in shown}
    assert shown == known, f"to store them: {STORE}=1 pytest tests/zoo"


def _named(members: Iterable[Animal], name: str) -> Animal:
    return next(each for each in members if each.name == name)
