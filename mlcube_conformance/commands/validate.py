"""The command `mlcube-conformance validate`."""

from __future__ import annotations

import gc

import click

from mlcube_conformance.base.homes import current_folder, given_path
from mlcube_conformance.base.writing import would_replace
from mlcube_conformance.commands.output import (
    refusing,
    show,
    write_file,
)
from mlcube_conformance.commands.said import tell
from mlcube_conformance.formats.cube_places import cube_places
from mlcube_conformance.formats.main_files import is_definition
from mlcube_conformance.validation.cubes import check_cube
from mlcube_conformance.validation.formats import FORMATS
from mlcube_conformance.validation.report import Report

__all__ = ["validate"]

_PATH = "PATH"


@click.command(short_help="Find problems in the files of cubes, without a run.")
@click.argument("paths", metavar=f"[{_PATH}...]", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default=next(iter(FORMATS)),
    show_default=True,
    help="Form of the report.",
)
@click.option("--output", metavar="FILE", help="Output file (default: the terminal).")
@click.option(
    "--fail-on-should",
    "--strict",
    "strict",
    is_flag=True,
    help="Let a SHOULD clause that is not met fail, too.",
)
def validate(
    *, paths: tuple[str, ...], form: str, output: str | None, strict: bool
) -> None:
    """Find problems in the files of cubes, without a run and without an engine.

    A PATH is a cube, its main file, a pattern, or a folder to search for cubes.
    The default is the current folder. Definitions, platform files, promises,
    Dockerfiles and recipes are read. Exit code 1 means problems, 2 wrong usage.

    Example: mlcube-conformance validate cubes --format sarif
    """
    with refusing():
        file = given_path(output, "--output") if output is not None else None
        places = cube_places(paths or (".",), _PATH, search=True)
        if file is not None and any(is_definition(file, each) for each in places):
            raise would_replace(file, "--output")
        gc.disable()  # Nothing is freed before the end: to look for it takes time.
        cubes = tuple(check_cube(each) for each in places)
        report = Report(cubes=cubes, folder=current_folder(), strict=strict)
        written = FORMATS[form](report)
        if file is not None:
            write_file(file, written)
            tell(f"{report.counts}\n")
        else:
            show(written)
    raise SystemExit(1 if report.problems else 0)
