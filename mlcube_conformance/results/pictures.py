"""Small pictures that a task made, as a record keeps them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.errors import Violation
from mlcube_conformance.base.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlcube_conformance.base.snapshots import Snapshot

__all__ = ["KINDS", "Pictures", "is_picture"]

#: The type of a picture by the end of its name, and the bytes it begins with.
KINDS = {
    ".png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".svg": ("image/svg+xml", (b"<svg", b"<?xml")),
}
#: Bytes of a picture, pictures of a task, and bytes of all of them.
_LARGEST = 256 * 1024
_MOST = 4
_ROOM = 8 * 1024 * 1024


def is_picture(kind: str, content: bytes) -> bool:
    """Say whether a file begins as pictures of a type do."""
    starts = dict(KINDS.values())
    return kind in starts and content.lstrip().startswith(starts[kind])


@dataclass(slots=True)
class Pictures:
    """Takes pictures as long as there is room for them in a record."""

    _room: int = _ROOM

    def of(self, output: str, path: Path, seen: Snapshot) -> list[dict[str, Any]]:
        """Return what a record keeps of the pictures in an output.

        No link is followed; what is too large, or another kind of file, is left out.

        Args:
            output: Name of the output.
            path: Where it is.
            seen: What is there.
        """
        found: list[dict[str, Any]] = []
        for name, kind, content in self._read(path, seen):
            self._room -= len(content)
            data = base64.b64encode(content).decode("ascii")
            found.append({"output": output, "name": name, "type": kind, "data": data})
            if len(found) == _MOST:
                break
        return found

    def _read(self, path: Path, seen: Snapshot) -> Iterator[tuple[str, str, bytes]]:
        for name, entry in seen.files():
            place = path / name
            kind, _ = KINDS.get(place.suffix.lower(), ("", ()))
            if not kind or entry.size > min(_LARGEST, self._room):
                continue
            try:
                # Its folders may have become links since: it must still be in there.
                content = read_bytes(place, path, limit=_LARGEST)
            except Violation:
                continue
            if is_picture(kind, content):
                yield path.name if name == "." else name, kind, content
