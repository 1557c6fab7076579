"""Writes a cube in another format than the one it was read from."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import yaml

from mlcube_conformance.errors import Message, UsageError
from mlcube_conformance.loader.cubes import load_cube
from mlcube_conformance.loader.fields import is_version
from mlcube_conformance.loader.multi_file import main_file
from mlcube_conformance.loader.platforms import load_platform
from mlcube_conformance.loader.promises import PROMISES
from mlcube_conformance.model import PlatformFile
from mlcube_conformance.mounts import host_path, is_file
from mlcube_conformance.workspace import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mlcube_conformance.model import Binding, Cube, Invocation, Platform

__all__ = ["convert_cube"]

_SCHEMA = "schema_version"
#: What lies in a cube beside what its image is made from.
_NOT_BUILT = shutil.ignore_patterns(
    ".git", ".mlcube-conformance", "workspace", "mlcube.yaml", PROMISES
)
#: Options of a platform, and the flags of `docker run` that ask for them.
_FLAGS = {
    "network": "--network",
    "gpus": "--gpus",
    "shm_size": "--shm-size",
    "memory": "--memory",
    "ipc": "--ipc",
    "cpuset_cpus": "--cpuset-cpus",
    "security_opt": "--security-opt",
}
#: Those that a single-file cube has as keys of its own.
_KEYS = ("network", "gpus", "memory", "cpuset_cpus", "security_opt")


def convert_cube(given: Path, target: Path) -> list[str]:
    """Write a cube of one file as one of several files, or the other way round.

    Args:
        given: Folder of the cube, or its main file.
        target: Folder that is not there yet, or empty.

    Returns:
        What was written otherwise than it was, in sentences.

    Raises:
        UsageError: There is no such cube, it is broken, the other format cannot say
            what it says, or the folder is in use.
    """
    folder = given.parent if given.is_file() else given
    root, target = folder.absolute(), target.absolute()
    _refuse_target(root, target)
    loaded = load_cube(root, root.name)
    if loaded.problems:
        raise UsageError(*loaded.problems)
    cube = loaded.cube
    platforms, single = _platforms(cube), _is_single(cube)
    missing = _beyond_files(cube, platforms) if single else _beyond_tasks(cube)
    if missing:
        raise UsageError(
            Message(
                what=f"the cube {cube.id!r} says what the other format cannot say",
                where=str(cube.root),
                found="\n".join(missing),
                expected="what both formats know",
                do="keep the cube as it is, or remove what the other format lacks",
            )
        )
    make_folder(target)
    write = _write_multi_file if single else _write_single_file
    notes = write(cube, platforms, target)
    if cube.workspace.is_dir():
        shutil.copytree(cube.workspace, target / "workspace", symlinks=True)
    if (cube.root / PROMISES).is_file():
        shutil.copy2(cube.root / PROMISES, target / PROMISES)
    return notes


def _refuse_target(root: Path, target: Path) -> None:
    if not root.is_dir():
        raise UsageError(
            Message(
                what="there is no cube to convert",
                where=str(root),
                found="no such folder",
                expected="a folder with mlcube.yaml",
                do="mend the path",
            )
        )
    used = target.exists() and (not target.is_dir() or any(target.iterdir()))
    if used or target.is_relative_to(root):
        raise UsageError(
            Message(
                what="the folder for the new cube is in use",
                where=str(target),
                found="a folder in the cube itself"
                if target.is_relative_to(root)
                else "a folder with files in it"
                if target.is_dir()
                else "a file",
                expected="a folder elsewhere that is empty, or not there yet",
                do="name another folder",
            )
        )


def _is_single(cube: Cube) -> bool:
    main = main_file(cube.root)
    return all(each.file == main for each in cube.invocations)


def _platforms(cube: Cube) -> list[Platform]:
    """Return the platforms that go with a cube: containers on this machine.

    Raises:
        UsageError: One of them is broken.
    """
    if cube.platforms:
        return list(cube.platforms.values())
    found = []
    for folder in ("platform", "platforms"):
        for file in sorted((cube.root / folder).glob("*.yaml")):
            platform, problems = load_platform(PlatformFile(path=file), cube)
            if problems:
                raise UsageError(*problems)
            if platform is not None and platform.kind in {"docker", "singularity"}:
                found.append(platform)
    return found


def _beyond_tasks(cube: Cube) -> list[str]:
    """Return what a cube of several files says and one file cannot."""
    tasks = [each.task.name for each in cube.invocations]
    return [
        f"the task {name!r} has several run files: a task has one set of values"
        for name in dict.fromkeys(tasks)
        if tasks.count(name) > 1
    ]


def _beyond_files(cube: Cube, platforms: Sequence[Platform]) -> list[str]:
    """Return what a cube of one file says and several files cannot."""
    found = [
        f"the task {each.task.name!r} has an entrypoint of its own"
        for each in cube.invocations
        if each.task.entrypoint
    ]
    found += [
        f"the input {binding.parameter.name!r} of {each.task.name!r} is to be writable"
        for each in cube.invocations
        for binding in each.bound("input")
        if binding.parameter.access == "rw"
    ]
    for each in platforms:
        extras = {
            "variables for tasks": each.environment,
            "build arguments": each.build_args,
            "flags that depend on GPUs": each.with_gpus != each.without_gpus,
            "an image in place of a recipe": each.base,
        }
        found += [f"{each.id} has {what}" for what, given in extras.items() if given]
    return found


def _write(file: Path, content: Mapping[str, Any]) -> None:
    make_folder(file.parent)
    text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
    file.write_text(text, encoding="utf-8")


def _write_multi_file(
    cube: Cube, platforms: Sequence[Platform], target: Path
) -> list[str]:
    notes = []
    version = cube.version
    if not is_version(version):
        notes.append(f"the version {version!r} is none of this format: 0.0.0 stands")
        version = "0.0.0"
    tasks = {each.task.name: each for each in cube.invocations}
    _write(
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
    )
    for name, each in tasks.items():
        _write_task(target / "tasks" / f"{name}.yaml", each, cube.workspace)
        _write_run(target / "run" / f"{name}.yaml", each)
    for platform in platforms:
        _write_platform(target / "platform" / f"{platform.id}.yaml", platform)
    pulled = any(each.strategy == "pull" for each in platforms)
    if not pulled:
        _copy_build(cube, target / "build")
    return notes


def _write_task(file: Path, invocation: Invocation, workspace: Path) -> None:
    def declared(bindings: Iterable[Binding]) -> list[dict[str, str]]:
        return [
            {"name": each.parameter.name, "type": _kind(each, workspace)}
            for each in bindings
        ]

    _write(
        file,
        {
            "schema_type": "mlcube_task",
            _SCHEMA: "1.0.0",
            "inputs": declared(invocation.bound("input")),
            "outputs": declared(invocation.bound("output")),
        },
    )


def _kind(binding: Binding, workspace: Path) -> str:
    """Return the type of a parameter; one that is not declared lies on the disk."""
    if binding.parameter.kind != "unknown":
        return binding.parameter.kind
    if not host_path(binding, workspace).exists():
        raise UsageError(
            Message(
                what=f"the type of {binding.parameter.name!r} cannot be told",
                where=str(binding.source),
                found=f"nothing at {binding.value}",
                expected="a type, or the file or folder itself",
                do="write type: file or type: directory",
            )
        )
    return "file" if is_file(binding, workspace) else "directory"


def _write_run(file: Path, invocation: Invocation) -> None:
    def values(bindings: Iterable[Binding]) -> dict[str, str]:
        return {each.parameter.name: _absolute(each.value) for each in bindings}

    _write(
        file,
        {
            "schema_type": "mlcube_invoke",
            _SCHEMA: "1.0.0",
            "task_name": invocation.task.name,
            "input_binding": values(invocation.bound("input")),
            "output_binding": values(invocation.bound("output")),
        },
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
    if platform.kind == "singularity":
        words = ["--nv"] if "gpus" in options else []
        words += ["--network none"] if options.get("network") == "none" else []
        words += ["--writable-tmpfs"] if "writable_tmpfs" in options else []
    else:
        words = [f"{_FLAGS[name]}={value}" for name, value in options.items()]
    if words:
        container["run_args"] = " ".join(words)
    version = platform.version or (">=18.01" if platform.kind == "docker" else ">=3.5")
    _write(
        file,
        {
            "schema_type": "mlcube_platform",
            _SCHEMA: "0.1.0",
            "platform": {"name": platform.kind, "version": version},
            "container": container,
        },
    )


def _copy_build(cube: Cube, target: Path) -> None:
    context = cube.docker.context
    if context.is_dir():
        inside = cube.root.is_relative_to(context)
        shutil.copytree(
            context, target, symlinks=True, ignore=_NOT_BUILT if inside else None
        )
    if cube.docker.file.is_file() and cube.docker.file != context / "Dockerfile":
        make_folder(target)
        shutil.copy2(cube.docker.file, target / "Dockerfile")
    if cube.singularity.file.is_file():
        make_folder(target)
        shutil.copy2(cube.singularity.file, target / "Singularity.recipe")


def _write_single_file(
    cube: Cube, platforms: Sequence[Platform], target: Path
) -> list[str]:
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
    _write(target / "mlcube.yaml", content)
    if cube.docker.context.is_dir():
        shutil.copytree(cube.docker.context, target / "build", symlinks=True)
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
            section[_FLAGS[name]] = options.pop(name)
    words = [f"{_FLAGS[name]}={value}" for name, value in options.items()]
    if words:
        section["cpu_args"] = section["gpu_args"] = " ".join(words)
    return section


def _singularity_section(
    cube: Cube, platform: Platform
) -> tuple[dict[str, Any], list[str]]:
    """Return the section, or nothing and why: paths in a recipe start elsewhere."""
    recipe = cube.singularity.file
    text = recipe.read_text(encoding="utf-8") if recipe.is_file() else ""
    if any(line.lower().startswith("%files") for line in text.splitlines()):
        note = (
            f"{cube.shown(recipe)} copies files, from another folder than this format "
            "would: the image is made from the Dockerfile instead"
        )
        return {}, [note]
    folder, name = os.path.split(platform.image)
    section: dict[str, Any] = {"image": name, "image_dir": folder or "$WORKSPACE"}
    if not folder.startswith(("", "$", "~", "/")):
        section["image_dir"] = f"$WORKSPACE/{folder}"
    if text:
        section["build_file"] = "build/Singularity.recipe"
    if "gpus" in platform.options:
        section["--nv"] = True
    if platform.options.get("network") == "none":
        section["--network"] = "none"
    return section, []


def _task(invocation: Invocation) -> dict[str, Any] | None:
    parameters: dict[str, Any] = {}
    for key, role in (("inputs", "input"), ("outputs", "output")):
        declared = {
            each.parameter.name: {
                "type": each.parameter.kind,
                "default": each.value.removeprefix("$WORKSPACE/"),
            }
            for each in invocation.bindings
            if each.parameter.role == role
        }
        if declared:
            parameters[key] = declared
    return {"parameters": parameters} if parameters else None
