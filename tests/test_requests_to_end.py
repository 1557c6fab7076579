"""A request to end is heeded by every command, at any time, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.cube_folders import make_cube

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def started(
    *words: str | Path, place: Path, **more: str
) -> Iterator[subprocess.Popen[str]]:
    """Start the command, which is killed in the end."""
    with subprocess.Popen(
        [sys.executable, "-m", "mlcube_conformance", *words],
        cwd=place,
        env={**os.environ, **more},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(file: Path) -> str:
    """Return what a file says, once it says something."""
    until = time.monotonic() + 40
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < until, f"no {file}"
        time.sleep(0.02)
    return file.read_text().strip()


@pytest.mark.parametrize("number", REQUESTS)
def test_a_command_that_asks_another_program_ends_it(
    number: signal.Signals, tmp_path: Path
) -> None:
    slow = tmp_path / "bin/singularity"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/began\nexec sleep 60\n")
    slow.chmod(0o755)
    path = f"{slow.parent}:{os.environ['PATH']}"

    with started("doctor", place=tmp_path, PATH=path) as process:
        child = wait_for(tmp_path / "began")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (130, "")
    assert err == "mlcube: interrupted\n"
    assert not os.path.exists(f"/proc/{child}")  # noqa: PTH110 - of another process


@pytest.mark.parametrize("number", REQUESTS)
def test_a_second_request_does_not_change_the_exit_code(
    number: signal.Signals, tmp_path: Path
) -> None:
    cube = make_cube(tmp_path / "slow")
    cube.tasks(make=f"echo $$ > {tmp_path}/began; sleep 60")
    words = ("run", "slow", "--platform=local", "--task=make")

    with started(*words, place=tmp_path) as process:
        wait_for(tmp_path / "began")
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        while "interrupted" not in process.stderr.readline():
            assert process.poll() is None, "it ended and said nothing"
        process.send_signal(number)
        process.communicate(timeout=30)

    assert process.returncode == 130


@pytest.mark.parametrize("number", REQUESTS)
def test_a_job_of_a_matrix_passes_it_on(number: signal.Signals, tmp_path: Path) -> None:
    cube = make_cube(tmp_path / "slow")
    cube.tasks(make=f"echo $$ > {tmp_path}/began; sleep 60")
    (tmp_path / "jobs.json").write_text('{"cube": "slow", "platform": "local"}')

    with started("test-jobs", "jobs.json", place=tmp_path) as process:
        child = wait_for(tmp_path / "began")
        process.send_signal(number)  # to this process alone, as `kill` does
        out, err = process.communicate(timeout=40)

    assert process.returncode == 2, out + err
    assert "Traceback" not in out + err
    assert not os.path.exists(f"/proc/{child}")  # noqa: PTH110 - of another process
    assert (tmp_path / "mlcube-results/report.html").exists()


@pytest.mark.parametrize("pause", [0.15, 0.25, 0.35, 0.5])
def test_the_start_of_a_command_can_be_interrupted(
    pause: float, tmp_path: Path
) -> None:
    with started("test-jobs", "-", place=tmp_path) as process:
        until = time.monotonic() + 40
        while _takes_no_requests(process.pid) and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(pause)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (130, "", "mlcube: interrupted\n")


@pytest.mark.parametrize(
    ("words", "code", "module"),
    [
        (["--help"], 130, "mlcube_conformance.commands.zoo"),
        (["test", "slow"], 2, "_pytest.main"),
        (["test", "slow"], 2, "yaml"),
    ],
)
def test_a_command_that_is_still_being_read_can_be_interrupted(
    words: list[str], code: int, module: str, tmp_path: Path
) -> None:
    make_cube(tmp_path / "slow")
    # A finder that asks the process to end where it begins to import a module.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
    )

    with started(*words, place=tmp_path, PYTHONPATH=str(tmp_path)) as process:
        out, err = process.communicate(timeout=40)

    assert (process.returncode, out, err) == (code, "", "mlcube: interrupted\n")


def _takes_no_requests(process_id: int) -> bool:
    """Say whether SIGHUP would just end a process, as at its very beginning."""
    with open(f"/proc/{process_id}/status", encoding="utf-8") as status:  # noqa: PTH123 - no file
        caught = next(each for each in status if each.startswith("SigCgt:"))
    return not int(caught.split()[1], 16) & 1 << (signal.SIGHUP - 1)
