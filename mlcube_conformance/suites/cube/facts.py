"""The facts of cubes, images and runs for the record."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlcube_conformance.formats.loaded import LoadedCube
from mlcube_conformance.model import Case
from mlcube_conformance.plan.order import Comparison, Placement
from mlcube_conformance.plan.selection import CheckedPlatform
from mlcube_conformance.results.finding import Subject
from mlcube_conformance.runners.common.content import content_key, files_below

if TYPE_CHECKING:
    from mlcube_conformance.base.errors import ConformanceError, Violation
    from mlcube_conformance.model import Cube
    from mlcube_conformance.suites.cube.task_run import TaskRun

__all__ = [
    "cube_facts",
    "error_facts",
    "platform_facts",
    "run_facts",
    "subject_of",
]

#: Folders of a cube that are not what it is: what tasks read and make, and caches.
_LEFT_OUT = ("workspace", ".git", ".mlcube-conformance", "__pycache__")


def subject_of(subject: object) -> Subject:
    """Return what a test is about, as the record names it."""
    if isinstance(subject, Case):
        return Subject(
            kind="case",
            id=subject.id,
            cube=subject.cube.id,
            platform=subject.platform.id,
            task=subject.invocation.name,
        )
    if isinstance(subject, Placement):
        return Subject(
            kind="placement",
            id=subject.id,
            cube=subject.cube.id,
            platform=subject.platform.id,
        )
    if isinstance(subject, Comparison):
        return Subject(
            kind="comparison",
            id=subject.id,
            cube=subject.cube.id,
            task=subject.invocation.name,
        )
    if isinstance(subject, CheckedPlatform):
        return Subject(kind="platform", id=subject.id)
    if isinstance(subject, LoadedCube):
        return Subject(kind="cube", id=subject.cube.id, cube=subject.cube.id)
    return Subject(kind="")


def cube_facts(cube: Cube) -> dict[str, Any]:
    """Return what a cube is, with a hash of all its files except its workspace."""
    try:
        files = [
            each
            for each in files_below(cube.root)
            if each.partition("/")[0] not in _LEFT_OUT
        ]
        content = f"sha256:{content_key(cube.root, files)}"
    except (OSError, ValueError):
        content = None  # Its definitions say what is wrong.
    return {
        "id": cube.id,
        "name": cube.name,
        "version": cube.version,
        "root": str(cube.root),
        "content": content,
    }


def platform_facts(placement: Placement, engine: str) -> dict[str, Any]:
    """Return where a cube is run, and by which engine."""
    platform = placement.platform
    return {
        "id": placement.id,
        "cube": placement.cube.id,
        "platform": platform.id,
        "runner": platform.kind,
        "engine": engine,
        "file": str(platform.source),
    }


def run_facts(run: TaskRun) -> dict[str, Any]:
    """Return how a task ended, and the sizes of what it made."""
    result = run.ended
    return {
        "exit_code": result.exit_code,
        "timed_out": result.timed_out,
        "out_of_memory": result.out_of_memory,
        "seconds": round(result.seconds, 3),
        "peak_memory": result.peak_memory,
        "argv": list(result.command),
        "stdout": str(result.stdout),
        "stderr": str(result.stderr),
        "outputs": {
            each.binding.parameter.name: {
                "path": str(each.path),
                "files": len(sizes := [file.size for _, file in each.after.files()]),
                "bytes": sum(sizes),
            }
            for each in run.outputs
        },
    }


def error_facts(error: Violation | ConformanceError) -> dict[str, Any]:
    """Return why something could not be done, and whose fault that is."""
    fault = "cube" if isinstance(error, AssertionError) else "machine"
    return {"fault": fault, "messages": [asdict(each) for each in error.messages]}
