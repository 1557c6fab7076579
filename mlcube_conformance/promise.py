"""What a cube promises beyond the format of MLCube; no input or output."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlcube_conformance.base.source import Source

__all__ = [
    "BREAKS",
    "BrokenInput",
    "ExpectedFailure",
    "OutputPromise",
    "TaskPromises",
]

#: How an input may be broken.
BREAKS = ("missing", "empty", "truncated", "wrong kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPromise:
    """One fact that is promised of one output."""

    output: str
    kind: str
    """The key of `conformance.yaml`: `contains`, `sha256`, `json`, …"""
    rule: Mapping[str, Any]
    """What it says, as the schema of that key has it; `file` is a path in the output,
    "." for the output itself."""
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenInput:
    """An input that is broken, on which a task must fail."""

    input: str
    how: str
    """One of `BREAKS`, or "" for a file or folder of the cube that takes its place."""
    instead: Path | None
    may_write: frozenset[str]
    """Outputs that the task may write anyway, such as its logs."""
    source: Source

    @property
    def name(self) -> str:
        """Say how it is broken, as in "truncated"."""
        return self.how or f"replaced by {self.instead}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPromises:
    """What is promised of a task."""

    network: bool | None = None
    """False where the task works without it."""
    timeout: float | None = None
    """Seconds within which it ends."""
    exit_code: int = 0
    gpus: str | None = None
    """GPUs that it works with, as `--gpus` has them; "" for none."""
    memory: str = ""
    """Memory that it works within, as Docker has it."""
    outputs: tuple[OutputPromise, ...] = ()
    negative: tuple[BrokenInput, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    """Where each of the first five is written."""

    def of_kind(self, *kinds: str) -> tuple[OutputPromise, ...]:
        """Return what is promised of outputs under some keys."""
        return tuple(each for each in self.outputs if each.kind in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFailure:
    """A clause that a cube is known to break."""

    clause: str
    platform: str
    """Name or kind of a platform; "" for any."""
    task: str
    """Name of a task; "" for any."""
    reason: str
    source: Source

    def fits(self, platforms: frozenset[str], tasks: frozenset[str]) -> bool:
        """Say whether it is about one of some platforms, and one of some tasks.

        Args:
            platforms: Names of what is tested, and their kinds; empty for none.
            tasks: Names of what is run; empty for none.
        """
        return (not self.platform or self.platform in platforms) and (
            not self.task or self.task in tasks
        )
