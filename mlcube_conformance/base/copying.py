"""Copies files and folders: writing to the copy leaves the original as it is."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.files import refuse_depth

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["copy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What to copy, and where to."""

    here: Path
    """With its links followed."""
    there: Path
    named: Path
    """Below the source, as it was given."""
    around: tuple[Path, ...] = ()
    """Folders that hold links which were followed to come here."""


def copy(
    source: Path,
    target: Path,
    *,
    left_out: Callable[[Path], bool] = lambda _: False,
    bring_links: bool = False,
) -> None:
    """Copy a file, or a folder with its content; existing files stay.

    Neither pipes nor devices are copied: to open one could wait for ever.

    Args:
        source: What to copy; where it is a link, what that points to.
        target: Where to.
        left_out: Says what is not copied, by its path below the source.
        bring_links: Whether what a link points to outside of the folder takes the place
            of the link; where it points to nothing, it is left out. Otherwise links
            stay what they are.

    Raises:
        TreeError: Folders are nested too deep.
        OSError: Something cannot be read or written, or a link points to a folder
            around itself.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    top = Path(os.path.realpath(source))
    # A loop, since folders may nest deeper than calls can go.
    waiting = [_Step(here=top, there=target, named=source)]
    folders = []
    while waiting:
        step = waiting.pop()
        here, there = step.here, step.there
        if not here.is_dir():
            _copy_file(here, there)
            continue
        refuse_depth(len(step.named.parts) - len(source.parts), top)
        there.mkdir(exist_ok=True)
        folders.append((here, there))
        for entry in sorted(os.scandir(here), key=lambda each: each.name, reverse=True):
            below, onto = Path(entry.path), there / entry.name
            named = step.named / entry.name
            if left_out(named):
                continue
            if not entry.is_symlink():
                waiting.append(replace(step, here=below, there=onto, named=named))
            elif not bring_links or _stays_inside(below, top):
                _copy_link(below, onto)
            else:
                real = Path(os.path.realpath(below))
                if any(each.is_relative_to(real) for each in (here, top, *step.around)):
                    raise OSError(errno.ELOOP, f"a link to {real}", str(below))
                around = (*step.around, here)
                waiting.append(_Step(here=real, there=onto, named=named, around=around))
    for here, there in reversed(folders):
        with suppress(OSError):
            shutil.copystat(here, there)


def _stays_inside(link: Path, top: Path) -> bool:
    """Say whether a link points to something that is copied, too."""
    leads = link.readlink()
    if leads.is_absolute() or not link.is_relative_to(top):
        return False
    depth = len(link.relative_to(top).parts) - 1
    for step in leads.parts:
        depth += -1 if step == ".." else 1
        if depth < 0:
            return False  # A way round through the outside, which the copy has not.
    return Path(os.path.realpath(link)).is_relative_to(top)


def _copy_link(link: Path, target: Path) -> None:
    if not os.path.lexists(target):
        target.symlink_to(link.readlink())


def _copy_file(source: Path, target: Path) -> None:
    """Copy one file; where the file system can, both share their blocks."""
    if os.path.lexists(target):
        return
    try:
        status = source.stat()
    except (FileNotFoundError, NotADirectoryError):
        return  # A link that points to nothing.
    if not stat.S_ISREG(status.st_mode):
        return
    with source.open("rb") as reader, target.open("xb") as writer:
        _copy_data(reader.fileno(), writer.fileno(), status.st_size)
    shutil.copystat(source, target)


def _copy_data(reader: int, writer: int, size: int) -> None:
    """Copy the data; holes stay holes."""
    os.ftruncate(writer, size)
    place = 0
    while place < size:
        try:
            begin = os.lseek(reader, place, os.SEEK_DATA)
            end = os.lseek(reader, begin, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return  # Only a hole is left.
            begin, end = place, size  # No holes are known here.
        place = _copy_range(reader, writer, begin, end)
        if place < end:
            return  # It has become shorter.


def _copy_range(reader: int, writer: int, begin: int, end: int) -> int:
    """Copy some bytes; return where the copy ended."""
    os.lseek(reader, begin, os.SEEK_SET)
    os.lseek(writer, begin, os.SEEK_SET)
    place, by_kernel = begin, True
    while place < end:
        left = end - place
        copied = 0
        if by_kernel:
            try:
                copied = os.copy_file_range(reader, writer, left)
            except OSError as error:
                if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EIO}:
                    raise
                by_kernel = False  # Between these file systems it cannot.
        if not copied:
            by_kernel = False
            piece = os.read(reader, min(left, 1 << 20))
            if not piece:
                break
            copied = len(piece)
            while piece:
                piece = piece[os.write(writer, piece) :]
        place += copied
    return place
