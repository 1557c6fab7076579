"""How far each cube can be trusted on each platform, as the findings say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.base.text import visible
from mlcube_conformance.suites.cube.depth import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlcube_conformance.plan.order import Placement
    from mlcube_conformance.results.finding import Finding
    from mlcube_conformance.results.record import Record
    from mlcube_conformance.suites.cube.depth import Depth

__all__ = ["Reached", "levels_of"]

#: The clause without which a level is not shown, and what it is about.
_SHOWN_BY = {
    "L0": ("FILE-1", "cube"),
    "L1": ("IMAGE-1", "placement"),
    "L2": ("EXIT-1", "case"),
    "L3": ("HERMETIC-1", "case"),
    "L4": ("SAME-1", "comparison"),
}
_BLOCKS = ("failed", "error", "unsupported", "not run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The level of one cube on one platform."""

    placement: str
    level: str
    """Such as `L2`; "" for none."""
    missing: str
    """What stands between it and the next level; "" at the highest."""
    verdict: str = ""
    """That of the clause which does; "" where none was tested."""

    def __str__(self) -> str:
        """Read as "hello-docker: L2, every task runs…; for L3: …"."""
        words = f"{self.level}, {LEVELS[self.level]}" if self.level else "no level"
        after = f"; {self.missing}" if self.missing else ""
        return visible(f"{self.placement}: {words}{after}")


def _reached(
    placement: Placement,
    findings: Mapping[tuple[str, str], Sequence[Finding]],
    depth: Depth,
) -> Reached:
    """Return the highest level with everything below it met.

    Args:
        placement: A cube on a platform.
        findings: What was found, by the platform file or the cube that it is about.
        depth: What the command line asks for.
    """
    about = [
        *findings.get(("platform", placement.id), ()),
        *(
            each
            for each in findings.get(("cube", placement.cube.id), ())
            if each.subject.platform in {placement.platform.id, ""}
        ),
    ]
    level = ""
    for name in LEVELS:
        missing, verdict = _missing(name, placement, about, depth)
        if missing:
            missing = f"for {name}: {missing}"
            return Reached(
                placement=placement.id, level=level, missing=missing, verdict=verdict
            )
        level = name
    return Reached(placement=placement.id, level=level, missing="")


def _missing(
    level: str, placement: Placement, about: Sequence[Finding], depth: Depth
) -> tuple[str, str]:
    """Return what keeps a level from being reached, or "", and its verdict, if any."""
    of_level = [each for each in about if depth.level_of(each.clause) == level]
    counting = [each for each in of_level if depth.is_must(each.clause)]
    for verdict in _BLOCKS:
        for each in counting:
            if each.verdict == verdict:
                return f"{each.clause} of {each.subject.id} ({verdict})", verdict
    if not depth.goes_to(level) and (depth.level is not None or level >= "L3"):
        return f"--level {level}", ""
    clause, kind = _SHOWN_BY[level]
    shown = {
        each.subject.id
        for each in of_level
        if each.clause == clause and each.verdict == "passed"
    }
    missing = [each for each in _wanted(kind, placement) if each not in shown]
    if missing and kind == "comparison":
        return "a second --platform", ""
    return (f"{clause} of {missing[0]} was not tested" if missing else ""), ""


def _wanted(kind: str, placement: Placement) -> list[str]:
    """Return what has to be shown for a level."""
    cube = placement.cube.id
    return {
        "cube": [cube],
        "placement": [placement.id],
        "case": [each.id for each in placement.cases],
        "comparison": [f"{cube}-{each.invocation.name}" for each in placement.cases],
    }[kind]


def levels_of(
    placements: Iterable[Placement], record: Record, depth: Depth
) -> list[Reached]:
    """Return the level of each cube on each platform, and record it."""
    # Once for all: a search for each placement takes the square of the time.
    by_subject: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in record.findings:
        about = finding.subject
        is_platform = about.kind == "platform"
        key = ("platform", about.id) if is_platform else ("cube", about.cube)
        by_subject[key].append(finding)
    found = [_reached(each, by_subject, depth) for each in placements]
    for each in found:
        record.event(
            "level",
            subject=each.placement,
            level=each.level,
            missing=each.missing,
            verdict=each.verdict,
        )
    return found
