"""Removes what an engine left in its temporary folders."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.process import find_program, run_process
from mlcube_conformance.base.trees import remove_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["remove_all"]

#: Seconds for the removal of what belongs to subordinate users.
_TIMEOUT = 120


def remove_all(path: Path) -> None:
    """Remove one of our files, links or folders, as far as possible.

    A build as a plain user leaves files of that user's subordinate ids, which only
    a user namespace with the same ids can remove; see subuid(5).
    """
    with suppress(OSError):
        if not path.is_dir() or path.is_symlink():
            path.unlink()
            return
        remove_tree(path)
        if path.exists() and os.geteuid() != 0:
            _remove_as_root_of_namespace(path)


def _remove_as_root_of_namespace(path: Path) -> None:
    unshare = find_program("unshare")
    if unshare is None:
        return
    words: Sequence[str] = (
        *(unshare, "--map-root-user", "--map-auto", "--"),
        *("rm", "-rf", "--one-file-system", "--", str(path)),
    )
    nowhere = Path(os.devnull)
    with suppress(OSError):
        run_process(words, stdout=nowhere, stderr=nowhere, timeout=_TIMEOUT)
