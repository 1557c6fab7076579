"""How cubes, runs of a suite, and the folder that holds these are called."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path, PurePath

__all__ = ["FOLDER", "ids_of", "make_run_folder", "new_run_id"]

#: Folder of all runs, below the current one.
FOLDER = ".mlcube-conformance"


def new_run_id() -> str:
    """Return a name that no other run has; they sort by time, within a second too."""
    second, rest = divmod(time.time_ns(), 10**9)
    at = time.strftime("%Y%m%d-%H%M%S", time.localtime(second))
    return f"{at}-{rest * 0x10000 // 10**9:04x}{secrets.token_hex(2)}"


def make_run_folder(folder: Path) -> None:
    """Make the folder of a run, in one that git ignores.

    Raises:
        OSError: It cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), (folder.parent / ".gitignore").open("x") as file:
        file.write("# Made by mlcube-conformance.\n*\n")


def ids_of(paths: Sequence[PurePath]) -> list[str]:
    """Name each path by its end, and by more of it where that is shared."""
    names = [path.name for path in paths]
    for depth in range(2, 10):
        count = Counter(names)
        if max(count.values(), default=0) <= 1:
            break
        names = [
            "-".join(path.parts[-depth:]) if count[name] > 1 else name
            for path, name in zip(paths, names, strict=True)
        ]
    return [
        f"{name}-{names[:place].count(name) + 1}" if name in names[:place] else name
        for place, name in enumerate(names)
    ]
