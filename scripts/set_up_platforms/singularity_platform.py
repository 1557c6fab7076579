"""The platform singularity: Apptainer that answers, and what it needs to run."""

from __future__ import annotations

import os
import re
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from apptainer import STEP, install_apptainer
from packages import apt_install
from steps import CommandError, SetUpError, find_program, found_on_path, run, say
from subordinate_ids import give_range

if TYPE_CHECKING:
    from steps import Options

NAMES: Final = ("apptainer", "singularity")
OLDEST: Final = {"apptainer": (1, 0), "singularity": (3, 5)}
# What mounts, packs and maps for it: each package by a program that it brings.
TOOLS: Final = {
    "squashfs-tools": "mksquashfs",
    "squashfuse": "squashfuse",
    "fuse-overlayfs": "fuse-overlayfs",
    "fuse3": "fusermount3",
    "uidmap": "newuidmap",
}
ROOT_NAMES: Final = ("root", "0")
ID_FILES: Final = (Path("/etc/subuid"), Path("/etc/subgid"))
FUSE: Final = Path("/dev/fuse")
FUSE_CLOSED: Final = 0o600
FUSE_OPEN: Final = 0o666
STATUS: Final = Path("/proc/self/status")
SYS_RESOURCE: Final = 24  # the number of the capability


def set_up_singularity(_: Options) -> dict[str, str]:
    """Have Apptainer, or Singularity, answer with all that it needs."""
    tools = [name for name, tool in TOOLS.items() if shutil.which(tool) is None]
    program = _installed()
    if os.geteuid() == 0:
        if tools:
            apt_install(STEP, tools)
        if program is None:
            install_apptainer()
        _link()
        _give_ids()
        _open_fuse()
    elif program is None or tools or _fuse_is_closed():
        _refuse(tools)
    version = _version(find_program(STEP, _first_on_path()))
    _need_user_namespaces()
    say(f"{STEP}: {version} answers")
    return {
        **({"APPTAINER_USERNS": "1"} if needs_user_namespace() else {}),
        # Images of tests are made often and read seldom.
        "APPTAINER_MKSQUASHFS_ARGS": "-comp gzip -Xcompression-level 1",
    }


def _first_on_path() -> str:
    return next((name for name in NAMES if shutil.which(name)), NAMES[0])


def _installed() -> str | None:
    """Return the program that answers; a half of an installation does not."""
    path = shutil.which(_first_on_path())
    if path is None:
        return None
    try:
        _version(path)
    except CommandError:
        return None
    return path


def _version(path: str) -> str:
    """Ask a program for its version, and refuse an old one."""
    text = run(STEP, [path, "--version"], seconds=20).strip()
    match = re.search(r"(apptainer|singularity)\S* version (\d+)\.(\d+)", text)
    if match is None or (int(match[2]), int(match[3])) < OLDEST[match[1]]:
        raise SetUpError(
            what=f"{STEP}: the version is too old, or unknown",
            where=path,
            found=text or "(nothing)",
            todo="install Apptainer, or Singularity 3.5 or newer; or take this one off "
            "PATH and run this as root on a Debian-like system",
        )
    return text.splitlines()[-1]


def _link() -> None:
    """Give Apptainer the name by which some programs still look for it."""
    path = shutil.which("apptainer")
    if path is not None and shutil.which("singularity") is None:
        link = Path(path).with_name("singularity")
        link.unlink(missing_ok=True)  # a link that is broken
        link.symlink_to("apptainer")
        say(f"{STEP}: linked {link} to apptainer")


def _give_ids() -> None:
    for path in ID_FILES:
        if give_range(path, ROOT_NAMES):
            say(f"{STEP}: gave root a range of ids in {path}")


def _fuse_is_closed() -> bool:
    """Tell whether only root may mount images; where no fuse is, nobody may."""
    return FUSE.exists() and stat.S_IMODE(FUSE.stat().st_mode) == FUSE_CLOSED


def _open_fuse() -> None:
    """Let plain users mount images, as udev does on an ordinary machine."""
    if _fuse_is_closed():
        FUSE.chmod(FUSE_OPEN)
        say(f"{STEP}: opened {FUSE} to all users")


def _refuse(tools: list[str]) -> None:
    found = [f"user id {os.geteuid()}", found_on_path(*NAMES)]
    found += [f"{name}: missing" for name in tools]
    if _fuse_is_closed():
        found.append(f"{FUSE}: open to root alone")
    raise SetUpError(
        what=f"{STEP}: something is missing, and only root may provide it",
        where=f"PATH={os.environ.get('PATH', '')}",
        found=", ".join(found),
        todo=f"install Apptainer, or Singularity 3.5 or newer, and {', '.join(TOOLS)}, "
        f"and let users read and write {FUSE}; or run this as root on a "
        "Debian-like system",
    )


def _need_user_namespaces() -> None:
    command = [find_program(STEP, "unshare"), "--user", "--map-root-user", "true"]
    try:
        run(STEP, command, seconds=20)
    except CommandError as error:
        raise SetUpError(
            what=f"{STEP}: no user namespace can be made",
            where=" ".join(command),
            found=str(error).partition("\n  found: ")[2].partition("\n  do: ")[0],
            todo="allow them: sysctl user.max_user_namespaces=15000, and, where they "
            "exist, kernel.unprivileged_userns_clone=1 and "
            "kernel.apparmor_restrict_unprivileged_userns=0; in a chroot none work",
        ) from error


def needs_user_namespace() -> bool:
    """Tell whether root here is too weak for what Apptainer does as root.

    As in many containers: it then has to work as a plain user does.
    """
    if os.geteuid() != 0:
        return False
    text = STATUS.read_text(encoding="utf-8")
    match = re.search(r"^CapEff:\s*([0-9a-f]+)$", text, re.MULTILINE)
    return match is not None and not int(match[1], 16) >> SYS_RESOURCE & 1
