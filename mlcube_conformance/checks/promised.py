"""Checks outputs against what `conformance.yaml` promises of them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.errors import Message
from mlcube_conformance.base.paths import is_like
from mlcube_conformance.base.text import visible
from mlcube_conformance.checks.outputs import some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mlcube_conformance.checks.outputs import Observation
    from mlcube_conformance.model import Case
    from mlcube_conformance.promise import OutputPromise

__all__ = [
    "KINDS",
    "Kept",
    "Metric",
    "differs_from",
    "kept_promises",
    "values_differ",
]

#: The clause that each key of `conformance.yaml` is about.
KINDS = {
    "contains": "PROMISE-1",
    "absent": "PROMISE-2",
    "size": "PROMISE-3",
    "sha256": "PROMISE-4",
    "matches": "PROMISE-5",
    "json": "PROMISE-6",
    "yaml": "PROMISE-6",
    "csv": "PROMISE-6",
    "snapshot": "PROMISE-7",
}
#: What an output is said to do that does not keep such a promise.
_WORDS = {
    "contains": "lacks a promised file",
    "absent": "has an unwanted file",
    "size": "has another size",
    "sha256": "has other bytes",
    "matches": "lacks promised text",
    "json": "has another value",
    "yaml": "has another value",
    "csv": "has another value",
    "snapshot": "differs from its snapshot",
}
#: Seconds for all documents of a task.
_PATIENCE = 60
_MODULE = "mlcube_conformance.checks.documents"
#: The output itself, as a path in it.
_WHOLE = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    """What is wrong, beside what every message says."""

    found: str
    expected: str
    do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number in a document for which the cube promises something."""

    promise: OutputPromise
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How outputs stand to what the cube promises of them."""

    clauses: Mapping[str, tuple[Message, ...]] = field(default_factory=dict)
    """What is wrong, by each clause that is promised."""
    metrics: tuple[Metric, ...] = ()


def kept_promises(case: Case, outputs: Iterable[Observation]) -> Kept:
    """Judge outputs by each clause that the cube promises of the task.

    Files are looked at as they are now: right after the task ended.

    Args:
        case: The task on a platform.
        outputs: Its outputs.
    """
    seen = {each.binding.parameter.name: each for each in outputs}
    found: dict[str, list[Message]] = {}
    questions: list[OutputPromise] = []
    for promise in case.promises.of_kind(*KINDS):
        wrong = found.setdefault(KINDS[promise.kind], [])
        output = seen.get(promise.output)
        if output is None or output.after.root is None:
            continue  # OUTPUT-1 says so.
        look = _LOOKS.get(promise.kind)
        if look is None:
            questions.append(promise)
        else:
            wrong += [_message(case, promise, each) for each in look(output, promise)]
    metrics = []
    for promise, fault, value in _ask(case, questions, seen) if questions else ():
        if fault is not None:
            found[KINDS[promise.kind]].append(_message(case, promise, fault))
        if value is not None:
            metrics.append(Metric(promise=promise, value=value))
    return Kept(
        clauses={clause: tuple(messages) for clause, messages in found.items()},
        metrics=tuple(metrics),
    )


def _message(case: Case, promise: OutputPromise, fault: _Fault) -> Message:
    task = case.invocation.task.name
    return Message(
        what=f"the output {promise.output!r} of task {task!r} {_WORDS[promise.kind]}",
        where=str(promise.source),
        found="\n".join(map(visible, fault.found.split("\n"))),
        expected=visible(fault.expected),
        do=fault.do or "fix the task, or the promise",
    )


def _inside(output: Observation) -> list[str]:
    """Return all that is in an output folder, by path relative to it."""
    return [name for name in output.after.entries if name != _WHOLE]


def _contains(output: Observation, promise: OutputPromise) -> Iterable[_Fault]:
    names = _inside(output)
    for pattern in promise.rule["patterns"]:
        if not any(is_like(name, pattern) for name in names):
            yield _Fault(
                found=some(tuple(sorted(names))) or f"nothing in {output.path}",
                expected=f"a file like {pattern}",
                do="write the file, or fix the pattern",
            )


def _absent(output: Observation, promise: OutputPromise) -> Iterable[_Fault]:
    for pattern in promise.rule["patterns"]:
        names = [name for name in _inside(output) if is_like(name, pattern)]
        if names:
            yield _Fault(
                found=some(tuple(sorted(names))),
                expected=f"no file like {pattern}",
                do="remove what the task leaves, or fix the pattern",
            )


def _size(output: Observation, promise: OutputPromise) -> Iterable[_Fault]:
    least, most = promise.rule.get("at_least"), promise.rule.get("at_most")
    size = sum(entry.size for _, entry in output.after.files())
    if (least is not None and size < least) or (most is not None and size > most):
        limits = [
            f"{words} {limit:,}"
            for words, limit in (("at least", least), ("at most", most))
            if limit is not None
        ]
        yield _Fault(
            found=f"{size:,} bytes in {output.path}",
            expected=f"{least:,} bytes"
            if least == most
            else f"{' and '.join(limits)} bytes",
            do="",
        )


def _sha256(output: Observation, promise: OutputPromise) -> Iterable[_Fault]:
    name, expected = promise.rule["file"], promise.rule["value"].lower()
    entry = output.after.entries.get(name)
    path = output.path / name
    if entry is None or entry.kind != "file":
        found = "nothing" if entry is None else f"a {entry.kind}"
        yield _Fault(found=f"{found} at {path}", expected="a file", do="write the file")
        return
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        digest = f"cannot be read: {error.strerror}"
    if digest != expected:
        yield _Fault(found=f"{digest} of {path}", expected=expected, do="")


_LOOKS: Mapping[str, Callable[[Observation, OutputPromise], Iterable[_Fault]]] = {
    "contains": _contains,
    "absent": _absent,
    "size": _size,
    "sha256": _sha256,
}


def differs_from(first: Observation, again: Observation, name: str) -> str:
    """Say how a file of two outputs differs: its first line or value that does."""
    rule = {"ignore": [], "tolerance": 0}
    answer, why = _difference(first, again, rule, name)
    return visible(answer["found"] if answer else why)


def values_differ(
    first: Observation, again: Observation, promise: OutputPromise
) -> str:
    """Say how the documents of two outputs differ, by what a promise allows, or ""."""
    rule = {**promise.rule, "documents": True}
    answer, _ = _difference(first, again, rule, _WHOLE)
    return "\n".join(map(visible, answer["found"].split("\n"))) if answer else ""


def _difference(
    first: Observation, again: Observation, rule: Mapping[str, Any], name: str
) -> tuple[dict[str, str] | None, str]:
    question = {
        "kind": "snapshot",
        "rule": {**rule, "place": str(first.path / name)},
        "root": str(again.path),
        "place": str(again.path / name),
        "cube": str(first.path),
    }
    answers, why = _answers([question])
    return (answers[0]["wrong"] if answers else None), why


def _ask(
    case: Case, promises: list[OutputPromise], seen: Mapping[str, Observation]
) -> Iterable[tuple[OutputPromise, _Fault | None, float | None]]:
    """Yield what is wrong with documents, and numbers, as another process finds it."""
    questions = [_question(case, each, seen[each.output]) for each in promises]
    answers, why = _answers(questions)
    for promise, answer in zip(promises, answers, strict=False):
        wrong = answer["wrong"]
        yield promise, _Fault(**wrong) if wrong else None, answer["value"]
    for promise in promises[len(answers) :]:  # None is kept unless it was looked at.
        yield (
            promise,
            _Fault(
                found=why,
                expected=f"a promise that can be judged within {_PATIENCE} s, in 4 GiB",
                do="make the expression, the schema or the document simpler",
            ),
            None,
        )
        why = f"not judged: the promise in {promises[len(answers)].source} took it all"


def _answers(
    questions: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], str]:
    """Return an answer to each question, and why there are fewer, if so."""
    asked = "\n".join(map(json.dumps, questions))
    why = "its process ended"
    try:
        done = subprocess.run(  # noqa: S603 - our module
            [sys.executable, "-P", "-m", _MODULE],
            input=asked.encode(),
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
        said, last = done.stdout, done.stderr
    except subprocess.TimeoutExpired as error:
        said, last = error.stdout or b"", error.stderr or b""
        why = f"no answer after {_PATIENCE} s"
    lines = last.decode("utf-8", "replace").strip().splitlines()
    why = f"{why}: {lines[-1]}" if lines else why
    return [json.loads(line) for line in said.splitlines()], why


def _question(
    case: Case, promise: OutputPromise, output: Observation
) -> dict[str, Any]:
    return {
        "kind": promise.kind,
        "rule": dict(promise.rule),
        "root": str(output.path),
        "place": str(output.path / promise.rule.get("file", _WHOLE)),
        "cube": str(case.cube.root),
    }
