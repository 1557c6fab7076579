"""Writes many small cubes that are sound, in either format."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PLATFORMS", "TASKS", "write_cubes"]

PLATFORMS = ("docker", "singularity")
TASKS = ("download", "prepare", "train", "evaluate", "report")

_ROOT = """\
schema_type: mlcube_root
schema_version: 1.0.0
name: {name}
author: Someone
version: 0.1.0
mlcube_spec_version: 0.1.0
tasks:
"""
_TASK = """\
schema_type: mlcube_task
schema_version: 1.0.0
inputs:
  - {name: data, type: directory}
outputs:
  - {name: made, type: directory}
"""
_RUN = """\
schema_type: mlcube_invoke
schema_version: 1.0.0
task_name: {task}
input_binding: {{data: $WORKSPACE/{before}}}
output_binding: {{made: $WORKSPACE/{task}}}
"""
_PLATFORM = """\
schema_type: mlcube_platform
schema_version: 1.0.0
platform: {{name: {kind}, version: ">=1.0"}}
container: {{image: {image}}}
"""
_SINGLE = """\
name: {name}
version: 0.1.0
docker: {{image: "example/{name}:1"}}
singularity: {{image: {name}.sif}}
tasks:
"""
_SINGLE_TASK = """\
  {task}:
    parameters:
      inputs: {{data: {before}/}}
      outputs: {{made: {task}/}}
"""


def write_cubes(folder: Path, count: int, form: str) -> None:
    """Write cubes whose tasks each read what the one before makes."""
    for index in range(count):
        name = f"cube{index:05}"
        root = folder / name
        (root / "workspace/raw").mkdir(parents=True)
        write = _write_single if form == "single-file" else _write_several
        write(root, name)


def _write_several(root: Path, name: str) -> None:
    for each in ("tasks", "run", "platform", "build"):
        (root / each).mkdir()
    listed = "".join(f"  - tasks/{task}.yaml\n" for task in TASKS)
    (root / "mlcube.yaml").write_text(_ROOT.format(name=name) + listed)
    for before, task in zip(("raw", *TASKS), TASKS, strict=False):
        (root / f"tasks/{task}.yaml").write_text(_TASK)
        run = _RUN.format(task=task, before=before)
        (root / f"run/{task}.yaml").write_text(run)
    for kind in PLATFORMS:
        image = f"example/{name}-{kind}"
        text = _PLATFORM.format(kind=kind, image=image)
        (root / f"platform/{kind}.yaml").write_text(text)
    (root / "build/Dockerfile").write_text("FROM busybox\n")


def _write_single(root: Path, name: str) -> None:
    tasks = "".join(
        _SINGLE_TASK.format(task=task, before=before)
        for before, task in zip(("raw", *TASKS), TASKS, strict=False)
    )
    (root / "mlcube.yaml").write_text(_SINGLE.format(name=name) + tasks)
