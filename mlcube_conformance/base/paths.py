"""Paths as reports write them, patterns as people do, and what is above a path."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from mlcube_conformance.base.files import is_there

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_like", "nearest", "shown_in"]


def shown_in(folder: Path, path: Path) -> Path:
    """Return a path relative to a folder, where it is in it."""
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def nearest(path: Path) -> Path:
    """Return a path, or the nearest above it, where anything has that name."""
    return next(each for each in (path, *path.parents) if is_there(each))


def is_like(path: str, pattern: str) -> bool:
    """Say whether a path in a folder matches a pattern, in which `*` crosses `/`.

    `./x`, `/x` and `x/` are x; `**/x` is x at any depth, at the top too.
    """
    plain = pattern.strip("/").removeprefix("./")
    return fnmatchcase(path, plain) or (
        plain.startswith("**/") and fnmatchcase(path, plain.removeprefix("**/"))
    )
