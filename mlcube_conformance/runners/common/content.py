"""One hash for everything that decides what an image holds."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from typing import TYPE_CHECKING

from mlcube_conformance.base.files import below, is_inside, is_plain_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["CONTENT_LABEL", "content_key", "cube_content", "files_below"]

#: Label of an image that holds the hash of what it was made from.
CONTENT_LABEL = "mlcube-conformance.content"
#: Folders of a cube that are not what it is: what tasks read and make, and caches.
_LEFT_OUT = ("workspace", ".git", ".mlcube-conformance", "__pycache__")


def cube_content(root: Path) -> str:
    """Return a hash of all files of a cube except its workspace: `sha256:…`.

    Raises:
        OSError, ValueError: A file cannot be read.
    """
    files = [x for x in files_below(root) if x.partition("/")[0] not in _LEFT_OUT]
    return f"sha256:{content_key(root, files)}"


def content_key(root: Path, files: Iterable[str], *more: object) -> str:
    """Return a hash of files, with their names, types and modes, and of more values.

    Args:
        root: Folder that the names are relative to.
        files: Names of files, folders and links.
        more: Whatever else decides, as JSON knows it.

    Raises:
        OSError: A file cannot be read.
    """
    digest = hashlib.sha256(json.dumps(more, sort_keys=True).encode())
    for name in files:
        path = root / name
        status = path.lstat()
        kind, mode = stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode)
        digest.update(json.dumps([name, kind, mode]).encode())
        if stat.S_ISREG(status.st_mode):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        elif stat.S_ISLNK(status.st_mode):
            digest.update(os.fsencode(os.readlink(path)))  # noqa: PTH115 - as text
            if is_plain_file(path) and is_inside(root, path):
                # Some who read it follow it.
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def files_below(root: Path) -> list[str]:
    """Return everything below a folder, in order, by path relative to it.

    Raises:
        OSError: Folders are nested too deep.
    """
    return sorted(str(each.relative_to(root)) for each in below(root))
