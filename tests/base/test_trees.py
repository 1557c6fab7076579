"""Folders of ours are removed whole, and nothing beside them is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.trees import (
    mount_points_below,
    now,
    remove_tree,
    written_since,
)

if TYPE_CHECKING:
    from pathlib import Path

#: A shell would take a minute: it asks for the whole path at every step.
_NEST = """\
import os, sys
for _ in range(int(sys.argv[1])):
    os.mkdir(sys.argv[2])
    os.chdir(sys.argv[2])
open("file", "w").write("text")
"""


@pytest.mark.parametrize("depth", [40, 1500, 3000])
def test_a_tree_of_any_depth_is_removed(tmp_path: Path, depth: int) -> None:
    name = "folder"
    subprocess.run(
        [sys.executable, "-c", _NEST, str(depth), name],
        cwd=tmp_path,
        check=True,
        timeout=60,
    )

    remove_tree(tmp_path / name)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["nothing", "file", "link", "folder"])
def test_the_folder_that_holds_it_keeps_its_mode(tmp_path: Path, what: str) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").write_text("text")
    target = place / "target"
    if what == "file":
        target.write_text("text")
    elif what == "link":
        target.symlink_to(tmp_path / "kept")
    elif what == "folder":
        target.mkdir()
        (target / "link").symlink_to(tmp_path / "kept")
        (target / "file").write_text("text")
        target.chmod(0o000)
    place.chmod(0o2775)

    remove_tree(target)

    assert place.stat().st_mode & 0o7777 == 0o2775
    assert not os.path.lexists(target)
    assert (tmp_path / "kept/file").exists()
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o755


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_what_is_mounted_in_it_is_left_alone(tmp_path: Path) -> None:
    ours, other = tmp_path / "ours", tmp_path / "a b"
    (ours / "in\tside").mkdir(parents=True)
    other.mkdir()
    (other / "file").write_text("text")
    mounted = ours / "in\tside"
    bind = ["mount", "--bind", str(other), str(mounted)]
    if subprocess.run(bind, check=False, capture_output=True, timeout=60).returncode:
        pytest.skip("this root may not mount")
    try:
        assert mount_points_below(ours) == (mounted,)
        remove_tree(ours)
        assert (other / "file").read_text() == "text"
    finally:
        subprocess.run(["umount", str(mounted)], check=True, timeout=60)


def test_what_was_written_before_a_task_is_not_taken_for_its_own(
    tmp_path: Path,
) -> None:
    """Linux gives a finer time to a file that somebody looked at in between."""
    for number in range(50):
        path = tmp_path / str(number)
        path.write_text("laid out", encoding="utf-8")
        path.stat()
        path.chmod(0o755)
        path.stat()

        began = now()

        assert list(written_since(tmp_path, began)) == []
        path.chmod(0o700)
        assert list(written_since(tmp_path, began)) == [path]
