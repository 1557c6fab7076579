"""JUnit XML, which CI services read: a test for each check, with its task's time."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from mlcube_conformance.base.text import mask, plain, visible
from mlcube_conformance.results.finding import passed_failed_errors
from mlcube_conformance.results.overview import BAD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlcube_conformance.results.overview import Check, Overview, Part
    from mlcube_conformance.results.report import Report

__all__ = ["OPTION", "SUFFIX", "report"]

SUFFIX = ".xml"
OPTION = "junit"

#: Clauses whose test tells how long the task, or the image, took.
_OF_TIME = ("EXIT-1", "IMAGE-1")
#: What XML 1.0 cannot hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(shown: Report) -> str:
    """Return the document: a suite for each cube and platform."""
    overview = shown.overview
    top = ET.Element("testsuites", name="mlcube-conformance")
    suites: dict[tuple[str, str], list[Part]] = {}
    for part in overview.parts:
        suites.setdefault((part.cube, part.column), []).append(part)
    for (cube, column), parts in suites.items():
        name = " on ".join(filter(None, (cube, column))) or "other tests"
        suite = ET.SubElement(top, "testsuite", name=_line(name))
        suite.set("timestamp", str(overview.record["began"]).removesuffix("Z"))
        suite.set("hostname", _line(overview.record["host"]["name"]))
        _count(suite, [check for part in parts for check in part.checks])
        times = [_case(suite, part, each) for part in parts for each in part.checks]
        suite.set("time", f"{sum(times):.3f}")
        for part in parts:
            _add_logs(suite, part)
    _count(top, [check for _, check in overview.checks])
    if overview.is_killed:
        _add_killed(top, overview)
    ET.indent(top)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(top, "unicode")}\n'


def _count(element: ET.Element, checks: list[Check]) -> None:
    states = Counter(each.state for each in checks)
    passed, failed, errors = passed_failed_errors(states)
    skipped = len(checks) - passed - failed - errors
    element.set("tests", str(len(checks)))
    element.set("failures", str(failed))
    element.set("errors", str(errors))
    element.set("skipped", str(skipped))


def _case(suite: ET.Element, part: Part, check: Check) -> float:
    of_time = check.clause in _OF_TIME and part.seconds is not None
    seconds = part.seconds if of_time else check.finding["seconds"]
    element = ET.SubElement(
        suite,
        "testcase",
        classname=_line(part.id or part.title),
        name=_line(": ".join(filter(None, (check.clause, check.sentence)))),
        time=f"{seconds or 0:.3f}",
    )
    words = {"clause": check.clause, "case": part.id, "test": check.test}
    _add_properties(element, words.items(), part if of_time else None)
    if check.state == "passed":
        return float(seconds or 0)
    kind = {"failed": "failure", "unexpected pass": "failure", "error": "error"}
    found = ET.SubElement(element, kind.get(check.state, "skipped"))
    reason = check.finding["reason"] or check.state
    about = "" if check.state == "failed" else f"{check.state}: "
    found.set("message", _line(f"{about}{reason}"))
    more = [f"more: {check.more}"] if check.messages and check.more else []
    found.text = _text("\n\n".join([*map(str, check.messages), *more]))
    return float(seconds or 0)


def _add_properties(
    element: ET.Element, words: Iterable[tuple[str, str]], part: Part | None
) -> None:
    values = dict(words)
    if part is not None:
        values |= {name: f"{each['value']:g}" for name, each in part.metrics.items()}
    properties = ET.SubElement(element, "properties")
    for name, value in values.items():
        if value:
            ET.SubElement(properties, "property", name=_line(name), value=_line(value))


def _add_logs(suite: ET.Element, part: Part) -> None:
    if part.state not in BAD:
        return
    for run in part.runs:
        for log in run.get("logs", ()):
            if log["tail"]:
                kind = "system-err" if log["name"] == "stderr" else "system-out"
                text = "\n".join([f"{run['subject']} {log['name']}:", *log["tail"]])
                ET.SubElement(suite, kind).text = _text(text)


def _add_killed(top: ET.Element, overview: Overview) -> None:
    """Add a suite that fails: CI must not take a killed run for a green one."""
    for name in ("tests", "errors"):
        top.set(name, str(int(top.get(name, "0")) + 1))
    suite = ET.SubElement(top, "testsuite", name="run", tests="1", errors="1")
    suite.set("failures", "0")
    case = ET.SubElement(suite, "testcase", classname="run", name="the run ends")
    text = f"the run {overview.record['run']} was killed"
    ET.SubElement(case, "error", message=_line(text))


def _line(text: object) -> str:
    return _NOT_XML.sub("�", plain(visible(mask(str(text)))))


def _text(text: str) -> str:
    return _NOT_XML.sub("�", plain(mask(text)))
