"""The record that every run leaves."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from mlcube_conformance.base.errors import Message
from mlcube_conformance.base.source import Source, source_of
from mlcube_conformance.results.finding import Finding, Subject
from mlcube_conformance.results.record import Record, read_lines, whole
from tests.cube_folders import CubeFolder, make_cube
from tests.records import record_in
from tests.runner_descriptions import refuser

SCHEMA = json.loads(
    files("mlcube_conformance.results").joinpath("record.schema.json").read_text()
)


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    """Return a sound cube whose platform `fake` passes."""
    folder = make_cube(pytester.path / "tiny")
    folder.fake_platform("pass")
    return folder


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs the suite on the platform `fake`."""
    monkeypatch.setenv("MLCUBE_CONFORMANCE_FAKE", "1")
    return lambda *words: pytester.runpytest_subprocess(
        "--cube", "tiny", "--platform", "fake", *words
    )


if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]


@pytest.mark.parametrize("words", [(), ("-n2",)])
def test_a_run_leaves_a_record_that_keeps_to_its_schema(
    words: tuple[str, ...], run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("fail")

    result = run("--record", "out/copy.json", *words)

    found = record_in(pytester.path)
    jsonschema.validate(found, SCHEMA)
    assert found == json.loads((pytester.path / "out/copy.json").read_text())
    assert found["ended"]["exit_code"] == result.ret == 1
    assert [each["id"] for each in found["cubes"]] == ["tiny"]
    assert [each["state"] for each in found["configures"]] == ["ended"]
    (ended,) = found["runs"]
    assert (ended["subject"], ended["exit_code"]) == ("tiny-fake-make", 3)
    verdicts = {each["clause"]: each for each in found["findings"]}
    assert verdicts["FILE-1"]["verdict"] == "passed"
    (failed,) = (each for each in found["findings"] if each["verdict"] == "failed")
    assert failed["clause"] == "EXIT-1"
    assert failed["subject"]["task"] == "make"
    assert failed["messages"][0]["what"] == failed["reason"] == "task 'make' failed"
    assert "--task make" in failed["facts"]["again"]
    assert len(found["findings"]) == 17


def test_a_run_of_a_runner_records_its_calls(pytester: pytest.Pytester) -> None:
    (pytester.path / "refuser.yaml").write_text(refuser())

    pytester.runpytest_subprocess("--runner=refuser.yaml", "-k", "test_usage_error")

    found = record_in(pytester.path)
    jsonschema.validate(found, SCHEMA)
    assert found["calls"] != []
    for each in found["calls"]:
        assert each["argv"][0] in {"true", "false"}
        assert each["exit_code"] == (each["argv"][0] == "false")


def test_git_leaves_out_the_folder_of_all_runs(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    run("-k", "definitions or platform_file")

    ignored = (pytester.path / ".mlcube-conformance/.gitignore").read_text()
    assert ignored.splitlines()[-1] == "*"
    assert cube.root.is_dir()


def test_content_of_a_cube_is_the_same_until_a_file_changes(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    seen: list[str] = []
    for text in ("one", "one", "two"):
        cube.write("build/note.txt", text)
        cube.write("workspace/note.txt", f"{len(seen)}")
        run("--record", "copy.json", "-k", "definitions")
        found = json.loads((pytester.path / "copy.json").read_text())
        seen.append(found["cubes"][0]["content"])

    assert seen[0] == seen[1] != seen[2]


def test_a_killed_run_leaves_what_was_known(
    pytester: pytest.Pytester, cube_folder: CubeFolder
) -> None:
    cube_folder.tasks(use="sleep 15")
    place = pytester.path
    words = ("test", str(cube_folder.root), "--platform", "local")
    with subprocess.Popen(
        [sys.executable, "-m", "mlcube_conformance", *words],
        cwd=place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            begun = _wait_for_run(place)
        finally:
            process.send_signal(signal.SIGKILL)

    found = whole(begun)
    jsonschema.validate(found, SCHEMA)
    assert found["ended"] is None
    assert found["runs"][-1]["state"] == "begun"
    assert found["runs"][-1]["subject"].endswith("-use")
    assert found["configures"][0]["image"]["name"]
    assert {each["verdict"] for each in found["findings"]} == {"passed"}


def _wait_for_run(place: Path) -> list[dict[str, object]]:
    """Return the lines once the task that sleeps was begun."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for file in place.glob(".mlcube-conformance/*/record.jsonl"):
            lines = read_lines(file)
            last = lines[-1] if lines else {}
            subject = str(last.get("subject"))
            if last.get("kind") == "run" and subject.endswith("-use"):
                return lines
        time.sleep(0.1)
    pytest.fail("the task was never begun")


def test_lines_that_were_cut_short_are_left_out(tmp_path: Path) -> None:
    record = Record(tmp_path / "runs" / "one")
    record.begin(suite="cube")
    record.event("run", subject="a", state="begun")
    with record.lines.open("a") as file:
        file.write('{"kind": "run", "subject": "b", "sta')

    found = whole(read_lines(record.lines))

    assert [each["subject"] for each in found["runs"]] == ["a"]


def test_a_record_that_cannot_be_written_is_told(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    (pytester.path / "file").write_text("")

    result = run("--record", "file/record.json")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: the record cannot be written there"])
    assert cube.root.is_dir()


def test_what_others_write_into_the_lines_is_no_finding(tmp_path: Path) -> None:
    record = Record(tmp_path / "runs" / "one")
    record.begin(suite="cube", runner={"name": "mine"})
    record.find(Finding(subject=Subject(kind="cube", id="a"), verdict="failed"))
    with record.lines.open("a") as file:
        file.write('{"kind": ["no", "word"]}\n')
        file.write('{"kind": "begun", "runner": {"name": "other"}}\n')
        file.write('{"kind": "finding", "verdict": "passed"}\n')

    found = record.end(1)

    assert [each["verdict"] for each in found["findings"]] == ["failed"]
    assert found["runner"] == {"name": "mine"}


def test_a_record_holds_what_reports_show(
    run: Run, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("fail")

    run()

    found = record_in(pytester.path)
    (described,) = found["cubes"]
    assert described["file"] == str(cube.root / "mlcube.yaml")
    assert described["tasks"]["make"] == str(cube.root / "run/make.yaml")
    (ended,) = found["runs"]
    assert [each["name"] for each in ended["logs"]] == ["stdout", "stderr"]
    assert ended["logs"][1]["tail"] == ["playing fail"]
    assert ended["logs"][1]["bytes"] == len("playing fail\n")
    assert found["configures"][0]["logs"][0]["tail"] == ["configuring tiny"]
    (failed,) = (each for each in found["findings"] if each["verdict"] == "failed")
    assert failed["required"]
    assert failed["messages"][0]["source"] == {
        "file": str(cube.root / "run/make.yaml"),
        "line": 0,
        "key": "",
        "column": 0,
    }
    (about,) = (each for each in found["findings"] if each["clause"] == "FILE-2")
    assert about["subject"]["platform"] == "fake"


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\nabc").decode()
PROMISES = """\
tasks:
  use:
    outputs:
      result: {json: [{path: accuracy, at_least: 0.9}, {path: name, equal: "x"}]}
"""


def test_metrics_and_pictures_stand_in_the_record(
    pytester: pytest.Pytester, cube_folder: CubeFolder
) -> None:
    decode = f"echo {PNG} | base64 -d"
    cube_folder.tasks(
        make=f'{decode} > "$data/curve.png"; ln -s curve.png "$data/link.png"; '
        'echo no > "$data/other.png"; head -c 300000 /dev/zero > "$data/large.png"',
        use="""echo '{"accuracy": 0.97, "name": "x"}' > "$result" """,
    )
    cube_folder.write("conformance.yaml", PROMISES)

    pytester.runpytest_subprocess("--cube", cube_folder.root, "--platform", "local")

    found = record_in(pytester.path)
    jsonschema.validate(found, SCHEMA)
    make, use = found["runs"]
    assert make["pictures"] == [
        {"output": "data", "name": "curve.png", "type": "image/png", "data": PNG}
    ]
    assert use["metrics"] == [
        {
            "output": "result",
            "file": ".",
            "path": "accuracy",
            "value": 0.97,
            "at_least": 0.9,
        }
    ]


def test_a_finding_is_the_same_after_its_way_through_json() -> None:
    source = Source(file=Path("/a/b.yaml"), line=3, key="x", column=2)
    finding = Finding(
        subject=Subject(kind="cube", id="a"),
        verdict="failed",
        messages=(Message(what="no", where=str(source)),),
    )

    again = Finding.from_dict(json.loads(json.dumps(finding.to_dict())))

    assert again == finding
    assert source_of(again.messages[0].where) == source
