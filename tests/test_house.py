"""A platform, a report, a clause and an option are added in one place each.

Each is added to a copy of the package, which is then run as a user runs it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

import conformance_tests
import mlcube_conformance
from mlcube_conformance.formats.platforms import shared_platforms
from tests.cube_folders import CubeFolder, make_cube
from tests.runner_descriptions import refuser

PACKAGE = Path(mlcube_conformance.__file__).parent
SUITES = Path(conformance_tests.__file__).parent

ABOUT = """
    from mlcube_conformance.runners.about import About, Offer

    ABOUT = About(
        kind="toy",
        title="the toy",
        runner=f"{__package__}.runner:ToyRunner",
        offer=Offer(
            kind="toy",
            command="toy run",
            options={"--speed": "speed"},
            values={},
            words={"--speed": "fast"},
            needs_image=False,
        ),
    )
"""
RUNNER = """
    import subprocess
    import time
    from pathlib import Path

    from mlcube_conformance.model import Image, RunResult

    class ToyRunner:
        protects_inputs = True

        def __init__(self, run_id):
            pass

        def unavailable(self):
            return None

        def engine(self):
            return "Toy 1"

        def configure(self, request):
            return Image(name="toy", digest="sha256:0", origin="built")

        def find_image(self, cube, platform):
            return None

        def run(self, request):
            hosts = {each.container: each.host for each in request.view.mounts}
            words = []
            for word in request.view.arguments:
                name, equals, path = word.partition("=")
                mount = "/" + path.split("/")[1] if equals else ""
                words.append(name + equals + path.replace(mount, str(hosts[mount]), 1)
                             if equals else word)
            script = Path(request.cube.root, "build/task.sh")
            argv = ("sh", str(script), *words)
            began = time.monotonic()
            with request.stdout.open("w") as out, request.stderr.open("w") as err:
                done = subprocess.run(argv, stdout=out, stderr=err)
            return RunResult(
                exit_code=done.returncode,
                timed_out=False,
                out_of_memory=False,
                seconds=time.monotonic() - began,
                stdout=request.stdout,
                stderr=request.stderr,
                command=argv,
            )

        def remove_leftovers(self):
            return ()

        def close(self):
            pass
"""
PLATFORM = """\
platform: {name: toy, version: ">=1"}
container: {run_args: --speed}
"""
REPORT = """
    SUFFIX = ".toy"

    def write(card):
        return f"{card.runner}: {len(card.judgements)} clauses"

    def report(shown):
        return f"toy of {shown.overview.verdict}"
"""
CLAUSE = """
    Clause(
        id="TOY-1",
        who="cube",
        sentence="no output is named data",
        evidence="a toy",
        test="conformance_tests/cube/test_toy.py::test_no_data",
    ),
"""
CLAUSE_TEST = """
    import pytest

    from mlcube_conformance.base.errors import Message, require

    @pytest.mark.clause("TOY-1")
    def test_no_data(task_run):
        names = [each.binding.parameter.name for each in task_run.outputs]
        require([Message(what="an output is named data")] * ("data" in names))
"""
OPTION = """\
    Option(
        name="--toy",
        takers=("cube", "run"),
        help="word for a toy",
        metavar="WORD",
        repeat=True,
    ),
