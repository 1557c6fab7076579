"""Notes on this machine of what the results of a job on a host are for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.runners.common.liveness import lock_folder
from mlcube_conformance.runners.places.ssh.data import Bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Note", "note_of", "noted_before", "read_note", "write_note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Where on this machine the results of a job are wanted."""

    workspace: Path
    stdout: Path
    stderr: Path
    fetched: tuple[Bundle, ...]
    before: Mapping[str, Sequence[str]]
    """What was here at and below the fetched names, by their folder."""

    @property
    def has_place(self) -> bool:
        """Whether the folders for the results are still there."""
        return self.workspace.is_dir() and self.stdout.parent.is_dir()


def write_note(identity: str, note: Note) -> None:
    """Keep a note of where the results of a job are wanted."""
    found = {
        "workspace": str(note.workspace),
        "stdout": str(note.stdout),
        "stderr": str(note.stderr),
        "before": {base: [*names] for base, names in note.before.items()},
        "fetched": [
            {"base": str(each.base), "there": each.there, "names": each.fetched}
            for each in note.fetched
        ],
    }
    note_of(identity).write_text(json.dumps(found), encoding="utf-8")


def read_note(identity: str) -> Note | None:
    """Return what was noted of a job, None where no note can be read."""
    try:
        found = json.loads(note_of(identity).read_text("utf-8"))
        return Note(
            workspace=Path(found["workspace"]),
            stdout=Path(found["stdout"]),
            stderr=Path(found["stderr"]),
            before={base: _texts(names) for base, names in found["before"].items()},
            fetched=tuple(
                Bundle(
                    base=Path(each["base"]),
                    there=_text(each["there"]),
                    sent=(),
                    fetched=_texts(each["names"]),
                )
                for each in found["fetched"]
            ),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def noted_before(identity: str) -> Mapping[str, Sequence[str]]:
    """Return what was here before a job began, by folder, as far as it was noted."""
    note = read_note(identity)
    return note.before if note else {}


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError
    return found


def _texts(found: object) -> tuple[str, ...]:
    if not isinstance(found, list):
        raise TypeError
    return tuple(map(_text, found))


def note_of(identity: str) -> Path:
    """Return the file that says what the results of a job are for."""
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    return lock_folder() / f"ssh-{name}.json"
