"""Reads platform files of both schemas, and finds them by name.

The first schema has one type for each runner (`mlcube_docker`: `image` and
`docker_runtime`; `mlcube_singularity`: `image`). The later one, shared by all,
has `platform.{name,version}` and `container.{image,runtime,command,run_args}`.
A file with a `host` names a place, and the platform file to be used there.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError, did_you_mean
from mlcube_conformance.base.files import is_folder, is_inside, is_there
from mlcube_conformance.base.homes import (
    given_path,
    is_of_another_user,
    is_written_as_path,
    with_home,
)
from mlcube_conformance.formats.loaded import check_path
from mlcube_conformance.formats.main_files import roots_of
from mlcube_conformance.formats.places import read_place
from mlcube_conformance.formats.platform_schemas import (
    TOP_KEYS,
    first_schema,
    first_schemas,
    later_schema,
)
from mlcube_conformance.formats.problems import Problems, TooManyProblemsError
from mlcube_conformance.model import Platform, PlatformFile
from mlcube_conformance.place import Place
from mlcube_conformance.runners.about import about, built_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlcube_conformance.formats.reading import Reading
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Cube

__all__ = [
    "find_platform",
    "load_place",
    "load_platform",
    "names_platform",
    "own_platforms",
    "shared_platforms",
]

#: The kind of a file that points to another host.
_PLACE = "ssh"


@cache
def shared_platforms() -> Path:
    """Return the folder of the platform files that serve any cube."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "platforms"
    return installed if installed.is_dir() else package.parent / "platforms"


def find_platform(name: str, cube: Cube) -> PlatformFile:
    """Return where the platform that `--platform NAME` means for a cube is described.

    That is a section of the cube's main file, a file of the cube, or our own file.

    Raises:
        UsageError: There is no such file; the message lists those there are.
    """
    if is_written_as_path(name):
        file = given_path(name, "--platform")
        if is_there(file):
            return PlatformFile(path=file)
        raise UsageError(
            Message(
                what=f"the platform file {name} does not exist",
                where=str(file),
                found="no such file",
                expected="a platform file",
                do="fix the path",
            )
        )
    own = cube.platforms.get(name)
    if own is not None:
        return own.source
    folders = (*_own_folders(cube), shared_platforms())
    for folder in folders:
        # A link that is broken is the cube's fault: ours is not taken instead.
        if is_there(folder / f"{name}.yaml"):
            return PlatformFile(path=folder / f"{name}.yaml")
    files = {Path(each).stem for each in _names_in(cube, folders)}
    known = sorted(files | set(cube.platforms))
    kind = about(name)
    raise UsageError(
        Message(
            what=f"unknown platform {name!r} for cube {cube.id!r}",
            where="--platform",
            found=name,
            expected=f"one of {', '.join(known)}, or the path of a platform file",
            do="write platform/ssh.yaml with the keys host and platform, or give the "
            "path of such\na file: docs/platforms.md has one"
            if kind is not None and kind.is_place
            else did_you_mean(_usual_name(name), known)
            or "name one of these, or write a platform file: docs/platforms.md",
        )
    )


def _usual_name(name: str) -> str:
    """Return the name of the kind that people look for by another name."""
    kinds = built_in().values()
    return next((each.kind for each in kinds if name in each.other_names), name)


def _works_at_place(kind: str) -> bool:
    known = about(kind)
    return known is not None and known.works_at_place


def _own_folders(cube: Cube) -> tuple[Path, ...]:
    return cube.root / "platform", cube.root / "platforms"


def _names_in(cube: Cube, folders: Iterable[Path]) -> set[str]:
    """Return the names of platform files, not what links among them point to."""
    return {
        each.name
        for folder in folders
        if folder not in _own_folders(cube) or is_inside(cube.root, folder)
        for each in folder.glob("*.yaml")
    }


def own_platforms(cube: Cube) -> list[PlatformFile]:
    """Return the platform files of a cube, beside the sections of its main file."""
    found = []
    for folder in _own_folders(cube):
        if is_folder(folder) and is_inside(cube.root, folder):
            names = sorted(os.listdir(folder))  # noqa: PTH208 - faster
            found += [folder / each for each in names if each.endswith(".yaml")]
    return [PlatformFile(path=each) for each in found]


def load_platform(
    file: PlatformFile, cube: Cube, reading: Reading | None = None
) -> tuple[Platform | None, tuple[Message, ...]]:
    """Read one platform file for a cube; None when its runner is unknown.

    Args:
        file: The file, or the section of the cube's main file.
        cube: The cube.
        reading: What was read already, for another cube.
    """
    if file.section:
        # What is wrong with it was reported with the rest of the cube's main file.
        return _with_cube_names(cube.platforms[file.section], cube), ()
    problems = Problems(reading)
    roots = _roots(file.path, cube)
    try:
        document = problems.read(file.path, "platform file", TOP_KEYS, *roots)
        platform = _platform(document, cube, problems) if document else None
    except TooManyProblemsError as error:
        return None, error.messages
    if platform is not None:
        limits = (*platform.limits, *problems.limits)
        platform = replace(platform, limits=tuple(dict.fromkeys(limits)))
    return platform, tuple(dict.fromkeys(problems.messages))


def _roots(file: Path, cube: Cube) -> tuple[Path, ...]:
    """Return what a platform file must stay in: its cube, unless it is the user's."""
    return (cube.root,) if file.is_relative_to(cube.root) else roots_of(file)


