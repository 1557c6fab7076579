"""Reports that a run of the suite writes by itself."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.cube_folders import CubeFolder, make_cube
from tests.runner_descriptions import refuser

if TYPE_CHECKING:
    from pathlib import Path

#: How a report begins, by its suffix.
STARTS = {
    "html": "<!DOCTYPE html>",
    "md": "## ❌ MLCube conformance: L1, 6 passed, 10 not run, 1 failed",
    "xml": '<?xml version="1.0" encoding="utf-8"?>\n<testsuites',
    "svg": "<svg",
    "sarif": "{",
    "json": "{",
}


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    """Return a cube whose first task fails on the platform `fake`."""
    folder = make_cube(pytester.path / "tiny")
    folder.fake_platform("fail")
    return folder


@pytest.fixture
def summary(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> Path:
    """Return where GitHub shows the summary of a step."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path))
    file = pytester.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    return file


@pytest.mark.parametrize(
    ("some", "other"),
    [
        ("--record=one.json", "--report=./one.json"),
        ("--record=linked.xml", "--junit-xml=one.xml"),
        ("--report=one.xml", "--junitxml=one.xml"),
    ],
)
def test_two_outputs_are_two_files(
    some: str, other: str, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    (pytester.path / "linked.xml").symlink_to("one.xml")

    done = pytester.runpytest(f"--cube={cube.root}", "--platform=fake", some, other)

    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"*{some.partition('=')[0]}* name one file"])
    assert not list(pytester.path.glob("one.*"))


