"""Writes a cube as one of one file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.files import is_folder, is_there
from mlcube_conformance.convert.writing import (
    copies_files,
    copy_folder,
    write_yaml,
)
from mlcube_conformance.runners.docker.about import OFFER as DOCKER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlcube_conformance.model import Cube, Invocation, Platform

__all__ = ["write_single_file"]

#: Those that a single-file cube has as keys of its own.
_KEYS = ("network", "gpus", "memory", "cpuset_cpus", "security_opt")


def write_single_file(
    cube: Cube, platforms: Sequence[Platform], target: Path
) -> list[str]:
    """Write a cube as `write_multi_file` does, in the other format."""
    notes = []
    content: dict[str, Any] = {"name": cube.name, "version": cube.version}
    for platform in platforms:
        if platform.kind == "docker":
            content["docker"] = _docker_section(platform)
        elif platform.kind == "singularity":
            section, note = _singularity_section(cube, platform)
            if section:
                content["singularity"] = section
            notes += note
    content["tasks"] = {each.task.name: _task(each) for each in cube.invocations}
    write_yaml(target / "mlcube.yaml", content, schema="mlcube")
    if is_folder(cube.docker.context):
        copy_folder(cube.docker.context, target / "build")
    return notes


def _docker_section(platform: Platform) -> dict[str, Any]:
    options = dict(platform.options)
    section: dict[str, Any] = {
        "image": platform.image,
        "build_context": "build",
        "build_file": "Dockerfile",
        "build_strategy": "auto",
    }
    for name in _KEYS:
        if name in options:
            section[DOCKER.written[name]] = options.pop(name)
    words = DOCKER.run_args(options)
    if words:
        section["cpu_args"] = section["gpu_args"] = " ".join(words)
    return section


def _singularity_section(
    cube: Cube, platform: Platform
) -> tuple[dict[str, Any], list[str]]:
    """Return the section, or nothing and why: paths in a recipe start elsewhere."""
    recipe = cube.singularity.file
    if copies_files(cube):
        note = (
            f"{cube.shown(recipe)} copies files, from another folder than this format "
            "would: the image is made from the Dockerfile instead"
        )
        return {}, [note]
    options = platform.options
    folder, name = os.path.split(platform.image)
    whole = platform.image.startswith(("/", "$", "~"))
    section: dict[str, Any] = {"image": platform.image}
    if not whole:
        section = {"image": name, "image_dir": f"$WORKSPACE/{folder}".rstrip("/")}
    if is_there(recipe):
        section["build_file"] = "build/Singularity.recipe"
    if "command" in options:
        section["singularity"] = options["command"]
    if "writable_tmpfs" in options:
        section["run_args"] = "--writable-tmpfs"
    if "gpus" in options:
        section["--nv"] = True
    if options.get("network"):
        section["--network"] = options["network"]
    return section, []


def _relative(value: str) -> str:
    """Return a value without its reference to the workspace."""
    for start in ("$WORKSPACE/", "${WORKSPACE}/"):
        value = value.removeprefix(start)
    return value


def _task(invocation: Invocation) -> dict[str, Any] | None:
    parameters: dict[str, Any] = {}
    for key, role in (("inputs", "input"), ("outputs", "output")):
        declared = {
            each.parameter.name: {
                "type": each.parameter.kind,
                "default": _relative(each.value),
            }
            for each in invocation.bindings
            if each.parameter.role == role
        }
        if declared:
            parameters[key] = declared
    return {"parameters": parameters} if parameters else None
