"""`mlcube-conformance convert`: a cube in the other format."""

from __future__ import annotations

import click

from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.text import plain, visible
from mlcube_conformance.commands.output import refusing
from mlcube_conformance.commands.said import tell
from mlcube_conformance.convert.conversion import convert_cube

__all__ = ["convert"]


@click.command(short_help="Write a cube in the other format.")
@click.argument("cube", metavar="CUBE")
@click.argument("target", metavar="TARGET")
def convert(cube: str, target: str) -> None:
    """Write a cube of one file as one of several files, or the other way round.

    Example: mlcube-conformance convert mnist mnist-in-one-file
    """
    with refusing():
        place = given_path(target, "TARGET")
        for note in convert_cube(given_path(cube, "CUBE"), place):
            tell(f"note: {plain(note)}\n")
        tell(f"written: {visible(str(place))}\n")