@pytest.mark.parametrize("option", ["--record", "--report", "--junit-xml"])
@pytest.mark.parametrize("name", ["mlcube.yaml", "run/make.yaml", "link.xml"])
def test_no_output_replaces_a_definition(
    option: str, name: str, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    (cube.root / "link.xml").symlink_to("build/Dockerfile")
    before = (cube.root / name).read_text()

    done = pytester.runpytest(
        f"--cube={cube.root}", "--platform=fake", f"{option}={cube.root / name}"
    )

    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert (cube.root / name).read_text() == before


def test_two_outputs_are_two_files_for_a_runner(pytester: pytest.Pytester) -> None:
    (pytester.path / "refuser.yaml").write_text(refuser())

    done = pytester.runpytest(
        "--runner=refuser.yaml", "--scorecard=one.json", "--record=one.json"
    )

    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*--record and --scorecard name one file"])


@pytest.mark.parametrize("words", [(), ("-n2",)])
def test_a_run_writes_the_reports_that_are_asked_for(
    words: tuple[str, ...], cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    asked = [f"--report=out/run.{each}" for each in STARTS]

    done = pytester.runpytest_subprocess(
        f"--cube={cube.root}", "--platform=fake", *asked, *words
    )

    for suffix, start in STARTS.items():
        text = (pytester.path / f"out/run.{suffix}").read_text("utf-8")
        assert text.startswith(start), suffix
        done.stdout.fnmatch_lines([f"*report in *run.{suffix}"])
    assert "::error" not in done.stdout.str()


def test_a_run_of_a_runner_writes_them_too(pytester: pytest.Pytester) -> None:
    (pytester.path / "refuser.yaml").write_text(refuser())

    pytester.runpytest_subprocess(
        "--runner=refuser.yaml", "-k", "test_usage_error", "--report=run.md"
    )

    assert "| EXIT-13 | a missing cube folder is refused" in (
        pytester.path / "run.md"
    ).read_text("utf-8")


def test_a_report_of_an_unknown_kind_is_refused(
    cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    done = pytester.runpytest_subprocess(f"--cube={cube.root}", "--report=run.txt")

    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(
        [
            "ERROR: the format of the report is unknown",
            "*a name that ends in .html, .json, .md, .sarif, .svg or .xml",
            "*write --report run.html",
        ]
    )


@pytest.mark.parametrize("words", [(), ("-n2",)])
def test_github_gets_a_summary_and_an_annotation_of_each_failure(
    words: tuple[str, ...],
    cube: CubeFolder,
    summary: Path,
    pytester: pytest.Pytester,
) -> None:
    summary.write_text("# Before\n", encoding="utf-8")

    done = pytester.runpytest_subprocess(
        f"--cube={cube.root}", "--platform=fake", *words
    )

    first, second, *_ = summary.read_text("utf-8").splitlines()
    assert (first, second) == ("# Before", STARTS["md"])
    (command,) = re.findall(r"^::error .*$", done.stdout.str(), re.MULTILINE)
    assert command.endswith("mlcube-conformance explain EXIT-1")
    assert command.startswith(
        "::error file=tiny/run/make.yaml,title=EXIT-1%3A task 'make' failed::"
    )


def test_an_annotation_names_the_line(
    cube: CubeFolder, summary: Path, pytester: pytest.Pytester
) -> None:
    cube.edit("tasks/make.yaml", "type: file", "type: fil")

    done = pytester.runpytest_subprocess(f"--cube={cube.root}", "--platform=fake")

    done.stdout.re_match_lines([r"::error file=tiny/tasks/make\.yaml,line=4,col=\d+,"])
    assert summary.exists()


def test_a_log_is_no_command_to_github(
    cube_folder: CubeFolder, summary: Path, pytester: pytest.Pytester
) -> None:
    said = "::error::taken\n##[error]taken\n]]></pre><script>alert(1)</script>\n```"
    cube_folder.write("workspace/seed.txt", said)
    cube_folder.tasks(make='cat "$seed"; cat "$seed" >&2; exit 3')

    done = pytester.runpytest_subprocess(
        f"--cube={cube_folder.root}", "--platform=local", "--report=run.xml"
    )

    for text in (done.stdout.str(), summary.read_text("utf-8")):
        assert "taken" in text
        assert not re.search(r"^\s*::error::taken", text, re.MULTILINE)
        assert "##[" not in text
    failure = ET.parse(pytester.path / "run.xml").find(".//failure")  # noqa: S314 - ours
    assert failure is not None
    assert "]]></pre><script>alert(1)</script>" in str(failure.text)


def test_junit_of_pytest_has_the_time_of_a_task_at_its_test(
    cube_folder: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube_folder.tasks(make='sleep 2; cat "$seed" > "$data/part"')

    pytester.runpytest_subprocess(
        f"--cube={cube_folder.root}", "--platform=local", "--junit-xml=own.xml"
    )

    found = {
        each.get("name", ""): each
        for each in ET.parse(pytester.path / "own.xml").iter("testcase")  # noqa: S314 - ours
    }
    case = "[tiny-local-make]"
    times = {name: float(each.get("time", "0")) for name, each in found.items()}
    assert times[f"test_exits_zero{case}"] >= 2
    assert times[f"test_inputs_are_there{case}"] < 2
    about = {
        each.get("name"): each.get("value")
        for each in found[f"test_exits_zero{case}"].iter("property")
    }
    assert about == {"mlcube_clause": "EXIT-1", "mlcube_case": "tiny-local-make"}


def test_a_report_can_be_made_from_the_record_of_the_run(
    cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    pytester.runpytest_subprocess(
        f"--cube={cube.root}", "--platform=fake", "--report=run.json"
    )

    (file,) = pytester.path.glob(".mlcube-conformance/*/record.json")
    written = json.loads((pytester.path / "run.json").read_text("utf-8"))
    assert written == json.loads(file.read_text("utf-8"))


def test_a_report_that_cannot_be_written_changes_no_verdict(
    cube: CubeFolder, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    cube.fake_platform("pass")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path))

    done = pytester.runpytest_subprocess(f"--cube={cube.root}", "--platform=fake")

    assert done.ret == 0
    done.stdout.fnmatch_lines(["*no summary in *: Is a directory"])


def _recorded(pytester: pytest.Pytester, cube: CubeFolder, file: str) -> None:
    pytester.runpytest_subprocess(
        f"--cube={cube.root}", "--platform=fake", f"--record={file}"
    )


@pytest.mark.parametrize("words", [(), ("-n2",), ("--terminal=tasks",)])
def test_what_a_run_made_worse_is_told_and_can_fail_it(
    words: tuple[str, ...], pytester: pytest.Pytester
) -> None:
    cube = make_cube(pytester.path / "tiny")
    cube.fake_platform("pass")
    _recorded(pytester, cube, "before.json")
    record = json.loads((pytester.path / "before.json").read_text("utf-8"))
    record["levels"][0]["level"] = "L4"
    (pytester.path / "before.json").write_text(json.dumps(record))
    asked = (f"--cube={cube.root}", "--platform=fake", "--baseline=before.json", *words)

    told = pytester.runpytest_subprocess(*asked, "--report=a.html", "--report=a.md")
    failed = pytester.runpytest_subprocess(*asked, "--fail-on-regression")

    line = "*lower level: tiny · fake · level: for L3: *: L4 -> L2"
    assert told.ret == pytest.ExitCode.OK
    told.stdout.fnmatch_lines([line, "*worse than the baseline: * of * changes"])
    assert failed.ret == pytest.ExitCode.TESTS_FAILED
    failed.stdout.fnmatch_lines([line, "*worse than the baseline*: this run fails"])
    for file in ("a.html", "a.md"):
        assert "lower level" in (pytester.path / file).read_text("utf-8"), file


def test_a_run_that_is_as_good_as_its_baseline_says_so(
    pytester: pytest.Pytester,
) -> None:
    cube = make_cube(pytester.path / "tiny")
    cube.fake_platform("pass")
    _recorded(pytester, cube, "before.json")

    done = pytester.runpytest_subprocess(
        f"--cube={cube.root}",
        "--platform=fake",
        "--baseline=before.json",
        "--fail-on-regression",
    )

    assert done.ret == pytest.ExitCode.OK
    done.stdout.fnmatch_lines(["*nothing got worse since the baseline"])


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("--baseline=no.json", "no.json"),
        ("--baseline=tiny/mlcube.yaml", "not JSON"),
        ("--fail-on-regression", "give --baseline RECORD"),
    ],
)
def test_a_baseline_that_is_no_record_is_refused_before_anything_runs(
    word: str, found: str, cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    done = pytester.runpytest_subprocess(f"--cube={cube.root}", "--platform=fake", word)

    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert found in done.stderr.str()
    assert "configured" not in done.stdout.str()


@pytest.mark.parametrize("variable", ["CI", "BUILD_NUMBER"])
def test_a_workflow_shows_each_failure_once(
    variable: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pytester.path / "refuser.yaml").write_text(refuser())
    monkeypatch.setenv(variable, "1")

    done = pytester.runpytest_subprocess(
        "--runner=refuser.yaml", "-k", "test_usage_error"
    )

    assert done.stdout.str().count("run by hand:") == 1
