"""Writes a cube as one of several files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import refusal
from mlcube_conformance.base.files import is_folder, is_there
from mlcube_conformance.base.names import FOLDER
from mlcube_conformance.convert.writing import copy_folder, put, write_yaml
from mlcube_conformance.formats.problems import is_version
from mlcube_conformance.formats.promises import PROMISES
from mlcube_conformance.plan.mounts import host_path, is_file
from mlcube_conformance.runners.about import about, offer_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from mlcube_conformance.model import Binding, Cube, Invocation, Platform

__all__ = ["write_multi_file"]

_SCHEMA = "schema_version"
#: What is in a cube beside what its image is made from.
_NOT_BUILT = (".git", FOLDER, "workspace", "mlcube.yaml", PROMISES)


def write_multi_file(
    cube: Cube, platforms: Sequence[Platform], target: Path
) -> list[str]:
    """Write the files of a cube, except its workspace, into an empty folder.

    Args:
        cube: The cube, read without a problem.
        platforms: Those that go with it.
        target: The folder.

    Returns:
        What was written otherwise than it was, in sentences.
    """
    notes = []
    version = cube.version
    if not is_version(version):
        notes.append(
            f"the version {version!r} is invalid in this format: 0.0.0 is used"
        )
        version = "0.0.0"
    tasks = {each.task.name: each for each in cube.invocations}
    write_yaml(
        target / "mlcube.yaml",
        {
            "schema_type": "mlcube_root",
            _SCHEMA: "1.0.0",
            "name": cube.name,
            "author": "unknown",
            "version": version,
            "mlcube_spec_version": "0.1.0",
            "tasks": [f"tasks/{name}.yaml" for name in tasks],
        },
        schema="mlcube",
    )
    for name, each in tasks.items():
        _write_task(target / "tasks" / f"{name}.yaml", each, cube.workspace)
        _write_run(target / "run" / f"{name}.yaml", each)
    for platform in platforms:
        _write_platform(target / "platform" / f"{platform.id}.yaml", platform)
    docker = cube.platforms.get("docker")
    if docker is not None and docker.strategy == "always":
        notes.append("images are built when what they are made of changes, not always")
    _copy_build(
        cube, target / "build", pulled=bool(docker and docker.strategy == "pull")
    )
    return notes


def _write_task(file: Path, invocation: Invocation, workspace: Path) -> None:
    def declared(bindings: Iterable[Binding]) -> list[dict[str, str]]:
        return [
            {"name": each.parameter.name, "type": _kind(each, workspace)}
            for each in bindings
        ]

    write_yaml(
        file,
        {
            "schema_type": "mlcube_task",
            _SCHEMA: "1.0.0",
            "inputs": declared(invocation.bound("input")),
            "outputs": declared(invocation.bound("output")),
        },
        schema="task",
    )


def _kind(binding: Binding, workspace: Path) -> str:
    """Return the type of a parameter; one that is not declared is on the disk."""
    if binding.parameter.kind != "unknown":
        return binding.parameter.kind
    if not is_there(host_path(binding, workspace)):
        raise refusal(
            what=f"the type of {binding.parameter.name!r} is unknown",
            where=str(binding.source),
            found=f"nothing at {binding.value}",
            expected="a type, or the file or folder itself",
            do="write type: file or type: directory",
        )
    return "file" if is_file(binding, workspace) else "directory"


def _write_run(file: Path, invocation: Invocation) -> None:
    def values(bindings: Iterable[Binding]) -> dict[str, str]:
        return {each.parameter.name: _absolute(each.value) for each in bindings}

    write_yaml(
        file,
        {
            "schema_type": "mlcube_invoke",
            _SCHEMA: "1.0.0",
            "task_name": invocation.task.name,
            "input_binding": values(invocation.bound("input")),
            "output_binding": values(invocation.bound("output")),
        },
        schema="run",
    )


def _absolute(value: str) -> str:
    """Return a value as it means the same to every runner of this format."""
    path = value.rstrip("/") or value
    return path if path.startswith(("/", "~", "$")) else f"$WORKSPACE/{path}"


def _write_platform(file: Path, platform: Platform) -> None:
    container: dict[str, str] = {"image": platform.image}
    options = {**platform.without_gpus, **platform.options}
    for key in ("runtime", "command"):
        if key in options:
            container[key] = options.pop(key)
    words = offer_of(platform.kind).run_args(options)
    if words:
        container["run_args"] = " ".join(words)
    kind = about(platform.kind)
    version = platform.version or (kind.versions if kind else "")
    write_yaml(
        file,
        {
            "schema_type": "mlcube_platform",
            _SCHEMA: "0.1.0",
            "platform": {"name": platform.kind, "version": version},
            "container": container,
        },
        schema="platform",
    )


def _copy_build(cube: Cube, target: Path, *, pulled: bool) -> None:
    context, dockerfile = cube.docker.context, cube.docker.file
    if is_folder(context):
        inside = cube.root.is_relative_to(context)
        own = (cube.definition,) if cube.definition else ()
        copy_folder(context, target, (*_NOT_BUILT, *own) if inside else ())
    if pulled:
        (target / "Dockerfile").unlink(missing_ok=True)
    elif is_there(dockerfile) and dockerfile != context / "Dockerfile":
        put(dockerfile, target / "Dockerfile", context, cube.root)
    if is_there(cube.singularity.file):
        put(cube.singularity.file, target / "Singularity.recipe", cube.root)
