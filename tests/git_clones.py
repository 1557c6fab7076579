"""Git repositories of cubes, for tests."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Variables by which git reads no settings of who runs the tests.
_ALONE = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{
        f"GIT_{who}_{what}": f"{value}"
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Somebody"), ("EMAIL", "somebody@example.org"))
    },
}


def git(folder: Path, *words: str | Path) -> str:
    """Call git in a folder, and return what it says."""
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *words],
        cwd=folder,
        env={**os.environ, **_ALONE},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def begin(folder: Path) -> None:
    """Make a repository with one commit of what is in a folder, on `main`."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)


def commit(folder: Path) -> str:
    """Commit everything in a folder, and return the hash."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=change")
    return git(folder, "rev-parse", "HEAD")
