"""What `conformance.yaml` may say, and what is said of the rest."""

from __future__ import annotations

import copy
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.json_schema import published

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.cube_folders import CubeFolder


@pytest.mark.parametrize(
    ("text", "promised"),
    [
        ("tasks: {}", set()),
        ("tasks: {make: {}}", set()),
        ("tasks: {make: {deterministic: false}}", set()),
        ("tasks: {make: {deterministic: true}}", {("make", "data")}),
        ("tasks: {use: {deterministic: [result]}}", {("use", "result")}),
        (
            "tasks:\n  make: {deterministic: true}\n  use: {deterministic: true}",
            {("make", "data"), ("use", "result")},
        ),
    ],
)
def test_promises_are_read(
    text: str, promised: set[tuple[str, str]], cube_folder: CubeFolder
) -> None:
    cube_folder.write("conformance.yaml", text)

    loaded = load_cube(cube_folder.root, "tiny")

    assert loaded.problems == ()
    assert loaded.cube.deterministic == promised


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "task: {}",
            (
                "has the unknown key 'task'",
                "line 1, key task",
                "did you mean 'tasks'?",
            ),
        ),
        ("tasks: []", ("the value of 'tasks' is invalid", "a list")),
        ("[]", ("file of promises conformance.yaml is not a mapping",)),
        (
            "tasks: {mak: {}}",
            ("unknown task in conformance.yaml", "make, use", "did you mean 'make'?"),
        ),
        (
            "tasks: {make: {determinstic: true}}",
            ("unknown key 'determinstic'", "did you mean 'deterministic'?"),
        ),
        (
            "tasks: {make: {deterministic: [dat]}}",
            (
                "unknown output of task 'make'",
                "line 1, key tasks.make.deterministic",
                "did you mean 'data'?",
            ),
        ),
        ("tasks: {make: {deterministic: yes please}}", ("true, false, or a list",)),
        ("tasks: {make: {deterministic: [1]}}", ("true, false, or a list of data",)),
        ("tasks: {make: 3}", ("the value of 'tasks.make' is invalid", "a mapping")),
    ],
)
def test_promise_that_is_wrong_is_told(
    text: str, says: tuple[str, ...], cube_folder: CubeFolder
) -> None:
    cube_folder.write("conformance.yaml", text)

    problems = "\n".join(map(str, load_cube(cube_folder.root, "tiny").problems))

    for part in says:
        assert part in problems


#: Every key once; the shapes that each may have.
WHOLE = """\
tasks:
  make:
    network: false
    timeout: 10m
    exit_code: 0
    gpus: 0
    memory: 1.5g
    deterministic: [data]
    optional: [seed]
    outputs:
      data:
        contains: [part, "*.csv"]
        absent: [core]
        size: {at_least: 1kb, at_most: 2000}
        sha256: {part: HASH}
        matches: {part: seed}
        json: [{file: a.json, path: a.b, at_least: 1, at_most: 2.5}]
        yaml: [{file: a.yaml, path: a, equal: [1, x], tolerance: 0.1}]
        csv: [{file: a.csv, schema: {type: array}}]
        snapshot: {file: expected/data, ignore: [date], tolerance: 0.001}
        same: {tolerance: 0.5, ignore: [date]}
        deterministic: {except: ["*.log"]}
    negative:
      - {input: seed, break: missing}
      - {input: seed, file: broken/seed, may_write: [data]}
  use:
    network: [example.org]
    timeout: 90
    gpus: device=0,1
    memory: 1000000
    deterministic: true
    outputs:
      result: {size: 5, sha256: HASH, matches: x, snapshot: expected/r}
expected_failures:
  - {clause: OUTPUT-3, platform: docker, task: make, reason: known}
""".replace("HASH", "0a" * 32)


@pytest.fixture
def named_files(cube_folder: CubeFolder) -> None:
    """Make what `WHOLE` names, a link out of the cube and a pipe."""
    cube_folder.write("broken/seed", "another")
    (cube_folder.root / "leak").symlink_to("/etc/hostname")
    os.mkfifo(cube_folder.root / "pipe")


@pytest.mark.usefixtures("named_files")
def test_every_promise_is_read(cube_folder: CubeFolder) -> None:
    cube_folder.write("conformance.yaml", WHOLE)

    loaded = load_cube(cube_folder.root, "tiny")

    assert loaded.problems == ()
    make, use = (loaded.cube.promises[name] for name in ("make", "use"))
    assert (make.network, make.timeout, make.gpus) == (False, 600, "")
    assert (use.network, use.timeout, use.gpus) == (True, 90, "device=0,1")
    assert (make.memory, use.memory) == (str(3 << 29), "1000000")
    assert [each.how for each in make.negative] == ["missing", ""]
    assert make.negative[1].instead == cube_folder.root / "broken/seed"
    kinds = [each.kind for each in make.outputs]
    assert kinds == [
        *("contains", "absent", "size", "sha256", "matches"),
        *("json", "yaml", "csv", "snapshot", "same"),
    ]
    assert make.outputs[2].rule == {"at_least": 1024, "at_most": 2000}
    assert loaded.cube.volatile == {("make", "data"): ("*.log",)}
    assert [each.clause for each in loaded.cube.expected_failures] == ["OUTPUT-3"]


