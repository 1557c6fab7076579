"""The parts of a cube that are written in every format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from mlcube_conformance.base.copying import copy
from mlcube_conformance.base.files import (
    is_there,
    read_bytes,
    read_text,
)
from mlcube_conformance.plan.workspace import make_folder
from mlcube_conformance.schemas.named import modeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from mlcube_conformance.model import Cube

__all__ = ["copies_files", "copy_folder", "put", "write_yaml"]


def write_yaml(file: Path, content: Mapping[str, Any], schema: str) -> None:
    """Write a file, and the folders above it.

    Args:
        file: The file.
        content: What it says.
        schema: Name of its JSON Schema, by which editors complete it.
    """
    make_folder(file.parent)
    text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
    file.write_text(f"{modeline(schema)}\n{text}", encoding="utf-8")


def copy_folder(source: Path, target: Path, without: Iterable[str] = ()) -> None:
    """Copy a folder, except some of its entries; links stay links, pipes stay away."""
    entries = {source / name for name in without}
    copy(source, target, left_out=entries.__contains__)


def put(source: Path, target: Path, *roots: Path) -> None:
    """Copy one small file over an existing one, never through a link.

    Raises:
        Violation: It is in none of the roots, or cannot be read.
    """
    make_folder(target.parent)
    target.unlink(missing_ok=True)
    target.write_bytes(read_bytes(source, *roots))


def copies_files(cube: Cube) -> bool:
    """Say whether a recipe of Singularity names files, relative to its folder."""
    recipe = cube.singularity.file
    if not is_there(recipe):
        return False
    text = read_text(recipe, cube.singularity.context, cube.root)
    return any(line.lower().startswith("%files") for line in text.splitlines())
