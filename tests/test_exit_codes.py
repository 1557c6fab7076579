"""The page of exit codes and variables says what the commands do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mlcube_conformance
from tests.command import call

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/exit-codes.md").read_text(encoding="utf-8")
PACKAGE = Path(mlcube_conformance.__file__).parent
#: Variables by which the package speaks to itself, or its tests to it.
INTERNAL = {
    *("MLCUBE_CONFORMANCE_FAKE", "MLCUBE_CONFORMANCE_HOST"),
    *("MLCUBE_CONFORMANCE_OWNER", "MLCUBE_CONFORMANCE_RUN"),
    "MLCUBE_CONFORMANCE_TASK",
}
LOCAL = "--platform=local"
#: Rows of the table that another test shows, by command and code.
ELSEWHERE = {
    ("test", "2"): "tests/integration/test_ends.py",
    ("every command but test", "130"): "tests/test_requests_to_end.py",
    ("doctor", "0"): "tests/test_doctor.py",
    ("doctor", "1"): "tests/test_doctor.py",
    ("report", "1"): "tests/results/test_report.py",
    ("verify", "0"): "tests/integration/test_certificates.py",
    ("verify", "1"): "tests/integration/test_certificates.py",
}
#: Rows that are pytest's own: what ends so is a fault.
OF_PYTEST = {("test", "3")}


def rows(after: str) -> list[list[str]]:
    """Return the cells of the table below a heading or a sentence."""
    _, _, rest = PAGE.partition(after)
    table = re.search(r"(?:^\|.*\n)+", rest, re.MULTILINE)
    assert table, after
    lines = table[0].splitlines()[2:]
    return [[cell.strip() for cell in each.strip("|").split("|")] for each in lines]


def plain(cell: str) -> str:
    return cell.replace("`", "")


ROWS = [(plain(each[0]), each[1]) for each in rows("## Exit codes")]


@pytest.fixture
def cubes(tmp_path: Path) -> Path:
    """Return a folder with the cube `sound`, and `broken`, whose task ends with 7."""
    for name in ("sound", "broken"):
        made = call("init", name, "--template=shell", place=tmp_path)
        assert made.returncode == 0, made.stderr
    script = tmp_path / "broken/app/main.sh"
    script.write_text(script.read_text().replace("set -eu", "exit 7"))
    return tmp_path


def code(*words: str, place: Path, **more: str) -> int:
    """Return the exit code of a command."""
    return call(*words, place=place, more=more).returncode


def without_output(*words: str, place: Path) -> int:
    """Return the exit code of a command whose output cannot be written."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mlcube_conformance", *words],
            cwd=place,
            stdout=full,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    return done.returncode


def without_daemon(place: Path) -> int:
    """Return the exit code of a command on a platform that does not work."""
    words = ("configure", "sound", "--platform=docker")
    return code(*words, place=place, DOCKER_HOST="unix:///nowhere.sock")


def too_slow(place: Path) -> int:
    """Return the exit code of a task that is past its time."""
    script = place / "broken/app/main.sh"
    script.write_text(script.read_text().replace("exit 7", "sleep 60"))
    words = ("run", "broken", LOCAL, "--task=count", "--task-timeout=1")
    return code(*words, place=place)


def with_problem(place: Path) -> int:
    """Return the exit code of `validate` for a cube with a problem."""
    (place / "broken/mlcube.yaml").write_text("tasks: 1\n")
    return code("validate", "broken", place=place)


def of_jobs(cube: str, place: Path) -> int:
    """Return the exit code of the jobs of a cube."""
    jobs = call("matrix", cube, LOCAL, place=place)
    (place / "jobs.json").write_text(jobs.stdout)
    return code("test-jobs", "jobs.json", place=place)


#: For each row of the table, what shows it.
SHOWN: dict[tuple[str, str], Callable[[Path], int]] = {
    ("test", "0"): lambda place: code("test", "sound", LOCAL, place=place),
    ("test", "1"): lambda place: code("test", "broken", LOCAL, place=place),
    ("test", "4"): lambda place: code("test", "nowhere", place=place),
    ("configure, run", "0"): lambda place: code(
        "run", "sound", LOCAL, "--task=count", place=place
    ),
    ("run", "1 to 255"): lambda place: code(
        "run", "broken", LOCAL, "--task=count", place=place
    ),
    ("configure, run", "2"): lambda place: code(
        "run", "sound", LOCAL, "--task=no", place=place
    ),
    ("configure, run", "124"): too_slow,
    ("configure, run", "125"): without_daemon,
    ("validate", "0"): lambda place: code("validate", "sound", place=place),
    ("validate", "1"): with_problem,
    ("test-jobs", "0"): lambda place: of_jobs("sound", place),
    ("test-jobs", "1 to 4"): lambda place: of_jobs("broken", place),
    ("every command but test", "2"): lambda place: code(
        "report", "no.json", place=place
    ),
    ("every command", "125"): lambda place: without_output(
        "schema", "task", place=place
    ),
}


@pytest.mark.parametrize("row", sorted(SHOWN), ids="-".join)
def test_a_command_ends_with_the_code_of_its_row(
    row: tuple[str, str], cubes: Path
) -> None:
    found = SHOWN[row](cubes)

    assert row in ROWS
    first, _, last = row[1].partition(" to ")
    assert int(first) <= found <= int(last or first)


def test_each_row_is_shown_by_a_test() -> None:
    assert sorted(ROWS) == sorted([*SHOWN, *ELSEWHERE, *OF_PYTEST])
    assert [each for each in ELSEWHERE.values() if not (ROOT / each).is_file()] == []


def test_a_run_that_selects_no_test_ends_with_1(cubes: Path) -> None:
    assert code("test", "sound", LOCAL, "-k", "nothing", place=cubes) == 1


def test_the_table_of_variables_has_each_that_a_user_can_set() -> None:
    known = {plain(each[0]) for each in rows("## Variables")}
    sources = [each.read_text(encoding="utf-8") for each in PACKAGE.rglob("*.py")]
    used = set(re.findall(r"\bMLCUBE_CONFORMANCE_[A-Z_]*[A-Z]\b", "\n".join(sources)))

    assert known == used - INTERNAL
    assert used >= INTERNAL


def test_other_variables_are_read_where_the_page_says_so() -> None:
    names = [plain(each[0]) for each in rows("These of other programs")]
    sources = "\n".join(each.read_text("utf-8") for each in PACKAGE.rglob("*.py"))

    assert [
        name
        for each in names
        for name in each.split(", ")
        if f'"{name}"' not in sources
    ] == []
