"""What a record says, as every report shows it: a matrix of parts, and their checks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlcube_conformance.clauses.naming import explaining, known_clause, known_ids
from mlcube_conformance.results.finding import in_numbers, message_of
from mlcube_conformance.results.reading import PARTS
from mlcube_conformance.results.tested_runners import runners_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlcube_conformance.base.errors import Message

__all__ = ["BAD", "EVERYWHERE", "STATES", "Check", "Overview", "Part"]

#: What a check can come to, the worst first.
STATES = (
    "failed",
    "error",
    "unexpected pass",
    "warning",
    "unsupported",
    "not run",
    "expected failure",
    "passed",
    "not applicable",
)
#: What fails a run.
BAD = STATES[:3]
_ORDER = {state: number for number, state in enumerate(STATES)}
#: What a comparison of platforms is called, behind the name of its task.
EVERYWHERE = "everywhere"
_DEFINITION, _IMAGE = "definition", "image"
#: Parts of a cube that all of its platforms share.
_SHARED = ("cube", "platform", "comparison", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One clause and what was found of it."""

    finding: Mapping[str, Any]
    """As the record has it."""
    state: str
    """One of `STATES`."""
    sentence: str
    """What the clause says; the name of the test where it is about none."""

    @property
    def clause(self) -> str:
        """Id of the clause; "" for a test of the user's own."""
        return str(self.finding["clause"])

    @property
    def more(self) -> str:
        """The command that explains the clause; "" for a fault of the machine."""
        return "" if self.state == "error" else explaining(self.clause)

    @property
    def test(self) -> str:
        """Name of the test; "" where none was selected for it."""
        return str(self.finding["test"])

    @property
    def messages(self) -> tuple[Message, ...]:
        """What is wrong, in full."""
        return tuple(map(message_of, self.finding["messages"]))

    @property
    def is_bad(self) -> bool:
        """Whether it fails the run."""
        return self.state in BAD


@dataclass(slots=True, kw_only=True)
class Part:
    """A task, an image or a definition, on one platform or on all."""

    id: str
    """As the record names it."""
    cube: str
    """"" where it is about a runner."""
    title: str
    """`definition`, `image`, or the name of the task; for a runner, the clause."""
    column: str
    """The platform, or the runner; "" for all platforms."""
    checks: list[Check] = field(default_factory=list)
    runs: list[Mapping[str, Any]] = field(default_factory=list)
    """How its tasks, or the making of its image, ended."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from others, in another record too."""
        return (self.cube, self.title, self.column)

    @property
    def state(self) -> str:
        """The worst state of its checks."""
        states = [each.state for each in self.checks]
        told = [each for each in states if each != "not applicable"] or states
        return min(told, key=_ORDER.__getitem__, default="not run")

    @property
    def counts(self) -> Counter[str]:
        """How many checks are in each state."""
        return Counter(each.state for each in self.checks)

    @property
    def seconds(self) -> float | None:
        """How long it took by itself; None where it did not run."""
        times = (float(each["seconds"]) for each in self.runs if "seconds" in each)
        return next((each for each in times if abs(each) < float("inf")), None)

    @property
    def bytes(self) -> int | None:
        """Size of what it made; None where that is unknown."""
        for each in self.runs:
            if each.get("outputs"):
                return sum(int(one["bytes"]) for one in each["outputs"].values())
            if "image" in each:
                return int(each["image"].get("size") or 0) or None
        return None

    @property
    def metrics(self) -> Mapping[str, Mapping[str, Any]]:
        """Numbers that the cube makes promises about, by what they are called."""
        found = self.runs[0].get("metrics", ()) if self.runs else ()
        return {_metric_name(each): each for each in found}


def _metric_name(metric: Mapping[str, Any]) -> str:
    inside = "" if metric["file"] in {"", "."} else f"/{metric['file']}"
    return f"{metric['output']}{inside}: {metric['path'] or 'value'}"


