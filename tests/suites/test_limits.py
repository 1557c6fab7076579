"""Deadlines in a row, runs to keep, and what `clean` removes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command import call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cube_folders import CubeFolder

    Run = Callable[..., pytest.RunResult]

FOLDER = ".mlcube-conformance"


@pytest.mark.parametrize(("words", "hang"), [(("--max-timeouts", "1"), 1), ((), 2)])
def test_deadlines_in_a_row_end_a_cube(
    words: tuple[str, ...], hang: int, fake_cube: CubeFolder, run_fake: Run
) -> None:
    fake_cube.fake_platform("hang")
    fake_cube.write("workspace/other/file", "x")
    fake_cube.edit("run/use.yaml", "data: $WORKSPACE/data", "data: $WORKSPACE/other")

    result = run_fake(*words, "-rs")

    assert len(result.parseoutcomes()) > 1
    shown = result.stdout.str()
    assert shown.count("ran past its deadline and was killed\n") == hang
    assert ("not run: the last 1 tasks, which ran past" in shown) == (hang == 1)


def _runs(place: Path) -> list[str]:
    return sorted(each.name for each in (place / FOLDER).iterdir() if each.is_dir())


def test_last_runs_are_kept(fake_cube: CubeFolder, run_fake: Run) -> None:
    place = fake_cube.root.parent
    for _ in range(3):
        run_fake("--keep", "all")
    theirs = place / FOLDER / "notes"
    theirs.mkdir()
    before = _runs(place)

    run_fake("--keep", "all", "--keep-runs", "2")

    after = _runs(place)
    assert theirs.name in after
    assert len(after) == 3
    assert after[0] == before[2]


def _clean(place: Path, *words: str) -> str:
    done = call("clean", *words, place=place)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_clean_removes_ended_runs_alone(fake_cube: CubeFolder, run_fake: Run) -> None:
    place = fake_cube.root.parent
    run_fake("--keep", "all")
    going_on = place / FOLDER / "20260101-000000-abcd"
    going_on.mkdir()
    (going_on / "record.jsonl").touch()
    (place / FOLDER / "20260101-000000-abce").symlink_to(fake_cube.root)
    ended = [each for each in _runs(place) if not each.startswith("20260101")]

    kept = _clean(place, "--older-than", "1")
    told = _clean(place, "--dry-run")
    still = _runs(place)
    removed = _clean(place)

    assert kept == "nothing to remove\n"
    assert told == f"would remove {place / FOLDER / ended[0]}\n"
    assert ended[0] in still
    assert removed == f"removed {place / FOLDER / ended[0]}\n"
    assert going_on.is_dir()
    assert fake_cube.root.is_dir()
    assert _clean(place) == "nothing to remove\n"