@pytest.mark.usefixtures("named_files")
@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (("timeout: 10m", "timeout: -1"), "seconds, or a text such as 90s"),
        (("timeout: 10m", "timeout: soon"), "seconds, or a text such as 90s"),
        (("exit_code: 0", "exit_code: 256"), "exit code of the task; 0 if not given"),
        (("gpus: 0", "gpus: many"), "gpus"),
        (("memory: 1.5g", "memory: lots"), "memory"),
        (("memory: 1.5g", f"memory: {10**20}"), "bytes, or a text such as 512mb"),
        (("at_least: 1kb", f"at_least: {10**20}"), "bytes of all files"),
        (("at_most: 2.5", "at_most: .nan"), "a number"),
        (("tolerance: 0.001", "tolerance: .inf"), "difference of two numbers"),
        (("timeout: 10m", "timeout: .inf"), "seconds, or a text such as 90s"),
        (("timeout: 10m", "timeout: .nan"), "seconds, or a text such as 90s"),
        (("timeout: 10m", "timeout: 1e400"), "seconds, or a text such as 90s"),
        (("timeout: 10m", f"timeout: {10**20}"), "seconds, or a text such as 90s"),
        (("absent:", "absnt:"), "did you mean 'absent'?"),
        (("      data:", "      dat:"), "did you mean 'data'?"),
        (("{part: seed}", "seed"), "which file of the output 'data' is meant?"),
        (("{part: seed}", "{../part: seed}"), "without .."),
        (("{part: seed}", "{part: '('}"), "the regular expression is invalid"),
        (("path: a.b", "path: a..b"), "the path of a value is invalid"),
        (("path: a.b, ", ""), "with path or with schema"),
        (("{type: array}", "{type: 5}"), "the JSON Schema is invalid"),
        (("expected/data", "../data"), "leaves the cube"),
        (("expected/data", "build"), "a snapshot must be in a folder of its own"),
        (("expected/data", ".git/x"), "a snapshot must be in a folder of its own"),
        (("expected/data", "leak"), "links out"),
        (("expected/data", "pipe"), "a pipe at"),
        (("broken/seed", "broken/none"), "names no file or folder"),
        (("broken/seed", "leak"), "links out"),
        (("broken/seed", "pipe"), "a pipe at"),
        (("{type: array}", "none.json"), "names no file or folder"),
        (("break: missing", "break: empti"), "did you mean 'empty'?"),
        (("break: missing", "brek: missing"), "unknown key 'brek'"),
        (("input: seed, break", "input: sed, break"), "did you mean 'seed'?"),
        (("[data]}", "[dat]}"), "did you mean 'data'?"),
        (("clause: OUTPUT-3", "clause: OUTPT-3"), "did you mean 'OUTPUT-3'?"),
        (("task: make,", "task: mak,"), "did you mean 'make'?"),
        ((", reason: known", ""), "lacks a key"),
        (("{size: 5, ", "{contains: [x], size: 5, "), "is about folders"),
        (("matches: x,", "matches: {y: x},"), "leave the name out"),
    ],
)
def test_wrong_promise_is_told_with_its_line(
    edit: tuple[str, str], says: str, cube_folder: CubeFolder
) -> None:
    assert edit[0] in WHOLE
    cube_folder.write("conformance.yaml", WHOLE.replace(*edit))

    (problem, *more) = load_cube(cube_folder.root, "tiny").problems

    assert not more
    assert says.lower() in str(problem).lower()
    assert "conformance.yaml, line " in problem.where


@pytest.mark.usefixtures("named_files")
def test_schema_and_reader_agree(cube_folder: CubeFolder) -> None:
    """What the published schema refuses, the reader refuses, and the other way round.

    But for names, which only the reader knows: none is changed here.
    """
    schema = Draft202012Validator(published("conformance"))
    Draft202012Validator.check_schema(schema.schema)
    whole = yaml.safe_load(WHOLE)
    refused = 0
    for changed, as_text in _changed(whole):
        cube_folder.write("conformance.yaml", json.dumps(changed))
        problems = load_cube(cube_folder.root, "tiny").problems

        valid = schema.is_valid(changed)

        told = "\n".join(map(str, problems))
        refused += not valid
        # A number in the place of a text is that text, as it is written.
        assert valid or problems or schema.is_valid(as_text), changed
        assert not valid or not problems or any(x in told for x in ONLY_HERE), told
    assert refused > 100


#: What a schema cannot know: other names, and what is in a text.
ONLY_HERE = (
    *("unknown output", "unknown input", "unknown task", "unknown clause"),
    *("which file of", "is invalid", "leaves the cube", "folder of its own"),
    *("has the unknown key", "names no file or folder"),
)


def _changed(document: object) -> Iterator[tuple[Any, Any]]:
    """Yield a document with each value replaced by others, and by these as text."""
    for path in list(_paths(document)):
        other: object
        for other in (None, [], {}, "x", -1, 1.5, True, [[]], {"x": 1}):
            yield _with(document, path, other), _with(document, path, str(other))


def _with(document: object, path: Sequence[Any], value: object) -> Any:  # noqa: ANN401 - as JSON knows it
    """Return a document with another value at a path."""
    copied: Any = copy.deepcopy(document)
    *above, last = path
    at = copied
    for step in above:
        at = at[step]
    at[last] = value
    return copied


def _paths(
    at: Any,  # noqa: ANN401 - as JSON knows it
    path: tuple[Any, ...] = (),
) -> Iterator[tuple[Any, ...]]:
    for step in at if isinstance(at, dict) else range(len(at)):
        yield (*path, step)
        if isinstance(at[step], (dict, list)):
            yield from _paths(at[step], (*path, step))
