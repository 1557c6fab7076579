"""What a run writes down so that a later one can remove what it left."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.runners.common.liveness import Liveness, lock_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_locks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process in a session of its own."""
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    yield process
    process.kill()
    process.wait(timeout=10)


def _notes_of_a_run_that_is_over(**changes: str) -> None:
    """Let what a living run wrote down look like that of one that was killed."""
    (file,) = lock_folder().glob("run-*.left")
    note = json.loads(file.read_text(encoding="utf-8")) | changes
    over = lock_folder() / "run-over.left"
    over.write_text(json.dumps(note) + "\n" + '{"cut sh', encoding="utf-8")


def test_session_of_a_run_that_is_over_is_killed(
    stranger: subprocess.Popen[bytes],
) -> None:
    alive = Liveness("alive")
    alive.remember_session(stranger.pid)
    _notes_of_a_run_that_is_over()

    removed = Liveness("next").remove_noted()

    assert removed == (f"process {stranger.pid}",)
    assert stranger.wait(timeout=10) == -9
    alive.end()


@pytest.mark.parametrize("changes", [{"since": "1"}, {"boot": "other"}, {"host": "x"}])
def test_number_that_is_another_session_by_now_is_left_alone(
    changes: dict[str, str], stranger: subprocess.Popen[bytes]
) -> None:
    alive = Liveness("alive")
    alive.remember_session(stranger.pid)
    _notes_of_a_run_that_is_over(**changes)

    assert Liveness("next").remove_noted() == ()
    assert stranger.poll() is None
    alive.end()


def test_what_a_living_run_wrote_down_is_left_alone(tmp_path: Path) -> None:
    alive = Liveness("alive")
    file = tmp_path / "part"
    file.touch()
    alive.remember_path(file)

    assert Liveness("next").remove_noted() == ()
    assert file.exists()

    _notes_of_a_run_that_is_over()

    assert Liveness("next").remove_noted() == (str(file),)
    assert not file.exists()
    alive.end()
    assert list(lock_folder().iterdir()) == []
