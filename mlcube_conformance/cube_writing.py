"""What is written of a cube in any format."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mlcube_conformance.workspace import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlcube_conformance.model import Cube

__all__ = ["FLAGS", "copies_files", "copy_folder", "put", "write_yaml"]

#: Options of a platform, and the flags of `docker run` that ask for them.
FLAGS = {
    "network": "--network",
    "gpus": "--gpus",
    "shm_size": "--shm-size",
    "memory": "--memory",
    "ipc": "--ipc",
    "cpuset_cpus": "--cpuset-cpus",
    "security_opt": "--security-opt",
}


def write_yaml(file: Path, content: Mapping[str, Any]) -> None:
    """Write a file, and the folders above it."""
    make_folder(file.parent)
    text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
    file.write_text(text, encoding="utf-8")


def copy_folder(source: Path, target: Path, without: Iterable[str] = ()) -> None:
    """Copy a folder, but for some of its entries; links stay links, pipes stay away."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        odd = {name for name in names if _is_odd(Path(folder, name))}
        return odd | (set(without) if Path(folder) == source else set())

    shutil.copytree(source, target, symlinks=True, ignore=left_out)


def _is_odd(path: Path) -> bool:
    return not (path.is_symlink() or path.is_file() or path.is_dir())


def put(source: Path, target: Path) -> None:
    """Copy one file in place of what lies there: never through a link."""
    make_folder(target.parent)
    target.unlink(missing_ok=True)
    shutil.copy2(source, target)


def copies_files(cube: Cube) -> bool:
    """Say whether a recipe of Singularity names files, relative to its folder."""
    recipe = cube.singularity.file
    if not recipe.is_file():
        return False
    text = recipe.read_text(encoding="utf-8", errors="replace")
    return any(line.lower().startswith("%files") for line in text.splitlines())
