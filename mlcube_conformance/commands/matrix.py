"""`mlcube-conformance matrix`: the jobs that test cubes in a CI, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from mlcube_conformance.base.errors import Message, UsageError
from mlcube_conformance.base.files import is_no_utf8, resolved
from mlcube_conformance.base.git import changes_since
from mlcube_conformance.base.homes import current_folder, given_path
from mlcube_conformance.base.paths import shown_in
from mlcube_conformance.base.text import plain_json, visible
from mlcube_conformance.commands.output import refusing, show
from mlcube_conformance.commands.said import tell
from mlcube_conformance.formats.cube_places import cube_places
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.main_files import folder_and_name
from mlcube_conformance.formats.platforms import find_platform
from mlcube_conformance.plan.jobs import (
    Job,
    changed_cubes,
    folders_of,
    names_of,
    shards_of,
)
from mlcube_conformance.runners.about import about, preferred
from mlcube_conformance.runners.common.recipes import is_made_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlcube_conformance.model import Cube

__all__ = ["matrix"]

#: Characters of a name in the list of jobs.
_LONGEST = 100


@click.command(short_help="Print the jobs that test cubes in a CI, as JSON.")
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@click.option(
    "--platform",
    "platforms",
    metavar="NAME",
    multiple=True,
    help="Platform of the jobs (repeatable; default: docker and singularity).",
)
@click.option(
    "--changed-since",
    "ref",
    metavar="REF",
    help="Only cubes in which a file changed since this commit.",
)
@click.option(
    "--shared",
    metavar="PATH",
    multiple=True,
    help="File or folder whose change concerns all cubes (repeatable).",
)
@click.option(
    "--shards",
    metavar="N",
    type=click.IntRange(min=1),
    help="Number of jobs at most, each for several cubes.",
)
@click.option(
    "--shard",
    metavar="K",
    type=click.IntRange(min=1),
    help="With --shards: only job K, which may be empty.",
)
def matrix(
    *,
    paths: tuple[str, ...],
    platforms: tuple[str, ...],
    ref: str | None,
    shared: tuple[str, ...],
    shards: int | None,
    shard: int | None,
) -> None:
    """Print one job for each cube and platform, for the matrix of a workflow.

    A PATH is a cube, a pattern, or a folder to search; the default is the current
    folder. A cube has a job for each container platform that it is made for.
    Nothing of a cube is run.

    Example: mlcube-conformance matrix cubes --changed-since origin/main --shards 4
    """
    with refusing():
        if shard is not None and (shards is None or shard > shards):
            raise _no_such_shard(shard, shards)
        places = cube_places(paths or (".",), "PATH", search=True)
        read = [load_cube(each, folder_and_name(each)[0].name) for each in places]
        kinds = {
            each.cube.place: _platforms_of(
                each.cube, platforms, is_broken=bool(each.problems)
            )
            for each in read
        }
        _refuse_unknown(platforms, [each.cube for each in read], kinds.values())
        cubes: Iterable[Cube] = [each.cube for each in read]
        if ref is not None:
            cubes = _changed(cubes, ref, shared)
        named = {_path_of(each): each for each in cubes}
        names = names_of({path: each.name for path, each in named.items()})
        jobs = [
            Job(cube=path, platform=platform)
            for path, cube in named.items()
            for platform in kinds[cube.place]
        ]
        show(_json(_entries(jobs, names, shards, shard)))


def _platforms_of(
    cube: Cube, asked: Sequence[str], *, is_broken: bool
) -> tuple[str, ...]:
    """Return the platforms of a cube's jobs.

    What cannot be read, or says nothing of an image, has a job that tells so.
    """
    wanted = dict.fromkeys(asked or _containers())
    found = tuple(each for each in wanted if _can_run(cube, each))
    return found or (tuple(wanted)[:1] if is_broken or not asked else ())


def _containers() -> list[str]:
    found = [(each, about(each)) for each in preferred()]
    return [name for name, kind in found if kind is not None and kind.isolates]


def _can_run(cube: Cube, platform: str) -> bool:
    if platform in preferred():
        return is_made_for(cube, platform)
    try:
        find_platform(platform, cube)
    except UsageError:
        return False
    return True


def _refuse_unknown(
    asked: Iterable[str], cubes: Sequence[Cube], found: Iterable[tuple[str, ...]]
) -> None:
    """Refuse a platform that no cube has, as a misspelt one.

    Raises:
        UsageError: There is one.
    """
    used = {name for each in found for name in each}
    for each in asked:
        if each not in used and each not in preferred():
            find_platform(each, cubes[0])


def _changed(cubes: Iterable[Cube], ref: str, shared: Iterable[str]) -> Iterable[Cube]:
    """Return the cubes that changed; all of them where this cannot be known.

    Raises:
        UsageError: git knows nothing of one.
    """
    every = [given_path(each, "--shared") for each in shared]
    changes = changes_since(ref, current_folder())
    if changes.unknown:
        tell(f"all cubes: {visible(changes.unknown)}\n")
        return cubes
    for each in cubes:
        if not any(x.is_relative_to(changes.top) for x in folders_of(each)):
            raise _outside(each)
    for place in map(resolved, every):
        if any(file.is_relative_to(place) for file in changes.files):
            shown = shown_in(current_folder(), place)
            tell(f"all cubes: {visible(str(shown))} changed\n")
            return cubes
    return changed_cubes(cubes, changes.files)


def _path_of(cube: Cube) -> str:
    path = str(shown_in(current_folder(), cube.place))
    # What begins with ~ would be read as a home.
    path = f"./{path}" if path.startswith("~") else path
    if is_no_utf8(path):
        raise UsageError(
            Message(
                what="the path of a cube cannot be written as JSON",
                where=visible(path),
                found="a byte that is not UTF-8",
                expected="a path in UTF-8",
                do="rename the folder",
            )
        )
    return path


def _entries(
    jobs: Sequence[Job], names: dict[str, str], shards: int | None, shard: int | None
) -> list[dict[str, Any]]:
    if shards is None:
        return [
            {**_entry(each), "name": _shown(f"{names[each.cube]} on {each.platform}")}
            for each in jobs
        ]
    packed = shards_of(jobs, shards)
    return [
        {
            "shard": number,
            "name": f"shard {number} of {len(packed)}",
            "jobs": [*map(_entry, part)],
        }
        for number, part in enumerate(packed, 1)
        if shard in {None, number}
    ]


def _entry(job: Job) -> dict[str, str]:
    return {"cube": job.cube, "platform": job.platform}


def _shown(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _json(entries: list[dict[str, Any]]) -> str:
    """Return one line of ASCII, which no name can end or turn into a command."""
    return plain_json(json.dumps({"include": entries})) + "\n"


def _outside(cube: Cube) -> UsageError:
    return UsageError(
        Message(
            what="the cube is not in the git work tree of the current folder",
            where=str(cube.place),
            found="a folder that git knows nothing of",
            expected="a cube of this clone",
            do="run in the clone of the cube, or omit --changed-since",
        )
    )


def _no_such_shard(shard: int, shards: int | None) -> UsageError:
    return UsageError(
        Message(
            what="there is no such shard",
            where="--shard",
            found=str(shard),
            expected="the number of a shard, at most that of --shards"
            if shards is None
            else f"a number from 1 to {shards}",
            do="give --shards N" if shards is None else "fix the number",
        )
    )
