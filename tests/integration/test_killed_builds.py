"""A build whose run is ended or killed does not go on, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from mlcube_conformance.base.process import processes_with

if TYPE_CHECKING:
    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

pytestmark = pytest.mark.docker


def _builds(cache: str) -> list[int]:
    """Return the processes of Docker's command line that a test has started."""
    return [
        pid
        for pid, value in processes_with("XDG_CACHE_HOME")
        if value == cache and b"--iidfile" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGTERM, ("-n", "2")),
        (signal.SIGKILL, ()),
        (signal.SIGKILL, ("-n", "2")),
        (signal.SIGHUP, ()),
    ],
    ids=["TERM-workers", "KILL", "KILL-workers", "HUP"],
)
def test_build_of_a_run_that_ends_does_not_go_on(
    number: signal.Signals,
    words: tuple[str, ...],
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache, scratch = tmp_path / "cache", tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("TMPDIR", str(scratch))
    step = f"RUN echo {uuid4()}; sleep 300\nCOPY"
    cube_folder.edit("build/Dockerfile", "COPY", step)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlcube_conformance", "test", cube_folder.root),
            *("--platform", "docker", "-p", "no:cacheprovider", *words),
        ],
        cwd=tmp_path,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not _builds(str(cache)):
        assert time.monotonic() < deadline, "no build was started"
        time.sleep(0.1)
    time.sleep(1)

    os.killpg(process.pid, number)
    process.wait(timeout=60)
    cube_folder.edit("build/Dockerfile", step, "COPY")
    after = run_suite("--cube", cube_folder.root, "--platform", "docker")

    assert process.returncode in {2, -number}
    assert after.exit_code == 0, after.output
    assert _builds(str(cache)) == []
    assert [each.name for each in scratch.iterdir() if "mlcube" in each.name] == []
