"""Child processes: which program a bare name means."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.process import find_program, run_process, search_path

if TYPE_CHECKING:
    from pathlib import Path

#: Forms of PATH by which the current folder is searched; {} stands for the whole one.
HERE = ["{}:", ":{}", "/nowhere::{}", ".:{}", "bin:{}"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that has a program, as a cube may."""
    folder = tmp_path / "cube"
    (folder / "bin").mkdir(parents=True)
    for each in (folder / "tool", folder / "bin/tool"):
        each.write_text('#!/bin/sh\ntouch "${0%/*}/started"\n')
        each.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("folders", "path"),
    [
        (["/a", "/b"], "/a:/b"),
        (["", "/a", "", "/b", ""], "/a:/b"),
        ([".", "bin", "../bin", "/a"], "/a"),
        (["/a:", "/b"], "/b"),
        ([], os.defpath),
        ([""], os.defpath),
    ],
)
def test_search_path_never_means_the_current_folder(
    folders: list[str], path: str
) -> None:
    assert search_path(*folders) == path


@pytest.mark.parametrize("path", HERE)
def test_program_of_the_folder_that_a_child_starts_in_is_not_found(
    path: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", path.format(os.environ["PATH"]))
    log = folder.parent / "log"

    ended = run_process(
        ["sh", "-c", "tool"], stdout=log, stderr=log, timeout=20, cwd=folder
    )
    with pytest.raises(FileNotFoundError):
        run_process(["tool"], stdout=log, stderr=log, timeout=20, cwd=folder)

    assert ended.exit_code == 127
    assert not list(folder.rglob("started"))


@pytest.mark.parametrize("path", HERE)
def test_program_of_the_current_folder_stands_for_no_engine(
    path: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", path.format(os.environ["PATH"]))

    assert find_program("tool") is None
    assert find_program("sh")


@pytest.mark.parametrize("path", HERE)
def test_command_on_a_host_finds_no_program_in_its_folder(
    path: str, tmp_path: Path
) -> None:
    script = 'echo "$PATH" > "$1"/part; mv "$1"/part "$1"/path'
    request = {
        "do": "start",
        "folder": str(tmp_path / "job"),
        "argv": ["/bin/sh", "-c", script, "sh", str(tmp_path)],
        "env": {"PATH": path.format("/usr/bin:/bin")},
        "record": {},
    }

    subprocess.run(
        [sys.executable, "-m", "mlcube_conformance.runners.places.agent"],
        input=json.dumps(request),
        text=True,
        capture_output=True,
        timeout=60,
        check=True,
    )

    deadline = time.monotonic() + 20
    while not (tmp_path / "path").exists():
        assert time.monotonic() < deadline, "the command does not end"
        time.sleep(0.02)
    folders = (tmp_path / "path").read_text().rstrip("\n").split(":")
    assert all(each.startswith("/") for each in folders)
