"""Runs that need more than a cube: something beside it, or another platform file."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.suites.runner.probe.cube import ProbeCube
from mlcube_conformance.suites.runner.probe.engines import gpus_asked, path_with_notes
from mlcube_conformance.suites.runner.probe.platform_files import variant_of

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.suites.runner.probe.run import ProbeRun
    from mlcube_conformance.suites.runner.trial import Trial

__all__ = [
    "Overridden",
    "Sent",
    "files_of",
    "gives_no_gpu",
    "traces",
    "what_is_at",
]

_MODE = 0o750


def files_of(folder: Path, *, without: str = "") -> dict[str, bytes]:
    """Return the files of a folder by their path; those in one folder left out."""
    found = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    return {
        name: path.read_bytes()
        for name, path in found.items()
        if not without or not name.startswith(f"{without}/")
    }


def what_is_at(path: Path) -> str:
    """Say in words what is at a path."""
    if path.is_dir():
        return "a folder"
    return "a file" if path.exists() else "nothing"


def traces(folder: Path, name: str) -> list[str]:
    """Return every place below a folder where something of that name is."""
    return [str(path) for path in folder.rglob("*") if path.name == name]


def gives_no_gpu(trial: Trial, *words: str) -> None:
    """Have a task run; expect that it gets no GPU, and that no engine is asked for one.

    Args:
        trial: The runner.
        words: Further words for its command line.
    """
    placed = trial.place(ProbeCube())
    engines = placed.folder / "engines"
    path = path_with_notes(engines, os.environ.get("PATH", os.defpath))
    run = trial.run(placed, environment={"PATH": path}, words=words)
    given = run.ends_well().gpus
    run.expect(not given, "a task without a GPU", given)
    asked = gpus_asked(engines)
    run.expect(not asked, "an engine that is asked for no GPU", asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden:
    """A run with values of the command line that are outside of the cube."""

    run: ProbeRun
    outside: Path
    before: dict[str, bytes]
    """Files of the cube, without its workspace."""

    @classmethod
    def of(cls, trial: Trial, cube: ProbeCube) -> Overridden:
        """Have the task run, with `seed` and `made` outside of the cube."""
        placed = trial.place(cube)
        outside = placed.folder / "outside"
        outside.mkdir()
        (outside / "seed.txt").write_text("given\n", encoding="utf-8")
        before = files_of(placed.root, without="workspace")
        run = trial.run(
            placed,
            parameters={
                "seed": str(outside / "seed.txt"),
                "made": str(outside / "made"),
            },
        )
        return cls(run=run, outside=outside, before=before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A run on another host."""

    run: ProbeRun
    before: dict[str, bytes]
    """Files of the cube, without its workspace."""
    mine: Path
    """A file that lay in the folder of an output before."""

    MODE = _MODE
    VARIABLE = ("PROBE_WORDS", "two words")

    @classmethod
    def of(cls, trial: Trial, cube: ProbeCube) -> Sent:
        """Have the task run, with a key in another place and a variable."""
        placed = trial.place(cube)
        mine = placed.workspace / "made/mine.sh"
        mine.chmod(_MODE)
        before = files_of(placed.root, without="workspace")
        name, value = cls.VARIABLE
        platform = variant_of(
            trial.another_host,
            placed.folder / "place",
            identity=shutil.copy2,
            variables={name: value},
        )
        run = trial.run(placed, platform=str(platform))
        return cls(run=run, before=before, mine=mine)
