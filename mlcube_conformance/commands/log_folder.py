"""The folder of `--logs`: only our own files in it are replaced."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message, UsageError
from mlcube_conformance.base.files import is_folder
from mlcube_conformance.base.paths import nearest
from mlcube_conformance.plan.workspace import make_folder
from mlcube_conformance.runners.places.outcome import OUTCOME

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CONFIGURE_LOG", "STDERR_LOG", "STDOUT_LOG", "claim_log_folder"]

CONFIGURE_LOG = "configure.log"
STDOUT_LOG = "stdout.log"
STDERR_LOG = "stderr.log"
#: All that is written under a name that is the same each time.
_NAMES = (
    CONFIGURE_LOG,
    "configure.part",
    "configure.def",
    STDOUT_LOG,
    STDERR_LOG,
    OUTCOME,
    f"{OUTCOME}.new",
)
#: Says that what has these names in a folder was written here.
_MARK = ".mlcube-conformance-logs"


def claim_log_folder(folder: Path) -> None:
    """Make a folder for logs, or take one where no file of the user is replaced.

    Raises:
        UsageError: It is not a folder, or files in it would be overwritten.
        MachineError: It cannot be made or written to.
    """
    there = nearest(folder)
    if not is_folder(there):
        raise _refused(there, "not a folder", "a new or existing folder")
    make_folder(folder)
    found = [name for name in (*_NAMES, _MARK) if os.path.lexists(folder / name)]
    odd = [name for name in found if _leads_elsewhere(folder / name)]
    if odd:
        # To write there would write to what a link points to, or wait for a reader.
        raise _refused(
            folder,
            f"not a plain file: {', '.join(odd)}",
            "a folder where these names are free or plain files",
        )
    if _MARK in found:
        return
    if found:
        raise _refused(
            folder,
            f"not written by mlcube-conformance: {', '.join(found)}",
            "a folder without files of these names",
        )
    try:
        (folder / _MARK).touch()
    except OSError as error:
        raise MachineError(
            Message(
                what="the log folder is not writable",
                where=str(folder),
                found=str(error.strerror),
                expected="a writable folder",
                do="fix the permissions, or name another folder",
            )
        ) from error


def _leads_elsewhere(path: Path) -> bool:
    """Say whether writing to a path could reach another file."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return not stat.S_ISREG(found.st_mode) or found.st_nlink > 1


def _refused(folder: Path, found: str, expected: str) -> UsageError:
    return UsageError(
        Message(
            what="--logs cannot be used",
            where=str(folder),
            found=found,
            expected=expected,
            do="name another folder",
        )
    )
