"""Notes of what the results of a job are for, whole and damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlcube_conformance.runners.places.ssh.data import Bundle
from mlcube_conformance.runners.places.ssh.notes import (
    Note,
    note_of,
    noted_before,
    read_note,
    write_note,
)

_NOTE = Note(
    workspace=Path("/w"),
    stdout=Path("/o"),
    stderr=Path("/e"),
    fetched=(Bundle(base=Path("/b"), there="data", sent=(), fetched=("a", "b")),),
    before={"/b": ("a", "a/c")},
)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "mlcube_conformance.runners.places.ssh.notes.lock_folder", lambda: tmp_path
    )


def test_note_is_read_as_it_was_written() -> None:
    write_note("a job", _NOTE)

    assert read_note("a job") == _NOTE
    assert noted_before("a job") == {"/b": ("a", "a/c")}
    assert (read_note("another"), noted_before("another")) == (None, {})


@pytest.mark.parametrize(
    "changes",
    [
        {"workspace": 3},
        {"before": None},
        {"before": {"x": "y"}},
        {"before": {"x": [1]}},
        {"fetched": {}, "before": []},
        {"fetched": [{"base": "/b", "there": 3, "names": ["a"]}]},
        {"fetched": [{"base": "/b", "there": "data", "names": [1]}]},
        {"fetched": [{"base": "/b", "there": "data", "names": "ab"}]},
        {"fetched": ["/b"]},
    ],
)
def test_note_of_another_version_is_none(changes: dict[str, Any]) -> None:
    write_note("a job", _NOTE)
    found = json.loads(note_of("a job").read_text("utf-8"))
    note_of("a job").write_text(json.dumps(found | changes), "utf-8")

    assert (read_note("a job"), noted_before("a job")) == (None, {})


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b'{"workspace": "/w"}'])
def test_damaged_note_is_none(content: bytes) -> None:
    note_of("a job").write_bytes(content)

    assert (read_note("a job"), noted_before("a job")) == (None, {})
