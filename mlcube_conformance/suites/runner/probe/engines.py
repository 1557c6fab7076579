"""Wrappers of the engines on PATH, which record the calls of a runner.

On a machine without GPUs a task sees none, whatever was asked: the command line of the
engine tells. A runner that speaks to a daemon without its program calls none of them.
"""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

from mlcube_conformance.base.process import search_path

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["gpus_asked", "path_with_notes"]

_ENGINES = ("docker", "nvidia-docker", "podman", "singularity", "apptainer")
_NOTED = "noted"
#: Words of an engine that give GPUs to a container.
_GPUS = re.compile(
    r" --gpus[= ](?!0? )| --(nv|nvccli|rocm) | --runtime[= ]nvidia|nvidia-docker"
    r"|/dev/(nvidia|dxg)|NVIDIA_VISIBLE_DEVICES=(?!(void|none)? )"
)


def path_with_notes(folder: Path, path: str) -> str:
    """Return a PATH by which each call of an engine is noted, and then done.

    Args:
        folder: One that does not exist yet.
        path: The PATH by which engines are found.
    """
    folder.mkdir()
    folders = path.split(":")
    for name in _ENGINES:
        real = shutil.which(name, path=search_path(*folders))
        if real is not None:
            noted = shlex.quote(str(folder / _NOTED))
            lines = ("#!/bin/sh", f'echo "{name} $*" >> {noted}', f'exec {real} "$@"')
            (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
            (folder / name).chmod(0o755)
    return search_path(str(folder), *folders)


def gpus_asked(folder: Path) -> tuple[str, ...]:
    """Return the calls of engines that ask for GPUs."""
    noted = folder / _NOTED
    calls = noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []
    return tuple(each for each in calls if _GPUS.search(f"{each} "))
