"""`mlcube-conformance list`: the cubes below folders, their tasks and platforms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from mlcube_conformance.base.homes import current_folder
from mlcube_conformance.base.text import visible
from mlcube_conformance.commands.output import refusing, show
from mlcube_conformance.formats.cube_places import cube_places
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.main_files import main_file
from mlcube_conformance.runners.common.recipes import made_for

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["list_cubes"]

_FOLDER = "platform"


@click.command("list", short_help="List cubes with their tasks and platforms.")
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_cubes(*, paths: tuple[str, ...], as_json: bool) -> None:
    """List the cubes at and below folders, their tasks, and where they can run.

    A PATH is a cube, a pattern, or a folder to search; the default is the current
    folder. Nothing of a cube is run.

    Example: mlcube-conformance list examples
    """
    with refusing():
        places = cube_places(paths or (".",), "PATH", search=True)
        found = [_facts(each) for each in places]
        if as_json:
            show(json.dumps(found, indent=2) + "\n")
        else:
            show("\n".join(map(_text, found)))


def _facts(place: Path) -> dict[str, Any]:
    read = load_cube(place, "")
    cube = read.cube
    root, here = cube.root, current_folder()
    known = main_file(place) or place
    return {
        "path": str(root.relative_to(here) if root.is_relative_to(here) else root),
        "file": known.name,
        "name": cube.name or root.name,
        "tasks": [each.name for each in cube.invocations],
        "platforms": [*made_for(cube)],
        "files": sorted(each.name for each in (root / _FOLDER).glob("*.yaml")),
        "problems": len(read.problems),
    }


def _text(found: dict[str, Any]) -> str:
    lines = {
        "tasks": ", ".join(found["tasks"]) or "none can be read",
        "runs on": ", ".join(found["platforms"]) or "no platform that is known here",
        "platform/": ", ".join(found["files"]),
        "problems": f"{found['problems']}: mlcube-conformance validate {found['path']}"
        if found["problems"]
        else "",
    }
    shown = "".join(
        f"  {name + ':':<11}{visible(text)}\n" for name, text in lines.items() if text
    )
    return f"{visible(found['path'])} ({visible(found['name'])})\n{shown}"
