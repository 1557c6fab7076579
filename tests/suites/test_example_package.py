"""A package of somebody else adds clauses, checks, a runner and a report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cube_folders import CubeFolder, make_cube

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., subprocess.CompletedProcess[str]]

PACKAGE = Path(__file__).parents[1] / "example_package"
FAILED = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what runs our command line where the package is installed."""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    environment.pop("MLCUBE_CONFORMANCE_FAKE", None)
    return lambda *words: subprocess.run(
        [sys.executable, "-m", "mlcube_conformance", *map(str, words)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def cube(tmp_path: Path) -> CubeFolder:
    cube = make_cube(tmp_path / "tiny")
    cube.fake_platform("pass")
    cube.edit("platform/fake.yaml", "name: fake", "name: example")
    return cube


def test_its_clauses_are_tested_on_its_runner(cube: CubeFolder, run: Run) -> None:
    record = cube.root.parent / "record.json"

    done = run("test", cube.root, "--platform", "fake", "--record", record)

    assert done.returncode == FAILED, done.stdout + done.stderr
    assert "clause:   EXAMPLE-1: no output has the word made in it" in done.stdout
    assert "EXAMPLE-2: a task is called make" in done.stdout  # a warning
    found = json.loads(record.read_text(encoding="utf-8"))
    (platform,) = found["platforms"]
    assert platform["runner"] == "example"
    broken = [x["clause"] for x in found["findings"] if x["verdict"] == "failed"]
    assert sorted(broken) == ["EXAMPLE-1", "EXAMPLE-1", "EXAMPLE-2"]


def test_levels_profiles_and_marks_know_its_clauses(cube: CubeFolder, run: Run) -> None:
    words = ("test", cube.root, "--platform", "fake")
    own = cube.root.parent / "own.yaml"
    own.write_text("clauses: {EXAMPLE-1: 'off', EXAMPLE-2: MUST}\n", encoding="utf-8")

    chosen = run(*words, "-m", "clause_EXAMPLE_2 or L0", "--collect-only", "-q")
    by_profile = run(*words, "--profile", own)
    low = run(*words, "--level", "L2")

    assert chosen.stdout.count("test_check[") == 2
    assert "EXAMPLE-1" not in by_profile.stdout
    assert "EXAMPLE-2 of tiny-fake-use" in by_profile.stdout
    assert "EXAMPLE-2" not in low.stdout


def test_its_clauses_and_its_report_are_shown(run: Run) -> None:
    page = run("clauses")
    code = "from mlcube_conformance.results.formats import writers; print(*writers())"
    reports = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "## Clauses of other packages" in page.stdout
    assert "no output has the word made in it" in page.stdout
    assert ".example" in reports.stdout.split()


def test_no_package_takes_an_id_of_ours(cube: CubeFolder, tmp_path: Path) -> None:
    place = tmp_path / "other"
    info = place / "other-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[mlcube_conformance.clauses]\nother = other:CLAUSES\n"
    )
    (place / "other.py").write_text(
        "from mlcube_conformance.clauses import Clause\n"
        "CLAUSES = (Clause(id='EXIT-1', sentence='s', evidence='e', test='t'),)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mlcube_conformance", "test", cube.root],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{PACKAGE}{os.pathsep}{place}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode not in {0, FAILED}
    assert "another clause has the id 'EXIT-1'" in done.stdout + done.stderr
