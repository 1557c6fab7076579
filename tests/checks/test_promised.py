"""What `conformance.yaml` promises of outputs, kept and broken, one row each."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.snapshots import Snapshot, snapshot
from mlcube_conformance.checks.outputs import Observation
from mlcube_conformance.checks.promised import kept_promises
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.model import Case, Platform
from mlcube_conformance.promise import TaskPromises
from tests.cube_folders import CubeFolder, make_cube

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mlcube_conformance.promise import OutputPromise

METRICS = {
    "accuracy": 0.9,
    "date": "2026-01-05",
    "done": True,
    "epochs": [{"loss": 1.0}, {"loss": 0.25}],
    "nothing": None,
}
FILES = {
    "metrics.json": json.dumps(METRICS),
    "metrics.yaml": "accuracy: 0.9\nday: 2026-01-05\n",
    "table.csv": "epoch,acc\n1,0.5\n2,0.9\n",
    "log.txt": "epoch 1\nsaved model\n",
    "broken.json": "{",
    "deep.json": "[" * 100_000,
    "wide.csv": f"a,b\n{'x' * 200_000},1,more\n",
    "odd.yaml": "rate: 1e-6\nday: 2026-13-45\nlabels: !!set {a, b, c, d, e}\n",
    "odd.json": '{"infinite": 1e400, "less": -1e400, "mixed": [1, "a"], '
    f'"large": {"9" * 400}}}',
    "part/weights.bin": "\0\1",
}
EXPECTED = {
    "same.json": METRICS,
    "other-date.json": {**METRICS, "date": "2025-12-31"},
    "far.json": {
        **METRICS,
        "accuracy": 0.5,
        "epochs": [{"loss": 1.01}, {"loss": 0.25}],
    },
    "list.json": [],
    "draft-07.json": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "dependencies": {"less": ["more"]},
    },
    "close.json": {**METRICS, "accuracy": 0.905},
}

OF_WEIGHTS = hashlib.sha256(b"\0\1").hexdigest()
#: What is promised of the output `data`, and what is said; nothing where it is kept.
ROWS: tuple[tuple[str, str], ...] = (
    ("contains: [metrics.json, '*.csv', part/weights.bin]", ""),
    ("contains: ['*.pt']", "a file like *.pt"),
    ("absent: [core, '*.tmp']", ""),
    ("absent: ['*.bin']", "part/weights.bin"),
    ("contains: [./log.txt, part/, '**/log.txt', '**/*.bin', /log.txt]", ""),
    ("absent: ['./part/weights.bin']", "part/weights.bin"),
    ("absent: ['part/']", "found:    part"),
    ("absent: ['**/log.txt']", "log.txt"),
    ("sha256: {./part//weights.bin: HASH}".replace("HASH", OF_WEIGHTS), ""),
    ("size: {at_least: 10}", ""),
    ("size: {at_least: 1kb, at_most: 1mb}", ""),
    ("size: {at_most: 10}", "expected: at most 10 bytes"),
    ("size: 10", "expected: 10 bytes"),
    ("matches: {log.txt: '^saved'}", ""),
    ("matches: {log.txt: '^Saved'}", "which begins with epoch 1"),
    ("matches: {nothing.txt: x}", "nothing.txt: a broken link, or nothing"),
    ("matches: {pipe: x}", "pipe: a pipe"),
    ("matches: {out: x}", "out: a link to"),
    ("json: [{file: metrics.json, path: accuracy, at_least: 0.8}]", ""),
    ("json: [{file: metrics.json, path: accuracy, equal: 0.9}]", ""),
    ("json: [{file: metrics.json, path: accuracy, equal: 0.8, tolerance: 0.2}]", ""),
    ("json: [{file: metrics.json, path: 'epochs[-1].loss', at_most: 0.3}]", ""),
    ("json: [{file: metrics.json, path: nothing, equal: null}]", ""),
    ("json: [{file: metrics.json, path: done, equal: true}]", ""),
    ("json: [{file: metrics.json, schema: {required: [accuracy]}}]", ""),
    ("json: [{file: metrics.json, path: accuracy, at_least: 0.95}]", "at least 0.95"),
    ("json: [{file: metrics.json, path: accuracy, equal: 0.8}]", "expected: 0.8"),
    ("json: [{file: metrics.json, path: done, equal: 1}]", "true at done"),
    ("json: [{file: metrics.json, path: done, at_least: 0}]", "true at done"),
    ("json: [{file: metrics.json, path: date, at_least: 1}]", "2026-01-05 at date"),
    ("json: [{file: metrics.json, path: acc, equal: 1}]", "it has accuracy, date"),
    (
        "json: [{file: metrics.json, schema: {required: [loss]}}]",
        "'loss' is a required",
    ),
    (
        "json: [{file: metrics.json, schema: {$ref: 'http://127.0.0.1:9/schema'}}]",
        "Unresolvable",
    ),
    ("json: [{file: broken.json, path: a, equal: 1}]", "expected: valid JSON"),
    ("json: [{file: deep.json, path: a, equal: 1}]", "nested too deep"),
    ("yaml: [{file: metrics.yaml, path: accuracy, equal: 0.9}]", ""),
    ("yaml: [{file: metrics.yaml, path: day, equal: '2026-01-05'}]", ""),
    ("yaml: [{file: metrics.yaml, path: accuracy, at_most: 0.5}]", "at most 0.5"),
    ("csv: [{file: table.csv, path: '[-1].acc', at_least: 0.9}]", ""),
    ("csv: [{file: table.csv, path: '[-1].acc', at_least: 0.95}]", "at least 0.95"),
    ("csv: [{file: table.csv, path: 'length(@)', equal: 2}]", ""),
    ("csv: [{file: wide.csv, path: '[0].b', equal: 1}]", ""),
    ("csv: [{file: wide.csv, schema: {items: {patternProperties: {c: {}}}}}]", ""),
    ("yaml: [{file: odd.yaml, path: rate, at_most: 0.001}]", ""),
    ("yaml: [{file: odd.yaml, path: day, equal: '2026-13-45'}]", ""),
    ("yaml: [{file: odd.yaml, path: labels, equal: [a, b, c, d, e]}]", ""),
    ("json: [{file: odd.json, path: infinite, at_least: 1}]", "a finite number"),
    ("json: [{file: odd.json, path: less, at_most: 1}]", "a finite number"),
    ("json: [{file: odd.json, path: large, at_least: 1}]", "a finite number"),
    ("json: [{file: odd.json, path: large, equal: 1.5}]", "OverflowError: int too"),
    ("json: [{file: odd.json, path: 'mixed[::0]'}]", "slice step cannot be zero"),
    ("json: [{file: odd.json, path: 'mixed[?@ > `1`]'}]", "fix the path or the schema"),
    ("json: [{file: odd.json, schema: {$ref: '#'}}]", "a schema that are nested"),
    ("json: [{file: odd.json, schema: expected/list.json}]", "a JSON Schema"),
    (
        "json: [{file: odd.json, schema: expected/draft-07.json}]",
        "'more' is a dependency of 'less'",
    ),
    ("deterministic: {except: ['*.log']}", ""),
)
#: The same of the output `metrics`, a file with `METRICS`.
OF_FILE: tuple[tuple[str, str], ...] = (
    ("size: {at_least: 10}", ""),
    ("matches: accuracy", ""),
    ("matches: inaccuracy", "text that matches inaccuracy"),
    ("sha256: " + "0" * 64, "expected: " + "0" * 64),
    ("json: [{path: accuracy, equal: 0.9}]", ""),
    ("json: [{path: accuracy, equal: 1}]", "expected: 1"),
    ("snapshot: expected/same.json", ""),
    ("snapshot: {file: expected/other-date.json, ignore: [date]}", ""),
    ("snapshot: {file: expected/close.json, tolerance: 0.01}", ""),
    ("snapshot: expected/other-date.json", "date: 2026-01-05 instead of 2025-12-31"),
    (
        "snapshot: expected/far.json",
        "metrics.json: epochs.0.loss: 1.0 instead of 1.01",
    ),
    ("snapshot: expected/none.json", "--update-snapshots to store"),
)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("promised") / "made"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    os.mkfifo(folder / "pipe")
    (folder / "out").symlink_to("/etc/hostname")
    return folder


@dataclass(frozen=True)
class Judge:
    """Judges an output of a cube against promises, all of them at once."""

    cube: CubeFolder
    output: Path

    def case(self, task: str, promises: Iterable[str]) -> Case:
        """Return a case of a task; promise number N is written in line N."""
        name = {"make": "data", "use": "result"}[task]
        found: list[OutputPromise] = []
        for number, promise in enumerate(promises):
            text = f"tasks: {{{task}: {{outputs: {{{name}: {{{promise}}}}}}}}}"
            self.cube.write("conformance.yaml", text)
            loaded = load_cube(self.cube.root, "tiny")
            assert loaded.problems == (), promise
            found += (
                replace(each, source=replace(each.source, line=number))
                for each in loaded.cube.promises[task].outputs
            )
        cube = replace(loaded.cube, promises={task: TaskPromises(outputs=tuple(found))})
        invocation = next(x for x in cube.invocations if x.task.name == task)
        platform = Platform(id="fake", kind="fake", image="x", file=cube.root)
        return Case(cube=cube, platform=platform, invocation=invocation)

    def __call__(self, task: str, *promises: str) -> list[str]:
        """Return what is said to each promise."""
        case = self.case(task, promises)
        seen = Observation(
            binding=next(case.invocation.bound("output")),
            path=self.output if task == "make" else self.output / "metrics.json",
            before=Snapshot({}),
            after=snapshot(self.output / ("." if task == "make" else "metrics.json")),
        )
        said = [""] * len(promises)
        for messages in kept_promises(case, [seen]).clauses.values():
            for each in messages:
                line = each.where.partition("line ")[2].partition(",")[0]
                said[int(line or 0)] += f"{each}\n"
        return said


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory, output: Path) -> Judge:
    cube = make_cube(tmp_path_factory.mktemp("cube") / "tiny")
    for name, document in EXPECTED.items():
        cube.write(f"expected/{name}", json.dumps(document))
    return Judge(cube, output)


@pytest.fixture(scope="module")
def of_folder(judge: Judge) -> dict[str, str]:
    promises = [promise for promise, _ in ROWS]
    return dict(zip(promises, judge("make", *promises), strict=True))


@pytest.fixture(scope="module")
def of_file(judge: Judge) -> dict[str, str]:
    promises = [promise for promise, _ in OF_FILE]
    return dict(zip(promises, judge("use", *promises), strict=True))


@pytest.mark.parametrize(("promise", "says"), ROWS, ids=lambda each: each[:60])
def test_promise_of_a_folder(
    promise: str, says: str, of_folder: dict[str, str]
) -> None:
    assert says in of_folder[promise]
    assert bool(says) == bool(of_folder[promise])


@pytest.mark.parametrize(("promise", "says"), OF_FILE, ids=lambda each: each[:60])
def test_promise_of_a_file(promise: str, says: str, of_file: dict[str, str]) -> None:
    assert says in of_file[promise]
    assert bool(says) == bool(of_file[promise])


def test_difference_shows_the_largest_deviation_first(judge: Judge) -> None:
    (said,) = judge("use", "snapshot: expected/far.json")

    assert said.index("accuracy") < said.index("epochs.0.loss")


def test_expression_that_takes_for_ever_is_ended(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlcube_conformance.checks.promised._PATIENCE", 3)
    (judge.output / "long.txt").write_text("a" * 60 + "!", encoding="utf-8")

    (said,) = judge("make", "matches: {long.txt: '^(a+)+$'}")

    assert "no answer after 3 s" in said


def test_promise_that_was_not_looked_at_is_not_kept(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlcube_conformance.checks.promised._PATIENCE", 0.01)

    said = judge("make", "matches: {log.txt: saved}", "snapshot: expected/same.json")

    assert "no answer after 0.01 s" in said[0]
    assert "not judged" in said[1]


def test_document_of_any_memory_is_given_up(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlcube_conformance.checks.promised._PATIENCE", 5)
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
        for old, new in itertools.pairwise("abcdefghi")
    )
    (judge.output / "bomb.yaml").write_text(bomb, encoding="utf-8")

    (said,) = judge("make", "yaml: [{file: bomb.yaml, schema: {maxProperties: 1}}]")

    assert "its process ended" in said or "no answer" in said or "bomb.yaml" in said
