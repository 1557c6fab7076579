"""What changed from one record to another: what broke, and what got worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError
from mlcube_conformance.base.sizes import in_words
from mlcube_conformance.results.finding import FAILED
from mlcube_conformance.results.overview import BAD, Overview

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from mlcube_conformance.results.overview import Part

__all__ = ["Change", "Limits", "baseline", "changes", "no_baseline"]

#: An error says nothing of a cube: what passed and is one now was not seen.
_NOT_SEEN = ("not tested", "not run", "unsupported", "error")
#: Differences that say nothing, however large they are in percent.
_SECONDS, _BYTES = 1, 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Percent by which a part may get worse."""

    slower: float = 50
    larger: float = 20
    worse: float = 1
    """Of a metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference."""

    kind: str
    """`broke`, `fixed`, `lost`, `slower`, `larger`, `less accurate`, `lower level`."""
    part: tuple[str, str, str]
    """Cube, title and platform."""
    what: str
    """The clause, or what was measured."""
    was: str
    now: str

    @property
    def where(self) -> str:
        """The part in words, as reports name it."""
        cube, title, column = self.part
        return " · ".join(filter(None, (cube, column, title)))

    @property
    def is_regression(self) -> bool:
        """Whether it is for the worse; what is no longer tested may be so by choice."""
        return self.kind not in {"fixed", "lost"}


def changes(before: Overview, now: Overview, limits: Limits) -> list[Change]:
    """Return the differences, those for the worse first.

    Args:
        before: The record to compare with.
        now: The new one.
        limits: Percent by which a part may get worse.
    """
    found = [*_levels(before, now)]
    new = {each.key: each for each in now.parts}
    for old in before.parts:
        part = new.get(old.key)
        if part is None:
            found.append(_change("lost", old, "all checks", old.state, "not tested"))
        else:
            found += _checks(old, part)
            found += _measures(old, part, limits)
    return sorted(found, key=lambda each: not each.is_regression)


def _change(kind: str, part: Part, what: str, was: str, now: str) -> Change:
    return Change(kind=kind, part=part.key, what=what, was=was, now=now)


def _levels(before: Overview, now: Overview) -> Iterator[Change]:
    for place, old in before.levels.items():
        new = now.levels.get(place)
        if new is not None and new["level"] < old["level"]:
            # An error says nothing of the cube.
            yield Change(
                kind="lost" if new.get("verdict") == "error" else "lower level",
                part=(place[0], "level", place[1]),
                what=new["missing"],
                was=old["level"],
                now=new["level"] or "none",
            )


def _states(part: Part) -> Mapping[tuple[str, str], str]:
    """Return the states by clause, or by test where there is no clause."""
    return {
        (each.clause, "" if each.clause else each.test): each.state
        for each in part.checks
    }


def _checks(old: Part, new: Part) -> Iterator[Change]:
    states = _states(new)
    for key, was in _states(old).items():
        now, name = states.get(key, "not tested"), key[0] or key[1]
        if was not in BAD and now in FAILED:
            yield _change("broke", new, name, was, now)
        elif was in FAILED and now == "passed":
            yield _change("fixed", new, name, was, now)
        elif was == "passed" and now in _NOT_SEEN:
            yield _change("lost", new, name, was, now)


def _measures(old: Part, new: Part, limits: Limits) -> Iterator[Change]:
    was, now = old.seconds, new.seconds
    ran = not _is_of_image(new)  # That of an image depends on what is cached.
    if ran and was and now and now - was > max(_SECONDS, was * limits.slower / 100):
        yield _change("slower", new, "time", f"{was:.1f} s", f"{now:.1f} s")
    had, has = old.bytes, new.bytes
    if had and has and has - had > max(_BYTES, had * limits.larger / 100):
        yield _change("larger", new, "size", in_words(had), in_words(has))
    for name, metric in new.metrics.items():
        before = old.metrics.get(name)
        if before is not None and _loss(before, metric) > limits.worse:
            yield _change(
                "less accurate",
                new,
                name,
                f"{before['value']:g}",
                f"{metric['value']:g}",
            )


def _is_of_image(part: Part) -> bool:
    return any("image" in each for each in part.runs)


def _loss(before: Mapping[str, Any], now: Mapping[str, Any]) -> float:
    """Return by how many percent a metric got worse, as its promise says what is good.

    At least means that more is better, at most that less is.
    """
    was, value = before["value"], now["value"]
    if "equal" in now:
        worse = abs(value - now["equal"]) - abs(was - now["equal"])
    elif "at_most" in now and "at_least" not in now:
        worse = value - was
    elif "at_least" in now and "at_most" not in now:
        worse = was - value
    else:
        return 0
    return float(100 * worse / (abs(was) or 1))


def baseline(record: Mapping[str, Any], suite: str) -> Overview:
    """Return what a record to compare with says.

    Args:
        record: The record.
        suite: `cube` or `runner`: what is compared with it.

    Raises:
        UsageError: It is the record of the other suite.
    """
    if record["suite"] == suite:
        return Overview(record)
    raise UsageError(
        Message(
            what="the records cannot be compared",
            where="--baseline",
            found=f"the record of a test of a {record['suite']}",
            expected=f"the record of a test of a {suite}",
            do="give the record of an earlier run of the same cubes or runner",
        )
    )


def no_baseline() -> UsageError:
    """Return the error for a comparison with no record to compare with."""
    return UsageError(
        Message(
            what="nothing to compare with",
            where="--fail-on-regression",
            expected="the record of an earlier run",
            do="give --baseline RECORD",
        )
    )
