"""Staging copies what a cube brings, and snapshots tell what a run changed."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from mlcube_conformance.loader.multi_file import load_cube
from mlcube_conformance.workspace import snapshot, stage

if TYPE_CHECKING:
    from pathlib import Path

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


def test_links_stay_links_and_pipes_are_left_out(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.edit("run/make.yaml", "$WORKSPACE/seed.txt", "in")
    cube_folder.edit("tasks/make.yaml", "seed, type: file", "seed, type: directory")
    cube_folder.write("workspace/in/real.txt", "real")
    (cube_folder.root / "workspace/in/link").symlink_to("/etc/passwd")
    os.mkfifo(cube_folder.root / "workspace/in/pipe")
    cube = load_cube(cube_folder.root, "tiny").cube

    stage(cube, cube.invocations, tmp_path / "staged")

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

    made = set(snapshot(tmp_path).new_since(before))

    assert made == {"changed", "replaced", "folder/new"}


def test_snapshot_bears_folders_nested_deeper_than_calls_go(tmp_path: Path) -> None:
    depth = 1500
    subprocess.run(["mkdir", "-p", "d/" * depth], cwd=tmp_path, check=True, timeout=60)

    seen = snapshot(tmp_path)

    assert len(seen.entries) == depth + 1
    # pytest's own removal would nest as deep.
    subprocess.run(["rm", "-r", tmp_path / "d"], check=True, timeout=60)
