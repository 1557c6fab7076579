"""Jobs of a matrix, tested by `mlcube-conformance test-jobs`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from mlcube_conformance.results.formats import reporters
from tests.command import call
from tests.cube_folders import CubeFolder, make_cube
from tests.test_matrix import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path


def fake_cube(root: Path, *platforms: str, behaviour: str = "pass") -> CubeFolder:
    """Write a cube with platforms that need no engine."""
    cube = make_cube(root)
    for each in platforms or ("fake",):
        cube.fake_platform(behaviour, each)
    return cube


def job(cube: str, platform: str = "fake") -> dict[str, str]:
    return {"cube": cube, "platform": platform}


def run_jobs(
    document: object, *words: str, place: Path
) -> subprocess.CompletedProcess[str]:
    """Test the jobs of a document, from a file."""
    (place / "jobs.json").write_text(json.dumps(document), encoding="utf-8")
    return call("test-jobs", "jobs.json", *words, place=place)


def findings_in(place: Path) -> list[dict[str, Any]]:
    """Return the findings of all runs together."""
    text = (place / "mlcube-results/report.json").read_text(encoding="utf-8")
    return list(json.loads(text)["findings"])


def cases_in(place: Path) -> set[str]:
    """Return the ids of the cases that were tested."""
    return {
        each["subject"]["id"]
        for each in findings_in(place)
        if each["subject"]["kind"] == "case"
    }


def test_all_jobs_are_tested_and_reported_together(tmp_path: Path) -> None:
    for name, platforms in (("one", ("a", "b")), ("two", ("a",)), ("tri", ("a", "b"))):
        fake_cube(tmp_path / name, *platforms)
    jobs = [("one", "a"), ("two", "a"), ("one", "b"), ("tri", "a"), ("tri", "b")]

    done = run_jobs({"include": [job(*each) for each in jobs]}, place=tmp_path)

    assert done.returncode == 0, done.stdout
    results = tmp_path / "mlcube-results"
    assert {each.name for each in results.iterdir()} == {
        *(f"report{suffix}" for suffix in reporters()),
        # One run for the cubes on both platforms, which are compared; one for the rest.
        "record-1.json",
        "record-2.json",
    }
    assert cases_in(tmp_path) == {
        f"{cube}-{platform}-{task}"
        for cube, platform in jobs
        for task in ("make", "use")
    }
    compared = {
        each["subject"]["id"]
        for each in findings_in(tmp_path)
        if each["subject"]["kind"] == "comparison"
    }
    assert {each.partition("-")[0] for each in compared} == {"one", "tri"}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda jobs: {"include": [{"shard": 1, "name": "x", "jobs": jobs}]},
        lambda jobs: {"shard": 1, "name": "x", "jobs": jobs},
        lambda jobs: {**jobs[0], "name": "x"},
    ],
    ids=["a matrix of shards", "a shard", "an entry"],
)
def test_a_matrix_and_its_entries_are_read(tmp_path: Path, wrap: Any) -> None:  # noqa: ANN401
    fake_cube(tmp_path / "one")

    done = run_jobs(wrap([job("one")]), place=tmp_path)

    assert done.returncode == 0, done.stdout
    assert cases_in(tmp_path) == {"one-fake-make", "one-fake-use"}


def test_a_failure_fails_and_other_jobs_are_tested(tmp_path: Path) -> None:
    fake_cube(tmp_path / "bad", behaviour="fail")
    fake_cube(tmp_path / "good", "other")
    jobs = [job("bad"), job("none"), job("good", "other")]

    done = run_jobs([*jobs[::2]], place=tmp_path)
    missing = run_jobs([*jobs[1:]], "-k", "make", place=tmp_path)

    assert done.returncode == 1
    assert missing.returncode == 4
    assert "there is no cube at none" in missing.stderr
    assert "good-other-make" in cases_in(tmp_path)


def test_options_of_test_are_passed_on(tmp_path: Path) -> None:
    fake_cube(tmp_path / "one")

    done = run_jobs(job("one"), "--task", "make", "--keep=all", "-v", place=tmp_path)

    assert done.returncode == 0, done.stdout
    assert cases_in(tmp_path) == {"one-fake-make"}


@pytest.mark.parametrize("words", [("--results", "mine"), ("--results=mine",)])
def test_results_may_follow_the_file(tmp_path: Path, words: tuple[str, ...]) -> None:
    fake_cube(tmp_path / "one")

    done = run_jobs(job("one"), "--task", "make", *words, "-q", place=tmp_path)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine/report.xml").exists()
    assert not (tmp_path / "mlcube-results").exists()


def test_results_without_a_folder_are_refused(tmp_path: Path) -> None:
    fake_cube(tmp_path / "one")

    done = run_jobs(job("one"), "--results", place=tmp_path)

    assert done.returncode == 2
    assert "--results" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_job_nothing_is_tested(tmp_path: Path) -> None:
    done = run_jobs({"include": []}, place=tmp_path)

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "no jobs: nothing is tested\n"


@pytest.mark.parametrize(
    "document",
    [
        "text",
        7,
        {"include": 7},
        {"cube": ["one"], "platform": "fake"},
        {"cube": "a\0b", "platform": "fake"},
    ],
)
def test_what_is_not_a_matrix_is_refused(tmp_path: Path, document: object) -> None:
    done = run_jobs(document, place=tmp_path)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_more_cubes_than_a_command_line_holds_are_told(tmp_path: Path) -> None:
    jobs = [{"cube": f"{each:0200}", "platform": "local"} for each in range(15_000)]
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))

    done = call("test-jobs", "jobs.json", place=tmp_path)

    assert done.returncode == 2
    assert "found:    15000 cubes in one run: Argument list too long" in done.stderr
    assert "--shards" in done.stderr


def test_names_reach_no_shell_and_are_no_options(tmp_path: Path) -> None:
    names = [f"./{name}" if name == "~" else name for name in HOSTILE]
    for name in names:
        fake_cube(tmp_path / name)

    done = run_jobs([*map(job, names)], "-k", "make", place=tmp_path)

    assert done.returncode == 0, done.stdout
    assert len(cases_in(tmp_path)) == len(HOSTILE)
    assert not (tmp_path / "injected").exists()
    assert "\x1b" not in done.stdout
    assert "\n::" not in done.stdout


def test_a_module_in_the_current_folder_is_not_imported(tmp_path: Path) -> None:
    fake_cube(tmp_path / "one")
    for name in ("click", "mlcube_conformance"):
        (tmp_path / f"{name}.py").write_text("open('injected', 'w')\n", "utf-8")
    (tmp_path / "jobs.json").write_text(json.dumps(job("one")), "utf-8")

    done = subprocess.run(
        [sys.executable, "-P", "-m", "mlcube_conformance", "test-jobs", "jobs.json"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "injected").exists()


def test_a_run_that_is_killed_is_told_and_the_next_begins(tmp_path: Path) -> None:
    killing = make_cube(tmp_path / "killing")
    killing.tasks(make="kill -KILL $PPID")
    fake_cube(tmp_path / "next")
    document = [job("killing", "local"), job("next")]
    (tmp_path / "jobs.json").write_text(json.dumps(document), encoding="utf-8")

    done = call("test-jobs", "jobs.json", place=tmp_path)

    assert done.returncode == 1
    assert "a test was killed before it ended\n  where:    killing\n" in done.stderr
    assert "found:    Killed" in done.stderr
    assert any("next" in each for each in cases_in(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_to_end_ends_the_run_and_the_next_does_not_begin(
    tmp_path: Path, number: signal.Signals
) -> None:
    slow = make_cube(tmp_path / "slow")
    slow.tasks(make=f"touch {tmp_path}/begun; sleep 60")
    fake_cube(tmp_path / "next")
    document = [job("slow", "local"), job("next")]
    (tmp_path / "jobs.json").write_text(json.dumps(document), encoding="utf-8")

    with subprocess.Popen(
        [sys.executable, "-m", "mlcube_conformance", "test-jobs", "jobs.json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        until = time.monotonic() + 40
        while not (tmp_path / "begun").exists() and time.monotonic() < until:
            time.sleep(0.05)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a key at the terminal does
        else:
            process.send_signal(number)
        out, _ = process.communicate(timeout=40)

    assert process.returncode == 2, out
    assert (tmp_path / "mlcube-results/report.html").exists()
    assert not any("next" in each for each in cases_in(tmp_path))
