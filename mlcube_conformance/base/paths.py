"""Paths as reports write them, and patterns of paths as people do."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_like", "shown_in"]


def shown_in(folder: Path, path: Path) -> Path:
    """Return a path relative to a folder, where it is in it."""
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def is_like(path: str, pattern: str) -> bool:
    """Say whether a path in a folder matches a pattern, in which `*` crosses `/`.

    `./x`, `/x` and `x/` are x; `**/x` is x at any depth, at the top too.
    """
    plain = pattern.strip("/").removeprefix("./")
    return fnmatchcase(path, plain) or (
        plain.startswith("**/") and fnmatchcase(path, plain.removeprefix("**/"))
    )
