"""`--logs DIR` of a runner's command line leaves what is the user's as it is."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.trees import remove_tree
from tests import warm

if TYPE_CHECKING:
    from tests.cube_folders import CubeFolder


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _local(
    *words: str, cube: CubeFolder, cwd: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(*warm.python("mlcube_local_run"), *words),
            *(f"--mlcube={cube.root}", "--platform=local"),
        ],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_only_what_is_ours_is_replaced(cube_folder: CubeFolder, tmp_path: Path) -> None:
    place = tmp_path / "project"
    for name in ("trial", "stdout.root", "reserve.d"):
        (place / name).mkdir(parents=True)
        (place / name / "mine").write_text("mine")
    for name in ("recipe.def", "reserve"):
        (place / name).write_text("mine")
    place.chmod(0o2775)

    words = ("--task=make", "--logs=.")
    first = _local("run", *words, cube=cube_folder, cwd=place)
    second = _local("run", *words, cube=cube_folder, cwd=place)

    assert [first.returncode, second.returncode] == [0, 0], first.stderr
    assert place.stat().st_mode & 0o7777 == 0o2775
    mine = [each for each in place.rglob("*") if each.is_file()]
    kept = {"trial/mine", "stdout.root/mine", "reserve.d/mine", "recipe.def", "reserve"}
    assert {str(each.relative_to(place)) for each in mine} >= kept
    assert all((place / each).read_text() == "mine" for each in kept)
    assert (place / "stdout.log").read_text() == "making\n"
    assert json.loads((place / "outcome.json").read_text())["result"]["exit_code"] == 0


@pytest.mark.parametrize("name", ["stdout.log", "outcome.json", "configure.log"])
@pytest.mark.parametrize("as_link", [False, True])
def test_files_of_somebody_else_are_not_overwritten(
    cube_folder: CubeFolder, tmp_path: Path, name: str, *, as_link: bool
) -> None:
    place = tmp_path / "project"
    place.mkdir()
    mine = tmp_path / "mine" if as_link else place / name
    mine.write_text("mine")
    if as_link:
        (place / name).symlink_to(mine)

    done = _local("configure", "--logs=project", cube=cube_folder, cwd=tmp_path)

    assert done.returncode == 2, done.stderr
    assert "--logs cannot be used" in done.stderr
    assert name in done.stderr
    assert mine.read_text() == "mine"
    assert [each.name for each in place.iterdir()] == [name]


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe"])
def test_what_leads_out_of_a_folder_of_ours_is_not_written_through(
    cube_folder: CubeFolder, tmp_path: Path, kind: str
) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    done = _local("configure", "--logs=logs", cube=cube_folder, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    log = tmp_path / "logs" / "configure.log"
    log.unlink(missing_ok=True)
    if kind == "link":
        log.symlink_to(mine)
    elif kind == "hard link":
        log.hardlink_to(mine)
    else:
        os.mkfifo(log)

    done = _local("configure", "--logs=logs", cube=cube_folder, cwd=tmp_path)

    assert done.returncode == 2, done.stderr
    assert "not a plain file: configure.log" in done.stderr
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["stdout.log", "outcome.json.new", ".mlcube-conformance-logs"]
)
def test_what_a_link_in_the_folder_leads_to_is_not_overwritten(
    cube_folder: CubeFolder, tmp_path: Path, name: str
) -> None:
    place, mine = tmp_path / "project", tmp_path / "mine"
    place.mkdir()
    (place / ".mlcube-conformance-logs").touch()
    (place / name).unlink(missing_ok=True)
    mine.write_text("mine")
    (place / name).symlink_to(mine)

    done = _local(
        "run", "--task=make", "--logs=project", cube=cube_folder, cwd=tmp_path
    )

    assert (done.returncode, mine.read_text()) == (2, "mine"), done.stderr
    assert f"not a plain file: {name}" in done.stderr


def test_logs_that_cannot_be_a_folder_are_refused(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")

    done = _local("configure", "--logs=file", cube=cube_folder, cwd=tmp_path)
    below = _local("configure", "--logs=file/logs", cube=cube_folder, cwd=tmp_path)

    assert [done.returncode, below.returncode] == [2, 2]
    assert "Traceback" not in done.stderr + below.stderr
    assert (tmp_path / "file").read_text() == "mine"


def test_what_a_task_nests_too_deep_in_its_image_and_home_is_removed(
    cube_folder: CubeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    nest = "i=0; while [ $i -lt 1500 ]; do mkdir d; cd d; i=$((i + 1)); done"
    cube_folder.tasks(
        make=f'cat "$seed" >"$data/part"; cd; {nest}; cd /; cd "${{0%/*}}"; {nest}'
    )

    done = _local("run", "--task=make", cube=cube_folder, cwd=tmp_path)

    left = [each.name for each in Path(tmp_path / "tmp").iterdir()]
    remove_tree(tmp_path / "tmp")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert left == []
