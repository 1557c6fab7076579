"""Staging copies what a cube brings, and snapshots tell what a run changed."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.snapshots import snapshot
from mlcube_conformance.base.trees import remove_tree
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.plan.workspace import stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder


def test_only_inputs_that_no_task_makes_are_staged(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.write("workspace/data/part", "stale")
    cube_folder.write("workspace/out/result.txt", "stale")
    cube_folder.write("workspace/notes.txt", "not an input")
    cube = load_cube(cube_folder.root, "tiny").cube

    stage(cube, cube.invocations, tmp_path / "staged")

    staged = [each.name for each in (tmp_path / "staged").rglob("*")]
    assert staged == ["seed.txt"]


def test_what_lies_in_the_workspace_already_is_not_touched(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    (tmp_path / "staged").mkdir()
    (tmp_path / "staged/seed.txt").write_text("mine")
    cube = load_cube(cube_folder.root, "tiny").cube

    stage(cube, cube.invocations, tmp_path / "staged")

    assert (tmp_path / "staged/seed.txt").read_text() == "mine"


def test_folder_and_file_in_it_are_both_staged(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.write("workspace/in/seed.txt", "seed")
    cube_folder.write("workspace/in/more.txt", "more")
    cube_folder.edit("run/make.yaml", "$WORKSPACE/seed.txt", "in/seed.txt")
    cube_folder.edit("run/use.yaml", "$WORKSPACE/data", "in")
    cube = load_cube(cube_folder.root, "tiny").cube

    stage(cube, cube.invocations, tmp_path / "staged")

    staged = sorted(each.name for each in (tmp_path / "staged/in").iterdir())
    assert staged == ["more.txt", "seed.txt"]


def test_folder_that_a_task_works_on_in_place_is_staged(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.edit("tasks/make.yaml", "seed, type: file", "seed, type: directory")
    cube_folder.edit("run/make.yaml", "$WORKSPACE/seed.txt", "data")
    cube_folder.write("workspace/data/begun.txt", "begun")
    cube = load_cube(cube_folder.root, "tiny").cube

    stage(cube, cube.invocations[:1], tmp_path / "staged")

    assert (tmp_path / "staged/data/begun.txt").read_text() == "begun"


def test_links_stay_links_and_a_folder_with_a_pipe_is_refused(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.edit("run/make.yaml", "$WORKSPACE/seed.txt", "in")
    cube_folder.edit("tasks/make.yaml", "seed, type: file", "seed, type: directory")
    cube_folder.write("workspace/in/real.txt", "real")
    (cube_folder.root / "workspace/in/link").symlink_to("/etc/passwd")
    cube = load_cube(cube_folder.root, "tiny").cube

    first = stage(cube, cube.invocations, tmp_path / "staged")
    os.mkfifo(cube_folder.root / "workspace/in/pipe")
    second = stage(cube, cube.invocations, tmp_path / "other")

    assert first == {}
    assert list(second) == ["make"]
    staged = tmp_path / "staged/in"
    assert sorted(each.name for each in staged.iterdir()) == ["link", "real.txt"]
    assert str((staged / "link").readlink()) == "/etc/passwd"


def test_snapshot_tells_what_is_new_changed_and_replaced(tmp_path: Path) -> None:
    for name in ("same", "changed", "replaced"):
        (tmp_path / name).write_text(name)
    (tmp_path / "folder").mkdir()
    before = snapshot(tmp_path)
    (tmp_path / "changed").write_text("CHANGED")
    times = (tmp_path / "replaced").stat()
    (tmp_path / "replaced").unlink()
    (tmp_path / "replaced").write_text("replaced")
    os.utime(tmp_path / "replaced", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "folder/new").symlink_to("/nowhere")

    after = snapshot(tmp_path)

    assert set(after.new_since(before)) == {"changed", "replaced", "folder/new"}
    assert set(after.made_since(before)) >= {"changed", "folder/new"}
    assert "same" not in set(after.made_since(before))


def test_other_rights_change_an_input_and_make_no_output(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    before = snapshot(tmp_path)
    (tmp_path / "file").chmod(0o600)

    after = snapshot(tmp_path)

    assert list(after.new_since(before)) == ["file"]
    assert list(after.made_since(before)) == []


def test_read_only_folders_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "a/b"
    folder.mkdir(parents=True)
    (folder / "file").write_text("text")
    folder.chmod(0o555)
    (tmp_path / "a").chmod(0o555)

    remove_tree(tmp_path / "a")

    assert not (tmp_path / "a").exists()


def test_snapshot_bears_folders_nested_deeper_than_calls_go(tmp_path: Path) -> None:
    depth = 1500
    subprocess.run(["mkdir", "-p", "d/" * depth], cwd=tmp_path, check=True, timeout=60)

    seen = snapshot(tmp_path)

    assert len(seen.entries) == depth + 1
    # pytest's own removal would nest as deep.
    subprocess.run(["rm", "-r", tmp_path / "d"], check=True, timeout=60)


@pytest.mark.parametrize(
    ("leads", "told"),
    [
        (
            ".git/annex/objects/x",
            "a link to .git/annex/objects/x, which does not exist",
        ),
        ("seed.txt", "a link to seed.txt, which is a link to itself"),
    ],
)
def test_broken_link_is_told_as_such(
    leads: str, told: str, cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.fake_platform("pass")
    seed = cube_folder.root / "workspace/seed.txt"
    seed.unlink()
    seed.symlink_to(leads)

    run = run_suite("--cube", cube_folder.root, "--platform", "fake")

    (failed,) = run.verdict("failed").items()
    assert failed[0].startswith("test_inputs_are_there")
    assert "the input 'seed' of task 'make' is a broken link" in failed[1]
    assert told in failed[1]


def test_what_a_task_makes_is_not_staged_through_a_linked_folder(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.edit("run/make.yaml", "$WORKSPACE/seed.txt", "$WORKSPACE/in/seed.txt")
    cube_folder.edit("run/use.yaml", "$WORKSPACE/data", "$WORKSPACE/in")
    cube_folder.edit("run/make.yaml", "$WORKSPACE/data", "$WORKSPACE/in/data")
    cube_folder.write("workspace/in/seed.txt", "seed")
    cube_folder.write("workspace/in/data/part", "stale")
    (tmp_path / "link").symlink_to(cube_folder.root)
    cube = load_cube(tmp_path / "link", "tiny").cube

    stage(cube, cube.invocations, tmp_path / "staged")

    assert (tmp_path / "staged/in/seed.txt").exists()
    assert not (tmp_path / "staged/in/data").exists()
