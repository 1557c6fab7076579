"""The clause, and the features of a runner that it may need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FEATURES", "Clause", "Depth"]

Depth = Literal["L0", "L1", "L2", "L3", "L4"]

#: What a runner may be able to do, each as it ends "where …".
FEATURES: Mapping[str, str] = {
    "containers": "tasks run in containers",
    "default-task": "the task may be left out",
    "docker-section": "the cube says when Docker builds its image",
    "engine": "the runner calls the engine of containers",
    "environment": "variables can be given",
    "executable": "the executable of the engine can be named",
    "gpus": "GPUs can be asked for",
    "leftovers": "what an engine keeps can be listed",
    "multi-file": "cubes of several files are read",
    "network": "the network can be chosen",
    "override": "values can be given on the command line",
    "platform-files": "the platform is a file",
    "proxies": "tasks share the proxies of this machine",
    "remote": "tasks run on another host",
    "several-tasks": "one command can run several tasks",
    "sif": "images are files of Singularity",
    "single-file": "cubes of one file are read",
    "workspace": "another workspace can be given",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One requirement that a cube or a runner is tested against."""

    id: str
    level: Literal["MUST", "SHOULD"] = "MUST"
    who: Literal["runner", "cube"] = "runner"
    depth: Depth = "L2"
    """The level of trust that a cube reaches by it, among others."""
    on_request: bool = False
    """Whether it is tested only where its level is asked for."""
    sentence: str
    evidence: str
    """Commit, issue or observation that shows why it matters."""
    fact: int | None = None
    """Its number in the survey of earlier runners, where it comes from there."""
    needs: tuple[str, ...] = ()
    """Features without which it does not apply to a runner."""
    test: str = ""
    """Node id of its test, or "" where there is none."""
    why_not: str = ""
    """Why there is no test."""

    @property
    def family(self) -> str:
        """Return the word that its id begins with."""
        return self.id.partition("-")[0]
