"""Certificates of runs on real platforms: they hold until image or cube changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.command import call

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cube_folders import CubeFolder


@pytest.mark.parametrize(
    "platform",
    [
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param(
            "singularity", marks=[pytest.mark.singularity, pytest.mark.docker]
        ),
    ],
)
def test_certificate_holds_until_image_or_cube_changes(
    platform: str,
    cube_folder: CubeFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = cube_folder.root
    test = ("test", root, f"--platform={platform}", "-q", "-p", "no:cacheprovider")
    done = call(*test, "--record", "record.json", place=tmp_path, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    certified = call(
        "certify", "record.json", "--output", "c.json", place=tmp_path, timeout=240
    )
    assert certified.returncode == 0, certified.stderr
    subjects = json.loads((tmp_path / "c.json").read_text())["subject"]
    assert [each["annotations"]["kind"] for each in subjects] == ["cube", "image"]
    cube, image = (each["name"] for each in subjects)

    held = call("verify", "c.json", place=tmp_path, timeout=240)

    assert held.returncode == 0, held.stdout + held.stderr
    lines = [f"holds: cube {cube} in {root}", f"holds: image {image}"]
    assert held.stdout.splitlines()[-2:] == lines

    script = (root / "build/task.sh").read_text()
    cube_folder.edit("build/task.sh", "making", "makinG")
    changed = call("verify", "c.json", place=tmp_path, timeout=240)

    assert changed.returncode == 1
    assert f"changed: cube {cube} in {root}: SHA-256 is " in changed.stdout
    assert f"holds: image {image}" in changed.stdout

    assert call(*test, "-k", "image", place=tmp_path, timeout=240).returncode == 0
    cube_folder.write("build/task.sh", script)
    rebuilt = call("verify", "c.json", place=tmp_path, timeout=240)

    assert f"changed: image {image}: SHA-256 is " in rebuilt.stdout
    assert f"holds: cube {cube} in {root}" in rebuilt.stdout
    assert rebuilt.returncode == 1
