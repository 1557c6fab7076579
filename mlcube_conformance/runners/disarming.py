"""Takes away what is dangerous to have: device nodes and privileged files."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.trees import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mlcube_conformance.base.trees import Found
    from mlcube_conformance.model import RunResult
    from mlcube_conformance.runners.contract import Runner, RunRequest

__all__ = ["run_disarmed"]

_CAPABILITIES = "security.capability"
_PRIVILEGES = stat.S_ISUID | stat.S_ISGID


@dataclass(frozen=True, slots=True)
class _Danger:
    """Something that should not be among outputs, as it stood at one moment."""

    path: Path
    what: str
    inode: int


def run_disarmed(runner: Runner, request: RunRequest) -> RunResult:
    """Run a task, and take away the dangerous files that it leaves, before all else.

    What was there before the task is left alone.

    Raises:
        Violation, MachineError: As the runner does.
    """
    places = [each.host for each in request.view.mounts if each.writable]
    before = {danger for danger, _ in _dangers(places)}
    try:
        result = runner.run(request)
    finally:
        found = [
            (danger, _take_away(entry))
            for danger, entry in _dangers(places)
            if danger not in before
        ]
        told = tuple(f"{each.path}: {each.what}, {done}" for each, done in found)
        for line in told:
            request.watch.note(f"the task left {line}")
    return replace(result, taken_away=(*result.taken_away, *told))


def _dangers(places: Iterable[Path]) -> Iterator[tuple[_Danger, Found]]:
    for place in places:
        for entry in walk(place):
            with suppress(OSError):  # gone again
                status = os.stat(entry.name, dir_fd=entry.folder, follow_symlinks=False)
                what = _what_is_wrong(entry, status)
                if what:
                    yield _Danger(place / entry.path, what, status.st_ino), entry


def _what_is_wrong(entry: Found, status: os.stat_result) -> str:
    """Return what makes a file dangerous; a folder may hand on its group."""
    mode = status.st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        major, minor = os.major(status.st_rdev), os.minor(status.st_rdev)
        return f"a device node ({major}, {minor})"
    if not stat.S_ISREG(mode):
        return ""
    names = [
        *(["setuid"] if mode & stat.S_ISUID else []),
        *(["setgid"] if mode & stat.S_ISGID else []),
        *(["with capabilities"] if _has_capabilities(entry) else []),
    ]
    return f"a file {' and '.join(names)}" if names else ""


def _has_capabilities(entry: Found) -> bool:
    if os.geteuid() != 0:
        return False  # Only root's tasks can give them.
    with suppress(OSError):
        path = f"/proc/self/fd/{entry.folder}/{entry.name}"
        return bool(os.getxattr(path, _CAPABILITIES, follow_symlinks=False))
    return False


def _take_away(entry: Found) -> str:
    """Remove a device node or the privileges of a file; say what was done."""
    try:
        handle = os.open(
            entry.name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=entry.folder
        )
        try:
            status = os.fstat(handle)
            # Another name of the file may be the user's own, or the system's.
            if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
                os.unlink(entry.name, dir_fd=entry.folder)
                return "removed"
            file = f"/proc/self/fd/{handle}"
            os.chmod(file, stat.S_IMODE(status.st_mode) & ~_PRIVILEGES)  # noqa: PTH101 - a handle
            if _has_capabilities(entry):
                os.removexattr(file, _CAPABILITIES)
        finally:
            os.close(handle)
    except OSError as error:
        return f"which cannot be removed: {error.strerror}"
    return "taken from it"