def _platform(document: Located, cube: Cube, problems: Problems) -> Platform | None:
    schema_type = document.get("schema_type")
    if schema_type is not None and schema_type.text() in first_schemas():
        platform = first_schema(document, schema_type.text(), problems)
    elif _is_place(document):
        platform = _at_place(document, cube, problems)
    else:
        platform = later_schema(document, problems)
    return _with_cube_names(platform, cube) if platform else None


def _is_place(document: Located) -> bool:
    """Say whether a file names a host, or means to: its platform is another file."""
    platform = document.get("platform")
    return document.get("host") is not None or bool(platform and platform.text())


def _at_place(document: Located, cube: Cube, problems: Problems) -> Platform:
    """Read a place, and the platform file to use there."""
    file = document.source.file
    empty = Platform(id=file.stem, kind=_PLACE, image="", file=file)
    before = len(problems.messages)
    place = read_place(document, problems)
    name = problems.text(document, "platform")
    if len(problems.messages) > before:
        return empty
    own = cube.platforms.get(name.removesuffix(".yaml"))
    inner = own or _inner(name, document, cube, problems)
    return _with_place(inner, file, place) if inner else empty


def _inner(
    name: str, document: Located, cube: Cube, problems: Problems
) -> Platform | None:
    """Read the platform file to use on the other host."""
    file = _find_inner(name, document, cube, problems)
    if file is None:
        return None
    found = problems.read(file, "platform file", TOP_KEYS, *_roots(file, cube))
    if found is None:
        return None
    is_place = _is_place(found)
    inner = None if is_place else _platform(found, cube, problems)
    if inner is None and not is_place:
        return None
    if inner is None or not _works_at_place(inner.kind):
        kinds = [each for each in built_in() if _works_at_place(each)]
        problems.add(
            "the other host cannot run a platform of this kind",
            document.get("platform") or document,
            found=f"{file}, of the kind {inner.kind if inner else _PLACE}",
            expected=f"a platform of the kind {' or '.join(kinds)}",
            do="name another platform file",
        )
        return None
    return inner


def _with_place(inner: Platform, file: Path, place: Place) -> Platform:
    return replace(
        inner,
        id=file.stem,
        kind=_PLACE,
        file=file,
        section="",
        place=place,
        inner=inner,
        serves_any=inner.serves_any,
    )


def _find_inner(
    name: str, document: Located, cube: Cube, problems: Problems
) -> Path | None:
    """Find a platform file in the cube, beside the file that names it, or in ours."""
    at = document.get("platform") or document
    if not check_path(name, "the platform of the other host", at, problems):
        return None
    folders = (*_own_folders(cube), document.source.file.parent)
    as_path = [folder / name for folder in (*folders, shared_platforms())]
    as_name = [each.with_name(f"{each.name}.yaml") for each in as_path if each.name]
    # A name means a platform file, whatever else has that name.
    written = is_written_as_path(name)
    tried = [*as_path, *as_name] if written else [*as_name, *as_path]
    # What a cube names is in the cube, or is ours.
    of_cube = document.source.file.is_relative_to(cube.root)
    own = of_cube or is_of_another_user(name)
    given: tuple[Path, ...] = () if own else (with_home(name),)
    allowed = (cube.root, shared_platforms())
    for each in (*given, *tried):
        if of_cube and not any(_lies_in(root, each) for root in allowed):
            continue
        if each.is_absolute() and is_there(each):
            return each
    useless = {
        each.kind
        for each in built_in().values()
        if not each.is_place and not each.works_at_place
    }
    known = {
        each
        for each in _names_in(cube, (*_own_folders(cube), shared_platforms()))
        if each != document.source.file.name and Path(each).stem not in useless
    }
    problems.add(
        f"the platform file in {document.source.file.name} does not exist",
        document.get("platform") or document,
        found=name,
        expected=f"one of {', '.join(sorted(known)) or '(none)'}, in the cube's "
        f"platform/ or beside {document.source.file}",
        do=did_you_mean(name, known) or "write the platform file, or fix the name",
    )
    return None


def _lies_in(root: Path, file: Path) -> bool:
    return Path(os.path.normpath(file)).is_relative_to(root)


def load_place(file: Path) -> tuple[Place, tuple[Message, ...]]:
    """Read the host that a platform file names, whatever cube it is for."""
    problems = Problems()
    keys = ("host", "platform")
    try:
        document = problems.read(file, "platform file", keys, *roots_of(file))
        place = read_place(document, problems) if document else Place(host="")
    except TooManyProblemsError as error:
        return Place(host=""), error.messages
    return place, tuple(dict.fromkeys(problems.messages))


def _with_cube_names(platform: Platform, cube: Cube) -> Platform:
    """Fill in what one file serves any cube by: `${name}`, `${version}`, `${place}`.

    The last is a hash of the cube's place.
    """
    # An image name knows fewer characters than a cube's name and version do.
    name = re.sub(r"[^a-z0-9]+", "-", cube.name.lower()).strip("-") or "cube"
    version = re.sub(r"[^A-Za-z0-9_.-]", "-", cube.version)
    place = hashlib.sha256(os.fsencode(cube.place)).hexdigest()[:8]
    image = platform.image.replace("${name}", name).replace("${version}", version)
    image = image.replace("${place}", place)
    serves_any = platform.file.parent == shared_platforms()
    return replace(platform, image=image, serves_any=serves_any)


def names_platform(cube: Cube, kind: str) -> bool:
    """Say whether a cube describes a platform of that name itself."""
    files = (folder / f"{kind}.yaml" for folder in _own_folders(cube))
    return kind in cube.platforms or any(map(is_there, files))
