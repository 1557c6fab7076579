"""Outputs of several platforms are the same where both can be read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.snapshots import UNREADABLE, digests, snapshot
from mlcube_conformance.checks.comparison import same_on_every_platform
from mlcube_conformance.checks.outputs import Observation
from mlcube_conformance.formats.cubes import load_cube

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cube_folders import CubeFolder


def test_what_cannot_be_read_is_like_nothing_else(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/part").write_text("1")
    (tmp_path / "made/link").symlink_to(UNREADABLE)
    seen = snapshot(tmp_path / "made")
    cube = load_cube(cube_folder.root, "tiny").cube
    output = Observation(
        binding=next(cube.invocations[0].bound("output")),
        path=tmp_path / "made",
        before=seen,
        after=seen,
        digests=digests(tmp_path / "made", seen),
    )
    closed = replace(output, digests={**output.digests, "part": UNREADABLE})

    assert same_on_every_platform("make", {"a": [output], "b": [output]}) == ()
    (message,) = same_on_every_platform("make", {"a": [closed], "b": [closed]})
    assert f"file {UNREADABLE}" in message.found
    assert "link" not in message.found