"""
RUNNER_UNDER_TEST = refuser()


@dataclass(frozen=True)
class House:
    """A copy of the package, and a folder to run it in."""

    root: Path
    place: Path

    def add(self, path: str, text: str) -> None:
        """Add one file to the package."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        assert not file.exists()
        file.write_text(dedent(text), encoding="utf-8")

    def insert(self, path: str, before: str, text: str) -> None:
        """Add a row to a table of the package."""
        file = self.root / path
        old = file.read_text(encoding="utf-8")
        assert before in old, f"{before!r} is not in {path}"
        start, _, end = old.rpartition(before)
        file.write_text(f"{start}{text}{before}{end}", encoding="utf-8")

    def test(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `mlcube-conformance test` of the copy."""
        return self.run("mlcube_conformance", "test", *words)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a module of the copy."""
        return subprocess.run(
            [sys.executable, "-P", "-m", *words],
            cwd=self.place,
            env={
                **os.environ,
                "PYTHONPATH": str(self.root),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def house(tmp_path: Path) -> House:
    root, place = tmp_path / "house", tmp_path / "place"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, root / PACKAGE.name, ignore=ignored)
    shutil.copytree(SUITES, root / SUITES.name, ignore=ignored)
    shared = shared_platforms()
    if not shared.is_relative_to(PACKAGE):
        shutil.copytree(shared, root / "platforms")
    place.mkdir()
    return House(root, place)


@pytest.fixture
def cube(house: House) -> CubeFolder:
    return make_cube(house.place / "tiny")


def test_a_platform_is_one_folder(house: House, cube: CubeFolder) -> None:
    house.add("mlcube_conformance/runners/toy/__init__.py", '"""A toy."""\n')
    house.add("mlcube_conformance/runners/toy/about.py", ABOUT)
    house.add("mlcube_conformance/runners/toy/runner.py", RUNNER)
    cube.write("platform/toy.yaml", PLATFORM)

    done = house.test("tiny", "--platform", "toy")

    assert "17 passed" in done.stdout, done.stdout
    assert done.returncode == 0


def test_a_platform_refuses_what_its_folder_does_not_offer(
    house: House, cube: CubeFolder
) -> None:
    house.add("mlcube_conformance/runners/toy/__init__.py", '"""A toy."""\n')
    house.add("mlcube_conformance/runners/toy/about.py", ABOUT)
    cube.write("platform/toy.yaml", PLATFORM.replace("--speed", "--sped"))

    done = house.test("tiny", "--platform", "toy")

    assert done.returncode == 1
    assert "did you mean '--speed'?" in done.stdout


def test_a_report_is_one_file(house: House) -> None:
    house.add("mlcube_conformance/results/formats/toy.py", REPORT)
    (house.place / "refuser.yaml").write_text(RUNNER_UNDER_TEST, encoding="utf-8")

    words = ("--runner", "refuser.yaml", "-k", "test_exit", "--scorecard")
    done = house.test(*words, "card.toy")
    refused = house.test(*words, "card.txt")

    assert "scorecard in" in done.stdout, done.stdout
    card = (house.place / "card.toy").read_text(encoding="utf-8")
    assert card.startswith("refuser: ")
    assert ".json, .md or .toy" in refused.stderr
    (record,) = house.place.glob(".mlcube-conformance/*/record.json")
    house.run("mlcube_conformance", "report", str(record), "--toy", "run.toy")
    assert (house.place / "run.toy").read_text("utf-8").startswith("toy of ")


def test_a_clause_is_one_entry_and_one_test(house: House, cube: CubeFolder) -> None:
    cube.fake_platform("pass")
    house.insert("mlcube_conformance/clauses/cubes.py", ")\n", CLAUSE)
    house.add("conformance_tests/cube/test_toy.py", CLAUSE_TEST)

    done = house.test("tiny", "--platform", "fake")

    assert "1 failed, 18 passed" in done.stdout, done.stdout
    assert "clause:   TOY-1: no output is named data" in done.stdout


def test_an_option_is_one_row(house: House, cube: CubeFolder) -> None:
    cube.fake_platform("fail")
    (house.place / "refuser.yaml").write_text(RUNNER_UNDER_TEST, encoding="utf-8")
    house.insert("mlcube_conformance/options/suites.py", ")\n", OPTION)

    done = house.test("tiny", "--platform", "fake", "--toy", "a", "--toy=b")
    refused = house.test("--runner", "refuser.yaml", "--toy", "a")
    page = house.run("mlcube_conformance", "options")
    job = house.run("mlcube_docker_run", "run", "--help")

    assert "again:    mlcube-conformance test tiny" in done.stdout, done.stdout
    assert "--toy a --toy b" in done.stdout
    assert "--toy needs a cube" in refused.stderr
    assert page.stdout.count("`--toy") == 2
    assert "--toy" in job.stdout
