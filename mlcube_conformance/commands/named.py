"""What a runner's command line names: a cube and a platform, read and checked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError
from mlcube_conformance.base.files import is_folder, is_plain_file, is_there
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.commands.said import say
from mlcube_conformance.formats.cubes import cube_folder
from mlcube_conformance.formats.platforms import find_platform, load_platform

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlcube_conformance.formats.loaded import LoadedCube
    from mlcube_conformance.model import Cube, Platform

__all__ = ["checked_cube", "folder_of_cube", "not_there", "read_platform", "refuse"]


def folder_of_cube(mlcube: str) -> Path:
    """Return the folder of a cube, which may be named by its main file."""
    path = given_path(mlcube, "--mlcube")
    folder = cube_folder(path)
    if folder is None:
        raise not_there("--mlcube", path, "the folder of a cube, or its mlcube.yaml")
    return folder


def checked_cube(loaded: LoadedCube, build_context: str | None) -> Cube:
    """Return a cube whose files are right, to be built in another folder if asked."""
    refuse(loaded.problems)
    for warning in loaded.warnings:
        say(f"warning: {warning}")
    cube = loaded.cube
    if build_context is None:
        return cube
    context, old = given_path(build_context, "--build-context"), cube.docker
    if not is_folder(context):
        raise not_there("--build-context", context, "a folder")
    inside = old.file.is_relative_to(old.context)
    file = context / old.file.relative_to(old.context) if inside else old.file
    return replace(cube, docker_build=replace(old, file=file, context=context))


def read_platform(name: str, cube: Cube, kind: str) -> Platform:
    """Return a platform for a cube, by its name or its file.

    Raises:
        UsageError: Its file is invalid, or for another kind.
    """
    platform, problems = load_platform(find_platform(name, cube), cube)
    refuse(problems)
    if platform is None or platform.kind != kind:
        raise UsageError(
            Message(
                what=f"the platform file is not for {kind}",
                where=name,
                found=f"a platform of the kind {platform.kind if platform else '?'}",
                expected=f"the kind {kind}",
                do=f"give a platform file for {kind}",
            )
        )
    return platform


def refuse(problems: Sequence[Message]) -> None:
    """Refuse files that are not valid, before anything is started."""
    if problems:
        raise UsageError(*problems)


def not_there(option: str, path: Path, expected: str) -> UsageError:
    """Return the refusal of a path that is not what an option takes."""
    return UsageError(
        Message(
            what=f"the path of {option} does not exist",
            where=str(path),
            found="a file" if is_plain_file(path) else _found(path),
            expected=expected,
            do="fix the path",
        )
    )


def _found(path: Path) -> str:
    if is_folder(path):
        return "a folder"
    return "a broken link, a pipe or a device" if is_there(path) else "nothing"
