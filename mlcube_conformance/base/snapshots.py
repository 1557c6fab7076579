"""Finds what a run changed below a path, from snapshots before and after."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.files import ODD, EntryKind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "UNREADABLE",
    "Entry",
    "Snapshot",
    "digests",
    "reached",
    "snapshot",
    "stray_links",
]

#: What stands for the hash of a file that cannot be read.
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file, folder or link as it stood at one moment; links are not followed."""

    kind: EntryKind
    size: int
    mode: int
    owner: int
    inode: int
    modified_ns: int
    changed_ns: int
    """Last change of content or attributes; a task cannot set it back."""

    def written_after(self, other: Entry) -> bool:
        """Say whether it was replaced or written to since it was the other one.

        A copy may bring its old time along (`cp -p`, `tar`): the last change tells it,
        unless that gave other rights or another owner.
        """
        mine = (self.kind, self.inode)
        if mine != (other.kind, other.inode) or self.kind == "directory":
            return mine != (other.kind, other.inode)
        if (self.size, self.modified_ns) != (other.size, other.modified_ns):
            return True
        same_rights = (self.mode, self.owner) == (other.mode, other.owner)
        return same_rights and self.changed_ns != other.changed_ns

    def readable_by(self, user: int) -> bool:
        """Say whether its rights let a user read it, however much else root may do."""
        if self.kind not in {"file", "directory"}:
            return True
        needed = 0o4 if self.kind == "file" else 0o5
        if self.owner == user:
            return (self.mode >> 6) & needed == needed
        # The groups of a user are not looked at: either right will do.
        rights = (self.mode >> 3, self.mode)
        return user == 0 or any(each & needed == needed for each in rights)

    def same_as(self, other: Entry | None) -> bool:
        """Say whether nothing happened to it since it was the other one.

        The times of a folder change with what is in it, which is compared by
        itself; they do not count.
        """
        if other is None or self.kind != "directory" or other.kind != "directory":
            return self == other
        mine = (self.inode, self.mode, self.owner)
        return mine == (other.inode, other.mode, other.owner)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A path and everything below it, by path relative to it ("." is itself)."""

    entries: Mapping[str, Entry]

    @property
    def root(self) -> Entry | None:
        """The path itself; None when nothing is there."""
        return self.entries.get(".")

    def made_since(self, before: Snapshot) -> Iterator[str]:
        """Yield what was made or written since; other rights or owners do not count."""
        for path, entry in self.entries.items():
            old = before.entries.get(path)
            if old is None or entry.written_after(old):
                yield path

    def filled_since(self, before: Snapshot) -> Iterator[str]:
        """Yield the files among these that hold something."""
        for path in self.made_since(before):
            entry = self.entries[path]
            if entry.kind == "file" and entry.size:
                yield path

    def new_since(self, before: Snapshot) -> Iterator[str]:
        """Yield what was made or changed since, the path itself left out."""
        for path, entry in self.entries.items():
            if path != "." and not entry.same_as(before.entries.get(path)):
                yield path

    def files(self) -> Iterator[tuple[str, Entry]]:
        """Yield the regular files."""
        for path, entry in self.entries.items():
            if entry.kind == "file":
                yield path, entry

    def odd(self) -> Iterator[tuple[str, str]]:
        """Yield the pipes, sockets and devices, and which of them each is."""
        for path, entry in self.entries.items():
            if entry.kind in ODD:
                yield path, entry.kind


def snapshot(path: Path, without: Iterable[Path] = ()) -> Snapshot:
    """Look at a path and everything below it, except below the paths `without`."""
    left_out = set(without)
    entries: dict[str, Entry] = {}

    # A loop, since a task may nest its folders deeper than calls can go.
    waiting = [(path, ".")]
    while waiting:
        current, name = waiting.pop()
        inside: list[Path] = []
        with suppress(OSError):  # gone again, not to be read, or too deep for a path
            entry = entries[name] = _entry(current.lstat())
            if entry.kind == "directory":
                inside = list(current.iterdir())
        waiting += [
            (below, below.name if name == "." else f"{name}/{below.name}")
            for below in sorted(inside, reverse=True)
            if below not in left_out
        ]
    return Snapshot(entries)


def stray_links(path: Path, seen: Snapshot) -> tuple[tuple[str, str], ...]:
    """Return the links at or below a path that point to nothing else below it.

    A link to itself points to nothing.

    Returns:
        Their names, and their targets as they say them.
    """
    top = os.path.realpath(path)
    found = []
    for name, entry in seen.entries.items():
        if entry.kind != "link":
            continue
        with suppress(OSError):  # gone again, or too deep for a path
            real = os.path.realpath(path / name)
            inside = name != "." and (real == top or real.startswith(f"{top}/"))
            if not inside or not os.path.exists(path / name):  # noqa: PTH110 - raises for none
                found.append((name, str((path / name).readlink())))
    return tuple(found)


def reached(path: Path, seen: Snapshot, within: Path) -> tuple[Path, ...]:
    """Return what the links at and below a path point to elsewhere in a folder."""
    top, limit = os.path.realpath(path.parent), os.path.realpath(within)
    found = set()
    for name, entry in seen.entries.items():
        if entry.kind == "link":
            with suppress(OSError):
                real = Path(os.path.realpath(path / name))
                known = Path(top, path.name)
                if real.is_relative_to(limit) and not real.is_relative_to(known):
                    found.add(real)
    return tuple(sorted(found))


def digests(path: Path, seen: Snapshot) -> dict[str, str]:
    """Return the SHA-256 of each file of a snapshot, and where its links point to."""
    found = {}
    for name, entry in seen.entries.items():
        try:
            if entry.kind == "file":
                with (path / name).open("rb") as file:
                    found[name] = hashlib.file_digest(file, "sha256").hexdigest()
            elif entry.kind == "link":
                found[name] = f"to {(path / name).readlink()}"
        except OSError:
            found[name] = UNREADABLE
    return found


def _entry(status: os.stat_result) -> Entry:
    return Entry(
        kind=kind_of(status.st_mode),
        size=status.st_size,
        mode=stat.S_IMODE(status.st_mode),
        owner=status.st_uid,
        inode=status.st_ino,
        modified_ns=status.st_mtime_ns,
        changed_ns=status.st_ctime_ns,
    )
