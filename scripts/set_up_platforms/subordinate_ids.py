"""The user ids that a user may map into a user namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

FIRST: Final = 200_000
COUNT: Final = 65_536
FIELDS: Final = 3  # name, first, count


def has_range(path: Path, names: tuple[str, ...]) -> bool:
    """Tell whether a user, under any of its names, has a range in the file."""
    return any(name in names for name, _, _ in _ranges(path))


def give_range(path: Path, names: tuple[str, ...]) -> bool:
    """Give a user a range that nobody else has; tell whether one was missing."""
    if has_range(path, names):
        return False
    first = FIRST
    for _, start, count in sorted(_ranges(path), key=lambda item: item[1]):
        if start < first + COUNT and first < start + count:
            first = start + count
    # One write, so a killed run leaves no half a line.
    text = _text(path)
    gap = "\n" if text and not text.endswith("\n") else ""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{gap}{names[0]}:{first}:{COUNT}\n")
    return True


def _ranges(path: Path) -> list[tuple[str, int, int]]:
    """Read the ranges; lines that are none, the system's tools ignore as well."""
    ranges = []
    for line in _text(path).splitlines():
        fields = line.strip().split(":")
        if len(fields) == FIELDS and all(field.isdecimal() for field in fields[1:]):
            ranges.append((fields[0], int(fields[1]), int(fields[2])))
    return ranges


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
