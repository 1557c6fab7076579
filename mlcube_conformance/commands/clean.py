"""`mlcube-conformance clean`: removes what earlier runs left on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlcube_conformance.base.homes import cache_folder, current_folder
from mlcube_conformance.base.text import visible
from mlcube_conformance.base.trees import remove_tree
from mlcube_conformance.commands.output import refusing, show
from mlcube_conformance.results.old_runs import old_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["clean"]

#: Folders of our cache that are made again when they are needed.
_CACHED = ("environments", "images")


@click.command(short_help="Remove what ended runs left.")
@click.option(
    "--older-than",
    metavar="DAYS",
    type=click.FloatRange(min=0),
    default=0,
    help="Minimum days since the run (default: 0).",
)
@click.option(
    "--caches",
    is_flag=True,
    help="Remove the environments and images of local and Singularity, too.",
)
@click.option(
    "--images",
    is_flag=True,
    help="Remove the images in Docker's daemon that were built here, too.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed.")
def clean(*, older_than: float, caches: bool, images: bool, dry_run: bool) -> None:
    """Remove the folders of ended runs below the current folder, and nothing else.

    Runs are in .mlcube-conformance/. With --images, an image in a Docker daemon goes
    that this user built here, as mlcube-conformance/built-…, if it has no other name
    and no container uses it.

    Example: mlcube-conformance clean --older-than 7 --images
    """
    with refusing():
        found = old_runs(current_folder(), days=older_than)
        if caches:
            places = (cache_folder() / name for name in _CACHED)
            found += [each for each in places if each.is_dir()]
        for each in found:
            if not dry_run:
                remove_tree(each)
            word = "would remove" if dry_run else "removed"
            show(f"{word} {visible(str(each))}\n")
        told = 0
        for line in _clean_images(older_than, dry_run=dry_run) if images else ():
            show(f"{line}\n")
            told += 1
        if not found and not told:
            show("nothing to remove\n")


def _clean_images(days: float, *, dry_run: bool) -> Iterator[str]:
    from mlcube_conformance.runners.docker.cleaning import clean_images  # noqa: PLC0415 - Docker's own

    return clean_images(days=days, dry_run=dry_run)
