"""Writes a probe cube in one of the formats."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.formats.runner_description import Format
    from mlcube_conformance.suites.runner.probe.cube import (
        ProbeCube,
        ProbeParameter,
        ProbeTask,
    )

__all__ = ["Site", "write_cube"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What all probe cubes of a session share."""

    sources: Path
    """Folder with `probe.sh` and `Dockerfile`."""
    base_image: str
    images: Path
    """Folder of the image files of Singularity."""
    kind: str
    """Name of a platform beside those that are always written; "" for none."""

    def sif(self, image: str) -> Path:
        """Return the image file that stands for an image of Docker."""
        return self.images / f"{re.sub('[^a-z0-9-]', '-', image)}.sif"


def write_cube(cube: ProbeCube, root: Path, form: Format, site: Site) -> None:
    """Write a cube into a folder that does not exist yet."""
    _write_build(cube, root / "build", site)
    (root / "workspace").mkdir()
    if form == "multi-file":
        _write_multi_file(cube, root, site)
    else:
        _write_single_file(cube, root, site)
    _write_workspace(cube, root / "workspace")
    for change in cube.changes:
        _change(root / change.path, change.make)


def _change(path: Path, make: object) -> None:
    if callable(make):
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        # Ends of lines are part of what a change may be about.
        _write(path, make(old))
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    content = text.encode()
    try:
        path.write_bytes(content)
    except FileNotFoundError:  # of the first file in a folder
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _write_build(cube: ProbeCube, build: Path, site: Site) -> None:
    build.mkdir(parents=True)
    script = (site.sources / "probe.sh").read_text(encoding="utf-8")
    for name in ("probe.sh", "probe"):
        _write(build / name, script)
        (build / name).chmod(0o755)
    _write(build / "context.txt", cube.context)
    recipe = (site.sources / "Dockerfile").read_text(encoding="utf-8")
    recipe = recipe.replace(
        "BASE_IMAGE=busybox:stable", f"BASE_IMAGE={site.base_image}"
    )
    _write(build / "Dockerfile", recipe + cube.recipe)


def _write_workspace(cube: ProbeCube, workspace: Path) -> None:
    for task in cube.tasks:
        if not task.bare:
            _write(workspace / f"plan-{task.name}/plan.txt", cube.plan_of(task.name))
    for name, text in cube.workspace.items():
        if text is None:
            (workspace / name).mkdir(parents=True, exist_ok=True)
        else:
            _write(workspace / name, text)


def _quoted(value: object) -> str:
    # JSON is YAML, and quotes whatever needs it.
    return json.dumps(value, ensure_ascii=False)


def _write_multi_file(cube: ProbeCube, root: Path, site: Site) -> None:
    listed = [f"tasks/{each.name}.yaml" for each in cube.tasks if each.listed]
    lines = [
        "schema_type: mlcube_root",
        "schema_version: 1.0.0",
        "name: conformance-probe",
        "author: mlcube-conformance",
        "version: 1.0.0",
        "mlcube_spec_version: 0.1.0",
        "tasks:",
        *(f"  - {each}" for each in listed),
    ]
    _write(root / "mlcube.yaml", _text(lines))
    for task in cube.tasks:
        _write(root / f"tasks/{task.name}.yaml", _task_file(task))
        run_file = task.run_file or task.name
        _write(root / f"run/{run_file}.yaml", _run_file(task))
    images = {
        "docker": cube.image,
        "singularity": str(site.sif(cube.image)),
        "local": "",
    }
    if site.kind not in images and site.kind:
        images[site.kind] = cube.image
    for kind, image in images.items():
        _write(root / f"platform/{kind}.yaml", _platform_file(kind, image))


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _task_file(task: ProbeTask) -> str:
    lines = ["schema_type: mlcube_task", "schema_version: 1.0.0"]
    for role in ("input", "output"):
        declared = [
            f"  - {{name: {each.name}, type: {each.kind}}}"
            for each in task.all_parameters
            if each.role == role and each.declared
        ]
        lines += [f"{role}s:", *declared] if declared else [f"{role}s: []"]
    return _text(lines)


def _run_file(task: ProbeTask) -> str:
    lines = [
        "schema_type: mlcube_invoke",
        "schema_version: 1.0.0",
        f"task_name: {task.name}",
    ]
    for role in ("input", "output"):
        bound = [
            f"  {each.name}: {_multi_value(each)}"
            for each in task.all_parameters
            if each.role == role and each.value is not None
        ]
        key = f"{role}_binding"
        lines += [f"{key}:", *bound] if bound else [f"{key}: {{}}"]
    return _text(lines)


def _multi_value(parameter: ProbeParameter) -> str:
    if parameter.raw or not isinstance(parameter.value, str):
        return _quoted(parameter.value)
    return _quoted(f"$WORKSPACE/{parameter.value}")


def _platform_file(kind: str, image: str) -> str:
    lines = [
        "schema_type: mlcube_platform",
        "schema_version: 1.0.0",
        f'platform: {{name: {kind}, version: ">=0"}}',
    ]
    if image:
        lines.append(f"container: {{image: {_quoted(image)}}}")
    return _text(lines)


def _write_single_file(cube: ProbeCube, root: Path, site: Site) -> None:
    section = {
        "image": cube.image,
        "build_context": "build",
        "build_file": "Dockerfile",
        "build_strategy": "auto",
        **({"docker": cube.executable} if cube.executable else {}),
        **cube.section,
    }
    of_singularity = [f"  singularity: {_quoted(cube.executable)}"]
    lines = [
        "name: conformance-probe",
        "description: writes down what a runner gives it",
        "authors:",
        "  - {name: mlcube-conformance}",
        "docker:",
        *(f"  {key}: {_quoted(value)}" for key, value in section.items()),
        "singularity:",
        f"  image: {_quoted(site.sif(cube.image).name)}",
        f"  image_dir: {_quoted(str(site.images))}",
        *(of_singularity if cube.executable else []),
        "tasks:",
    ]
    for task in cube.tasks:
        if task.listed:
            lines += _single_task(task)
    _write(root / "mlcube.yaml", _text(lines))


def _single_task(task: ProbeTask) -> list[str]:
    body: list[str] = []
    if task.entrypoint is None:
        body.append("    entrypoint:")
    elif task.entrypoint:
        body.append(f"    entrypoint: {_quoted(task.entrypoint)}")
    if task.all_parameters:
        body.append("    parameters:")
    for role in ("input", "output"):
        found = [
            f"        {each.name}: {_single_value(each)}"
            for each in task.all_parameters
            if each.role == role
        ]
        if found:
            body += [f"      {role}s:", *found]
    return [f"  {task.name}:", *body]


def _single_value(parameter: ProbeParameter) -> str:
    parts = {
        "type": parameter.kind,
        "default": parameter.value,
        "opts": parameter.opts,
    }
    kept = {key: value for key, value in parts.items() if value not in ("", None)}
    return _quoted(kept)
