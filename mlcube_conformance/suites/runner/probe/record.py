"""Reads the record of a probe."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Record", "read_record"]


#: Variables that choose among GPUs, and values that choose none.
_CHOICES = ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES")
_NO_GPU = ("", "-1", "NoDevFiles", "none", "void")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one task saw."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: tuple[str, ...]
    """Where something is mounted, in the order of the kernel."""
    routes: tuple[str, ...]
    """Ways out of its network."""
    devices: tuple[str, ...]
    """Device files of GPUs."""
    cwd: str
    user: int
    program: str
    context: str
    """What the image holds of the build folder's `context.txt`."""
    contents: Mapping[int, str]
    """Content of the arguments that name files, by place in `arguments`."""
    listings: Mapping[int, tuple[str, ...]]
    """Names in the arguments that name folders, by place in `arguments`."""
    writes: Mapping[str, bool]
    """Whether a parameter could be written to."""

    @property
    def gpus(self) -> tuple[str, ...]:
        """What shows that the task got GPUs; an empty choice of CUDA's hides them."""
        chosen = self.environment.get("CUDA_VISIBLE_DEVICES")
        hidden = chosen is not None and chosen in _NO_GPU
        given = [
            f"{name}={self.environment[name]}"
            for name in _CHOICES
            if self.environment.get(name, "") not in _NO_GPU
        ]
        return (*given, *(() if hidden else self.devices))

    def places(self, name: str) -> list[int]:
        """Return the places at which a parameter is given."""
        start = f"--{name}="
        return [i for i, each in enumerate(self.arguments) if each.startswith(start)]

    def values(self, name: str) -> list[str]:
        """Return what a parameter is given as, once for each place."""
        return [self.arguments[i].partition("=")[2] for i in self.places(name)]

    def value(self, name: str) -> str:
        """Return what a parameter is given as, or "" where it is not."""
        return next(iter(self.values(name)), "")

    def content(self, name: str) -> str | None:
        """Return what a file held for the task; None where it was not a file."""
        found = [self.contents[i] for i in self.places(name) if i in self.contents]
        return found[0] if found else None

    def listing(self, name: str) -> tuple[str, ...] | None:
        """Return the names in a folder; None where it was not a folder."""
        found = [self.listings[i] for i in self.places(name) if i in self.listings]
        return found[0] if found else None


def read_record(folder: Path) -> Record | None:
    """Return what was written into a report; None where nothing was, or not all."""
    if not (folder / "done").exists():
        return None
    environment = (line.partition("=") for line in _lines(folder / "environment"))
    writes = (line.split(" ") for line in _lines(folder / "writes"))
    return Record(
        arguments=_lines(folder / "argv"),
        environment={name: value for name, _, value in environment},
        mounts=tuple(line.split(" ")[4] for line in _lines(folder / "mountinfo")),
        routes=_lines(folder / "routes")[1:],
        devices=_lines(folder / "devices"),
        cwd=_text(folder / "cwd").rstrip("\n"),
        user=int(_text(folder / "user") or -1),
        program=_text(folder / "program").rstrip("\n"),
        context=_text(folder / "context"),
        contents={int(p.name) - 1: _text(p) for p in (folder / "content").iterdir()},
        listings={
            int(p.name) - 1: tuple(n for n in _lines(p) if n not in {".", ".."})
            for p in (folder / "listing").iterdir()
        },
        writes={name: could == "yes" for name, could in writes},
    )


def _text(file: Path) -> str:
    # As the system decodes names, so arguments compare with paths.
    return os.fsdecode(file.read_bytes()) if file.exists() else ""


def _lines(file: Path) -> tuple[str, ...]:
    return tuple(_text(file).split("\n")[:-1])
