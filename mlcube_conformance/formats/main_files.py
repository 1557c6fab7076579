"""The main file of a cube, and the folder that files near it must stay in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.files import is_there

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MAIN_FILES", "main_file", "roots_of"]

#: Names of the file that describes a cube, today and before.
MAIN_FILES = ("mlcube.yaml", "mlbox.yaml")


def main_file(root: Path) -> Path | None:
    """Return the file that describes a cube, if any file has its name."""
    return next((root / name for name in MAIN_FILES if is_there(root / name)), None)


def roots_of(file: Path) -> tuple[Path, ...]:
    """Return the cube that a file is in, which its links must not leave.

    A file that is in no cube is the user's own, and may be anywhere.
    """
    return tuple(each for each in file.parents if main_file(each) is not None)[:1]
