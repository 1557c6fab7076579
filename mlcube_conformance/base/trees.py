"""Goes through folders that a task may have filled with anything, and removes them.

Nothing here calls itself, holds more than two folders open, follows a link, steps into
another mount, or changes what is outside of the folder that it was given.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Found",
    "mount_points_below",
    "now",
    "remove_tree",
    "temporary_folder",
    "walk",
    "written_since",
]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Found:
    """An entry of a folder, to be worked on by `name` and `dir_fd=folder`."""

    folder: int
    """Descriptor of the folder that holds it; open until the next entry is asked."""
    name: str
    path: str
    """Relative to the top."""
    is_folder: bool


@dataclass(slots=True)
class _Level:
    """A folder that is being gone through."""

    name: str
    path: str
    identity: tuple[int, int]
    waiting: list[str] = field(default_factory=list)
    """Folders in it that were not entered yet."""


def walk(top: Path, *, unlock: bool = False) -> Iterator[Found]:
    """Yield everything below a folder, the content of a folder before the folder.

    The tree may be deeper than a path can be long. What cannot be entered is yielded
    without what is in it.

    Args:
        top: A folder; nothing is yielded for anything else.
        unlock: Whether to make folders readable and writable on the way.
    """
    try:
        current = _enter(str(top), None, unlock=unlock)
    except OSError:
        return
    try:
        mount = _mount(current)
        levels = [_Level("", "", _identity(current))]
        yield from _list(current, levels[0])
        while levels:
            level = levels[-1]
            if level.waiting:
                name = level.waiting.pop()
                path = f"{level.path}{name}"
                below = _enter_below(name, current, mount, unlock=unlock)
                if below is None:
                    yield Found(current, name, path, is_folder=True)
                    continue
                os.close(current)
                current = below
                levels.append(_Level(name, f"{path}/", _identity(current)))
                yield from _list(current, levels[-1])
                continue
            levels.pop()
            if not levels:
                return
            above = os.open("..", _FOLDER, dir_fd=current)
            os.close(current)
            current = above
            if _identity(current) != levels[-1].identity:
                return  # Somebody moved the folder away: what is here is not ours.
            yield Found(current, level.name, level.path[:-1], is_folder=True)
    except OSError:
        return
    finally:
        os.close(current)


def _enter_below(name: str, folder: int, mount: str, *, unlock: bool) -> int | None:
    """Open a folder that is in another one, unless something is mounted there."""
    with suppress(OSError):
        below = _enter(name, folder, unlock=unlock)
        if _mount(below) == mount:
            return below
        os.close(below)
    return None


def _enter(name: str, folder: int | None, *, unlock: bool) -> int:
    if unlock:
        # By a handle that needs no rights and points to no other folder.
        handle = os.open(name, os.O_PATH | _FOLDER, dir_fd=folder)
        try:
            with suppress(OSError):
                Path(f"/proc/self/fd/{handle}").chmod(0o700)
        finally:
            os.close(handle)
    return os.open(name, _FOLDER, dir_fd=folder)


def _list(folder: int, level: _Level) -> Iterator[Found]:
    """Yield the content of a folder, and keep its folders for later."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                level.waiting.append(entry.name)
            else:
                path = f"{level.path}{entry.name}"
                yield Found(folder, entry.name, path, is_folder=False)


def _identity(folder: int) -> tuple[int, int]:
    status = os.fstat(folder)
    return status.st_dev, status.st_ino


def _mount(folder: int) -> str:
    """Return the identity of a mount, also for bind mounts of one disk."""
    with Path(f"/proc/self/fdinfo/{folder}").open(encoding="ascii") as file:
        for line in file:
            if line.startswith("mnt_id:"):
                return line
    return str(os.fstat(folder).st_dev)


def now() -> int:
    """Return a time, in nanoseconds, between files written so far and from now on.

    A file of our own tells it: no clock that can be read tells which time Linux gives
    to a file, since that is finer for files that somebody looked at (multigrain
    timestamps, Linux 6.13).
    """
    with tempfile.TemporaryFile() as file:
        before = os.fstat(file.fileno()).st_ctime_ns
        while (found := os.fstat(file.fileno()).st_ctime_ns) == before:
            time.sleep(0.001)
            os.utime(file.fileno())
    return found


def written_since(folder: Path, since: int) -> Iterator[Path]:
    """Yield the plain files below a folder that were written since a time of `now`.

    Python's own caches are left out.
    """
    for each in walk(folder):
        if each.is_folder or each.name.endswith(".pyc"):
            continue
        with suppress(OSError):  # gone again
            status = os.stat(each.name, dir_fd=each.folder, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and status.st_ctime_ns >= since:
                yield folder / each.path


def remove_tree(folder: Path) -> None:
    """Remove one of our folders as far as possible, read-only parts included.

    The folder that holds it stays as it is.
    """
    with suppress(OSError):
        if not stat.S_ISDIR(folder.lstat().st_mode):
            folder.unlink()
            return
        for each in walk(folder, unlock=True):
            with suppress(OSError):
                if each.is_folder:
                    os.rmdir(each.name, dir_fd=each.folder)
                else:
                    os.unlink(each.name, dir_fd=each.folder)
        folder.rmdir()


@contextmanager
def temporary_folder(
    inside: Path | None = None, prefix: str = "mlcube-"
) -> Iterator[Path]:
    """Make a folder that nobody else has, and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=inside))
    try:
        yield folder
    finally:
        remove_tree(folder)


def mount_points_below(folder: Path) -> tuple[Path, ...]:
    """Return where something is mounted below a folder, outermost first."""
    top = folder.resolve()
    try:
        text = Path("/proc/self/mountinfo").read_bytes()
    except OSError:
        return ()
    found = set()
    for line in text.splitlines():
        # proc(5): the fifth field, with blanks and the like in octal.
        name = line.split(b" ")[4].decode("unicode_escape").encode("latin-1")
        point = Path(os.fsdecode(name))
        if point != top and point.is_relative_to(top):
            found.add(point)
    return tuple(sorted(found))
