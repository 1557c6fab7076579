"""Debian packages, by apt."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from steps import MINUTE, CommandError, SetUpError, find_program, run, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def apt_install(step: str, packages: Sequence[str]) -> None:
    """Install packages, as root; refuse with their names as anybody else."""
    if os.geteuid() != 0:
        raise SetUpError(
            what=f"{step}: packages are missing, and only root may install them",
            where="apt-get install",
            found=f"user id {os.geteuid()}",
            todo=f"install {' '.join(packages)}, or run this as root",
        )
    say(f"{step}: installing {' '.join(packages)} ...")
    started = time.monotonic()
    _apt(step, ["install", "--yes", "--no-install-recommends", *packages])
    say(f"{step}: installed in {time.monotonic() - started:.0f} s")


def apt_download(step: str, package: str, folder: Path) -> None:
    """Download a package into a folder, as any user."""
    as_root = ["-o", "APT::Sandbox::User=root"]  # apt's own user sees no such folder
    _apt(step, [*as_root, "download", package], folder=folder)


def _apt(step: str, arguments: Sequence[str], *, folder: Path | None = None) -> None:
    """Run apt-get; refresh its lists once when it cannot go on with the old ones."""
    program = find_program(step, "apt-get")
    prefix = [program, "-o", f"DPkg::Lock::Timeout={2 * MINUTE:.0f}"]
    command = [*prefix, *arguments]
    try:
        run(step, command, folder=folder)
    except CommandError:
        if os.geteuid() != 0:
            raise
        say(f"{step}: refreshing the package lists ...")
        with contextlib.suppress(CommandError):  # one source of many may be down
            run(step, [*prefix, "update"])
        run(step, command, folder=folder)
