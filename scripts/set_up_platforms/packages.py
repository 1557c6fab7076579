"""Debian packages, by apt."""

from __future__ import annotations

import contextlib
import os
import re
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


def has_candidate(step: str, package: str) -> bool:
    """Tell whether apt could install a package from the machine's own sources."""
    policy = [find_program(step, "apt-cache"), "policy", package]
    candidates = re.findall(r"^ *Candidate: (.*)$", run(step, policy), re.MULTILINE)
    return any(candidate != "(none)" for candidate in candidates)


def debian_sites(step: str) -> dict[str, str]:
    """Return the site of each Debian suite that the machine is configured for."""
    form = "$(SITE) $(CODENAME)"
    filters = ["Created-By: Packages", "Component: main", "Origin: Debian"]
    apt = find_program(step, "apt-get")
    text = run(step, [apt, "indextargets", "--format", form, *filters])
    return {suite: site for site, suite in map(str.split, text.splitlines())}


def refresh_lists(step: str) -> None:
    """Fetch apt's lists of packages again, as root, as far as they can be had."""
    say(f"{step}: refreshing the package lists ...")
    with contextlib.suppress(CommandError):  # one source of many may be down
        run(step, [*_patient_apt(step), "update"])


def _apt(step: str, arguments: Sequence[str], *, folder: Path | None = None) -> None:
    """Run apt-get; refresh its lists once when it cannot go on with the old ones."""
    command = [*_patient_apt(step), *arguments]
    try:
        run(step, command, folder=folder)
    except CommandError:
        if os.geteuid() != 0:
            raise
        refresh_lists(step)
        run(step, command, folder=folder)


def _patient_apt(step: str) -> list[str]:
    """Begin a command of apt that waits for another one to end."""
    program = find_program(step, "apt-get")
    return [program, "-o", f"DPkg::Lock::Timeout={2 * MINUTE:.0f}"]
