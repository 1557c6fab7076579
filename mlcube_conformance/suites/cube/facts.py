"""The facts of cubes, images and runs for the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlcube_conformance.formats.loaded import LoadedCube
from mlcube_conformance.formats.main_files import MAIN_FILES, main_file
from mlcube_conformance.model import Case
from mlcube_conformance.plan.order import Comparison, Placement
from mlcube_conformance.plan.selection import CheckedPlatform
from mlcube_conformance.results.finding import Subject, message_facts
from mlcube_conformance.results.logs import log_facts
from mlcube_conformance.runners.common.content import cube_content

if TYPE_CHECKING:
    from mlcube_conformance.base.errors import ConformanceError, Violation
    from mlcube_conformance.checks.promised import Metric
    from mlcube_conformance.model import Cube
    from mlcube_conformance.results.pictures import Pictures
    from mlcube_conformance.suites.cube.task_run import TaskRun

__all__ = [
    "cube_facts",
    "error_facts",
    "platform_facts",
    "run_facts",
    "subject_of",
]


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
        return Subject(
            kind="platform",
            id=subject.id,
            cube=subject.cube_id,
            platform=subject.platform_id,
        )
    if isinstance(subject, LoadedCube):
        return Subject(kind="cube", id=subject.cube.id, cube=subject.cube.id)
    return Subject(kind="")


def cube_facts(cube: Cube) -> dict[str, Any]:
    """Return what a cube is, with a hash of all its files except its workspace."""
    try:
        content = cube_content(cube.root)
    except (OSError, ValueError):
        content = None  # Its definitions say what is wrong.
    return {
        "id": cube.id,
        "name": cube.name,
        "version": cube.version,
        "root": str(cube.root),
        "file": str(main_file(cube.place) or cube.root / MAIN_FILES[0]),
        "tasks": {each.name: str(each.file) for each in cube.invocations},
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


def run_facts(run: TaskRun, pictures: Pictures) -> dict[str, Any]:
    """Return how a task ended, the end of its logs, and what it made.

    Args:
        run: How it ended.
        pictures: Takes the pictures that it made.
    """
    result = run.ended
    return {
        "exit_code": result.exit_code,
        "timed_out": result.timed_out,
        "over": result.over,
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
        "logs": [
            log_facts("stdout", result.stdout, good=run.is_sound),
            log_facts("stderr", result.stderr, good=run.is_sound),
        ],
        "metrics": [_metric_facts(each) for each in run.metrics],
        "pictures": [
            picture
            for each in run.outputs
            for picture in pictures.of(
                each.binding.parameter.name, each.path, each.after
            )
        ],
    }


def _metric_facts(metric: Metric) -> dict[str, Any]:
    rule = metric.promise.rule
    limits = {
        key: rule[key]
        for key in ("at_least", "at_most", "equal")
        if isinstance(rule.get(key), (int, float))
    }
    return {
        "output": metric.promise.output,
        "file": str(rule.get("file", "")),
        "path": str(rule.get("path", "")),
        "value": metric.value,
        **limits,
    }


def error_facts(error: Violation | ConformanceError) -> dict[str, Any]:
    """Return why something could not be done, and whose fault that is."""
    fault = "cube" if isinstance(error, AssertionError) else "machine"
    return {"fault": fault, "messages": [*map(message_facts, error.messages)]}
