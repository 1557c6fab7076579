"""The result of the clauses that were put to a runner, and the file that keeps it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, get_args

from mlcube_conformance.base.errors import Message, UsageError, did_you_mean
from mlcube_conformance.clauses import CLAUSES, RUNNER_CLAUSES, clause
from mlcube_conformance.results.finding import Verdict
from mlcube_conformance.results.reading import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlcube_conformance.clauses import Clause

__all__ = [
    "Judgement",
    "Scorecard",
    "judgements_of",
    "scorecard_of",
    "scorecards_of",
]

_VERSION = 1
_IDS = [each.id for each in CLAUSES]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The result of one clause."""

    clause: str
    """Id of the clause."""
    verdict: Verdict
    reason: str = ""
    expected: bool = False
    """Whether it was known beforehand that the clause is not met."""
    seen: str = ""
    """What showed it, in one line, where that is not the reason."""

    @property
    def of(self) -> Clause:
        """Return the clause that was judged."""
        return clause(self.clause)

    @property
    def broken(self) -> bool:
        """Say whether the clause is not met, or could not be judged."""
        return self.verdict in {"failed", "error"}


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The result of every clause that was put to one runner."""

    runner: str
    version: str
    """Of the runner."""
    date: str
    tool: str
    """Version of this project that judged."""
    judgements: tuple[Judgement, ...]
    format: str = ""
    """Of the cubes that were put to it."""

    def ordered(self) -> tuple[Judgement, ...]:
        """Return the judgements in the order of the clauses."""
        return tuple(sorted(self.judgements, key=lambda each: _IDS.index(each.clause)))

    def to_json(self) -> str:
        """Return the card as a JSON document, which `from_json` reads."""
        card = {
            "schema_version": _VERSION,
            "runner": self.runner,
            "version": self.version,
            "date": self.date,
            "tool": self.tool,
            "format": self.format,
            "judgements": [asdict(each) for each in self.ordered()],
        }
        return json.dumps(card, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str = "") -> Scorecard:
        """Read a card.

        Args:
            text: The document.
            where: What errors call it, such as the path of its file.

        Raises:
            UsageError: It is not a scorecard.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _refused(where, f"not JSON: {error}", "a JSON document") from error
        return _Reader(where).card(document)


def judgements_of(findings: Iterable[Mapping[str, Any]]) -> dict[str, Judgement]:
    """Return the result of each clause that tests were run for, by its id.

    Of several tests of one clause, the first that is not met counts.
    """
    judged: dict[str, Judgement] = {}
    for each in findings:
        earlier = judged.get(each["clause"])
        if each["clause"] and (
            earlier is None or earlier.verdict in {"passed", "not applicable"}
        ):
            judged[each["clause"]] = Judgement(
                clause=each["clause"],
                verdict=each["verdict"],
                reason=each["reason"],
                expected=each["expected"],
                seen=each["facts"].get("seen", ""),
            )
    return judged


def scorecards_of(record: Mapping[str, Any]) -> list[Scorecard]:
    """Return the scorecard of each run of a record, which may be joined of several.

    Raises:
        KeyError: It is not the record of tests of runners.
    """
    parts = record.get(PARTS)
    if not parts:
        return [scorecard_of(record)]
    found = record["findings"]
    return [
        scorecard_of(
            {**record, **one, "findings": [x for x in found if x["run"] == one["run"]]}
        )
        for one in parts
    ]


def scorecard_of(record: Mapping[str, Any]) -> Scorecard:
    """Return the scorecard of a runner, from the record of a run.

    Raises:
        KeyError: It is not the record of a test of a runner.
    """
    judged = judgements_of(record["findings"])
    runner = record["runner"]
    return Scorecard(
        runner=runner["name"],
        version=runner["version"],
        date=record["began"][:10],
        tool=record["tool"]["version"],
        judgements=tuple(
            judged.get(each.id) or Judgement(clause=each.id, verdict="not run")
            for each in RUNNER_CLAUSES
            if each.test
        ),
        format=runner["format"],
    )


class _Reader:
    """Reads a document, and refuses at the first problem."""

    def __init__(self, where: str) -> None:
        self._where = where

    def card(self, document: object) -> Scorecard:
        fields = self._mapping(document, "the document")
        version = fields.get("schema_version")
        if version != _VERSION or isinstance(version, bool):
            raise _refused(
                self._where,
                f"schema_version {version!r}",
                f"schema_version {_VERSION}",
                do="write it again with this version of mlcube-conformance",
            )
        judgements = fields.get("judgements")
        if not isinstance(judgements, list):
            raise _refused(self._where, f"judgements: {_kind(judgements)}", "a list")
        runner, version, date, tool = (
            self._text(fields, key) for key in ("runner", "version", "date", "tool")
        )
        found = tuple(
            self._judgement(each, f"judgements[{index}]")
            for index, each in enumerate(judgements)
        )
        self._expect_once(found)
        form = fields.get("format", "")
        return Scorecard(runner, version, date, tool, found, str(form))

    def _judgement(self, document: object, key: str) -> Judgement:
        fields = self._mapping(document, key)
        name = self._text(fields, "clause", key)
        if name not in _IDS:
            raise _refused(
                self._where,
                f"{key}.clause: {name!r}",
                "the id of a clause",
                do=did_you_mean(name, _IDS)
                or "read it with the version of mlcube-conformance that wrote it",
            )
        verdict = self._text(fields, "verdict", key)
        for known in get_args(Verdict):
            if verdict == known:
                break
        else:
            raise _refused(
                self._where,
                f"{key}.verdict: {verdict!r}",
                f"one of {', '.join(get_args(Verdict))}",
            )
        expected = fields.get("expected", False)
        if not isinstance(expected, bool):
            raise _refused(
                self._where, f"{key}.expected: {_kind(expected)}", "true or false"
            )
        reason, seen = (
            self._text(fields, word, key) if word in fields else ""
            for word in ("reason", "seen")
        )
        return Judgement(name, known, reason, expected, seen)

    def _expect_once(self, judgements: tuple[Judgement, ...]) -> None:
        seen = set()
        for each in judgements:
            if each.clause in seen:
                raise _refused(
                    self._where, f"{each.clause} more than once", "each clause once"
                )
            seen.add(each.clause)

    def _mapping(self, document: object, key: str) -> Mapping[str, Any]:
        if not isinstance(document, dict):
            raise _refused(self._where, f"{key}: {_kind(document)}", "an object")
        return document

    def _text(self, fields: Mapping[str, Any], key: str, within: str = "") -> str:
        value = fields.get(key)
        if not isinstance(value, str):
            name = f"{within}.{key}" if within else key
            raise _refused(self._where, f"{name}: {_kind(value)}", f"{key}: text")
        return value


def _kind(value: object) -> str:
    """Say in words what a value of JSON is."""
    if value is None:
        return "nothing"
    words = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return words.get(type(value), "a number")


def _refused(where: str, found: str, expected: str, do: str = "") -> UsageError:
    return UsageError(
        Message(
            what="the file is not a scorecard",
            where=where,
            found=found,
            expected=expected,
            do=do or "give a file that the suite for runners wrote",
        )
    )
