"""A copy holds what the original holds, and no way back to it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.copying import copy
from mlcube_conformance.base.files import TreeError
from mlcube_conformance.base.trees import remove_tree

if TYPE_CHECKING:
    from pathlib import Path


def test_holes_stay_holes(tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(1 << 30)
        file.seek(1 << 29)
        file.write(b"data")
    (tmp_path / "empty").touch()
    os.truncate(tmp_path / "empty", 1 << 30)

    for name in ("sparse", "empty"):
        copy(tmp_path / name, tmp_path / "copy" / name)

    copied = (tmp_path / "copy/sparse").stat()
    assert copied.st_size == (tmp_path / "copy/empty").stat().st_size == 1 << 30
    assert copied.st_blocks * 512 < 1 << 20
    with (tmp_path / "copy/sparse").open("rb") as file:
        file.seek(1 << 29)
        assert file.read(5) == b"data\0"


def test_folders_nested_deeper_than_engines_go_are_refused(tmp_path: Path) -> None:
    deep = "d/" * 900
    subprocess.run(["mkdir", "-p", deep], cwd=tmp_path, check=True, timeout=60)

    with pytest.raises(TreeError, match="nested more than 300 deep"):
        copy(tmp_path / "d", tmp_path / "copy")

    remove_tree(tmp_path / "d")
    remove_tree(tmp_path / "copy")


#: Links in `given/in`, and whether the copy keeps them as links.
LINKS = [
    ("{here}/given/in/file", False),
    ("file", True),
    ("../in/file", False),
    ("../../outside/file", False),
    ("{here}/outside/file", False),
    ("sub/../file", True),
]


@pytest.mark.parametrize(("leads", "kept"), LINKS)
def test_no_link_leads_out_of_a_copy(tmp_path: Path, leads: str, *, kept: bool) -> None:
    for folder in ("given/in/sub", "outside"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_text("mine")
    (tmp_path / "given/in/file").write_text("mine")
    (tmp_path / "given/in/link").symlink_to(leads.format(here=tmp_path))

    copy(tmp_path / "given/in", tmp_path / "copy", bring_links=True)

    link = tmp_path / "copy/link"
    assert link.is_symlink() == kept
    assert link.read_text() == "mine"
    link.write_text("other")
    for each in ("given/in/file", "given/in/sub/file", "outside/file"):
        assert (tmp_path / each).read_text() == "mine"


def test_what_leads_to_nothing_or_is_no_file_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given/gone").symlink_to(tmp_path / "not there")
    (tmp_path / "given/device").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "given/pipe")
    (tmp_path / "given/file").write_text("mine")
    os.link(tmp_path / "given/file", tmp_path / "given/hard")

    copy(tmp_path / "given", tmp_path / "copy", bring_links=True)

    assert sorted(each.name for each in (tmp_path / "copy").iterdir()) == [
        "file",
        "hard",
    ]
    assert (tmp_path / "copy/file").stat().st_nlink == 1


def test_folder_that_a_link_leads_to_is_brought_with_its_own_links(
    tmp_path: Path,
) -> None:
    for folder in ("given", "data", "more"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text(folder)
    (tmp_path / "given/data").symlink_to("../data")
    (tmp_path / "data/more").symlink_to(tmp_path / "more")

    copy(tmp_path / "given", tmp_path / "copy", bring_links=True)

    assert (tmp_path / "copy/data/more/file").read_text() == "more"
    assert not [p for p in (tmp_path / "copy").rglob("*") if p.is_symlink()]


@pytest.mark.parametrize("leads", ["..", "{here}", "../data"])
def test_link_that_leads_round_in_a_circle_is_refused(
    tmp_path: Path, leads: str
) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/back").symlink_to("../given")
    (tmp_path / "given/round").symlink_to(leads.format(here=tmp_path))

    with pytest.raises(OSError, match="a link to"):
        copy(tmp_path / "given", tmp_path / "copy", bring_links=True)
