"""Keeps two runs from working in one folder of the user's at once."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["only_run_in"]


@contextmanager
def only_run_in(folder: Path) -> Iterator[None]:
    """Hold the only right to run in a folder, which must be there.

    The lock is the kernel's, on the folder itself: nothing is written, and it is let go
    of however this process ends.

    Raises:
        UsageError: Another run holds it, or it cannot be read.
    """
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise refusal(
            what="the workspace cannot be read",
            where="--workspace",
            found=f"{folder}: {error.strerror}",
            expected="a folder that its user may list",
            do="fix the permissions, or give another folder",
        ) from error
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise refusal(
                what="another run is using the workspace",
                where="--workspace",
                found=str(folder),
                expected="one run at a time in a workspace",
                do="wait until it ends, or give another folder",
            ) from error
        except OSError:
            pass  # A file system without locks: no lock to look at.
        yield
    finally:
        os.close(opened)