class Overview:
    """The matrix of a record."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        """Sort what a record says by what it is about."""
        self.record = record
        self.columns: dict[str, None] = {}
        """The platforms, in the order in which they were met."""
        self._labels = _labels(record)
        self.runners = runners_of(record)
        """By run; none where cubes were tested."""
        self._parts: dict[tuple[str, str, str], Part] = {}
        self._by_subject: dict[tuple[str, str], Part] = {}
        self.columns |= {each.label: None for each in self.runners.values()}
        for each in record["platforms"]:
            self.columns.setdefault(self._column(each, each["platform"]), None)
        seen = set()
        for finding in record["findings"]:
            key = _shared_key(finding)
            if key is None or key not in seen:
                seen.add(key)
                self._take(finding)
        for name in ("configures", "runs"):
            for event in record[name]:
                self._take_event(event)
        self.parts = self._ordered()
        self._failed = {
            (part.cube, part.column) for part, check in self.checks if check.is_bad
        }

    def _ordered(self) -> list[Part]:
        """Return all parts, those of a cube together: definition, image, then tasks."""
        cubes: dict[str, int] = {}
        for part in self._parts.values():
            cubes.setdefault(part.cube, len(cubes))
        names = known_ids() if self.runners else (_DEFINITION, _IMAGE)
        first = {each: number for number, each in enumerate(names)}
        return sorted(
            self._parts.values(),
            key=lambda each: (cubes[each.cube], first.get(each.title, len(first))),
        )

    @property
    def checks(self) -> Iterator[tuple[Part, Check]]:
        """Each check with its part."""
        return ((part, check) for part in self.parts for check in part.checks)

    @property
    def counts(self) -> Counter[str]:
        """How many checks are in each state."""
        return Counter(check.state for _, check in self.checks)

    @property
    def is_killed(self) -> bool:
        """Whether a run did not come to its end."""
        return self.record["ended"] is None

    @property
    def is_bad(self) -> bool:
        """Whether a run failed, or did not come to its end."""
        return (
            self.is_killed
            or bool(self.record["ended"]["exit_code"])
            or any(check.is_bad for _, check in self.checks)
        )

    @cached_property
    def levels(self) -> Mapping[tuple[str, str], Mapping[str, str]]:
        """How far each cube on each platform can be trusted, by cube and column."""
        places = {
            (x.get("run", ""), x["id"]): (x["cube"], self._column(x, x["platform"]))
            for x in self.record["platforms"]
        }
        found = {}
        for each in self.record.get("levels", ()):
            place = places.get((each.get("run", ""), each["subject"]))
            if place is not None:
                found[place] = each
        return found

    @property
    def level(self) -> str:
        """The lowest level of all; "" where one reached none."""
        return min((each["level"] for each in self.levels.values()), default="")

    @property
    def title(self) -> str:
        """What the record is about."""
        names = ", ".join(each.label for each in self.runners.values())
        return f"Scorecard of {names}" if names else "MLCube conformance"

    @property
    def verdict(self) -> str:
        """Everything in one line, as in "L2, 23 passed, 1 failed"."""
        said = in_numbers(self.counts, reversed(STATES))
        words = [self.level] if self.level else []
        words += ["killed"] if self.is_killed else []
        return ", ".join([*words, *said]) or "nothing was checked"

    def folder_of(self, part: Part) -> str:
        """Return the folder of the run that a part is from."""
        runs = {each["run"]: each for each in self.record.get(PARTS, ())}
        events = part.runs or [check.finding for check in part.checks]
        run = runs.get(events[0].get("run"), self.record) if events else self.record
        return str(run["folder"])

    def keeps_logs(self, part: Part) -> bool:
        """Say whether the logs of a part were kept when the run ended."""
        kept = self.record.get("keep", "failed")
        failed = (part.cube, part.column) in self._failed
        return kept == "all" or (kept == "failed" and failed)

    def _column(self, event: Mapping[str, Any], platform: str) -> str:
        return self._labels.get((event.get("run", ""), platform), platform)

    def _take(self, finding: Mapping[str, Any]) -> None:
        about = finding["subject"]
        part = self._part(finding, about)
        known = known_clause(finding["clause"])
        sentence = known.sentence if known else finding["test"] or finding["clause"]
        part.checks.append(
            Check(finding=finding, state=_state(finding), sentence=sentence)
        )
        if about["kind"] in {"placement", "case"}:
            key = (finding.get("run", ""), about["id"])
            self._by_subject.setdefault(key, part)

    def _part(self, finding: Mapping[str, Any], about: Mapping[str, str]) -> Part:
        kind, cube = about["kind"], about["cube"]
        title = about["task"] or _IMAGE
        if kind in {"cube", "platform"}:
            title = _DEFINITION
        elif kind == "comparison":
            title = f"{about['task']} {EVERYWHERE}"
        elif kind == "runner":
            title = finding["clause"] or "other tests"
        elif kind == "":
            title = "other tests"
        column = "" if kind in _SHARED else self._column(finding, about["platform"])
        if kind == "runner":
            runner = self.runners.get(finding.get("run", self.record["run"]))
            column = runner.label if runner else about["id"]
        if column:
            self.columns.setdefault(column, None)
        return self._parts.setdefault(
            (cube, title, column),
            Part(id=about["id"], cube=cube, title=title, column=column),
        )

    def _take_event(self, event: Mapping[str, Any]) -> None:
        run, subject = event.get("run", ""), event["subject"]
        part = self._by_subject.get((run, subject))
        if part is None:  # a further run of a case, behind a dot
            part = self._by_subject.get((run, subject.rpartition(".")[0]))
        if part is None:
            part = self._unseen(run, event)
        if part is not None:
            part.runs.append(event)

    def _unseen(self, run: str, event: Mapping[str, Any]) -> Part | None:
        """Return the part of what was begun, of which nothing was found yet."""
        subject = event["subject"]
        for each in self.record["platforms"]:
            rest = subject.removeprefix(each["id"])
            if each.get("run", "") == run and rest != subject and rest[:1] in {"", "-"}:
                title, column = rest[1:] or _IMAGE, self._column(each, each["platform"])
                key = (each["cube"], title, column)
                part = Part(id=subject, cube=key[0], title=title, column=column)
                part = self._parts.setdefault(key, part)
                self._by_subject[run, subject] = part
                return part
        return None


def _state(finding: Mapping[str, Any]) -> str:
    verdict = str(finding["verdict"])
    if finding["expected"] and verdict in {"passed", "failed"}:
        return "unexpected pass" if verdict == "passed" else "expected failure"
    if verdict == "failed" and not finding.get("required", True):
        return "warning"
    return verdict


def _shared_key(finding: Mapping[str, Any]) -> tuple[object, ...] | None:
    """Return what tells a finding that each job of a matrix makes, if it is one."""
    about = finding["subject"]
    if about["kind"] != "cube" or "run" not in finding:
        return None
    test = finding["test"].partition("[")[0]  # In brackets is what each job calls it.
    return (about["cube"], test, *(finding[x] for x in ("clause", "verdict", "reason")))


def _labels(record: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Return what columns are called where several runs used the same platform."""
    parts = {each["run"]: each for each in record.get(PARTS, ())}
    runs_of: dict[tuple[str, str], list[str]] = {}
    for each in record["platforms"]:
        runs_of.setdefault((each["cube"], each["platform"]), []).append(
            each.get("run", "")
        )
    twice = {name for (_, name), runs in runs_of.items() if len(set(runs)) > 1}
    hosts = Counter(each["host"]["name"] for each in parts.values())
    found: dict[tuple[str, str], str] = {}
    for number, (run, part) in enumerate(parts.items(), start=1):
        host = part["host"]["name"]
        label = host if hosts[host] == 1 else f"{host} {number}"
        found |= {(run, name): f"{name} on {label}" for name in twice}
    return found
