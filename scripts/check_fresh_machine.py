#!/usr/bin/env python3
"""Run the commands of the README on a machine that has next to nothing.

    python3 scripts/check_fresh_machine.py demo test [--docker walk] [NAME=VALUE...]

For each named target of the Makefile, a clean Debian root file system is made
with python3, python3-venv, git, make and ca-certificates, and a plain user in it
clones this checkout and calls `make TARGET NAME=VALUE...`. There is no daemon and no
root; for a target given by --docker, the user may ask the daemon of this machine, as
one of its group `docker` may. The package index is reached as pip on this machine is
set up to reach it.

Needs root, for the file system. Exits with the first target's failure.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

ROOT: Final = Path(__file__).resolve().parent.parent
SUITE: Final = "bookworm"
PACKAGES: Final = ("ca-certificates", "git", "make", "python3", "python3-venv")
USER: Final = 1000
HOME: Final = "/home/somebody"
MAKE_SECONDS: Final = 300
TARGET_SECONDS: Final = 2400
CERTIFICATES: Final = "/etc/ssl/certs/ca-certificates.crt"
SOCKET: Final = Path("/run/docker.sock")
NAMES: Final = ("/etc/resolv.conf", "/etc/hosts")


# In a mount namespace of its own, so nothing stays mounted: the first word is
# the new root, then come paths of this machine up to `--`, then the command.
_MOUNT: Final = """
root=$1
shift
mount -t proc proc "$root/proc"
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then mkdir -p "$root$1"; else touch "$root$1"; fi
    mount --rbind "$1" "$root$1"
    shift
done
shift
exec "$@"
"""


class CheckError(Exception):
    """The check itself cannot be made."""


def main() -> int:
    """Check each target, and return the first exit code that is not 0."""
    targets, with_docker, variables = read_words()
    if os.getuid() != 0:
        _say("fresh machine: only root can make a root file system: run this as root")
        return 1
    if with_docker and not SOCKET.is_socket():
        _say(f"fresh machine: --docker needs a daemon that listens at {SOCKET}")
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="fresh-machine-") as folder:
            archive = Path(folder) / "root.tar"
            _make_archive(archive)
            for target in (*targets, *with_docker):
                root, docker = Path(folder) / target, target in with_docker
                code = _check(target, variables, archive, root, docker=docker)
                if code:
                    return code
    except CheckError as error:
        _say(f"fresh machine: {error}")
        return 1
    return 0


def read_words(words: list[str] | None = None) -> tuple[list[str], ...]:
    """Return targets, those of --docker, and variables; by default of this process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("words", nargs="*", metavar="TARGET", help="of the Makefile")
    parser.add_argument(
        "--docker",
        action="append",
        default=[],
        metavar="TARGET",
        help="a target whose user may ask the daemon of this machine",
    )
    given = parser.parse_intermixed_args(words)  # variables follow an option, too
    targets = [each for each in given.words if "=" not in each]
    variables = [each for each in given.words if "=" in each]
    if not targets and not given.docker:
        parser.error("give a target")
    return targets, given.docker, variables


def _make_archive(archive: Path) -> None:
    if shutil.which("mmdebstrap") is None:
        message = "mmdebstrap is missing: `apt-get install mmdebstrap`"
        raise CheckError(message)
    _say("fresh machine: making a root file system (about half a minute)")
    started = time.monotonic()
    done = subprocess.run(
        [
            *("mmdebstrap", "--variant=minbase", "--quiet"),
            f"--include={','.join(PACKAGES)}",
            *(SUITE, str(archive)),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=MAKE_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        message = f"mmdebstrap failed:\n{done.stderr[-2000:]}"
        raise CheckError(message)
    _say(f"fresh machine: made in {time.monotonic() - started:.0f} s")


def _check(
    target: str, variables: list[str], archive: Path, root: Path, *, docker: bool
) -> int:
    root.mkdir()
    subprocess.run(
        ["tar", "-xf", archive, "-C", root], check=True, timeout=MAKE_SECONDS
    )
    shared = _share_package_index(root)
    _add_user(root)
    _clone(root)
    groups, temporary = str(USER), "/tmp"  # noqa: S108 - of the new root
    if docker:
        # The daemon has to see the folders of a run where the user there sees them.
        place = root.with_name(f"{root.name}-seen-by-docker")
        place.mkdir()
        os.chown(place, USER, USER)
        temporary = str(place)
        groups += f",{SOCKET.stat().st_gid}"
        shared += [temporary, str(SOCKET)]
    _say(f"fresh machine: make {target}")
    started = time.monotonic()
    try:
        code = subprocess.run(
            [
                *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--"),
                *("sh", "-euc", _MOUNT, "sh", str(root), "/dev", *shared, "--"),
                *(
                    "chroot",
                    f"--userspec={USER}:{USER}",
                    f"--groups={groups}",
                    str(root),
                ),
                *("env", "-i", f"HOME={HOME}", "PATH=/usr/bin:/bin", "LANG=C.UTF-8"),
                f"TMPDIR={temporary}",
                *_proxies(),
                *("make", "-C", f"{HOME}/checkout", target, *variables),
            ],
            stdin=subprocess.DEVNULL,
            timeout=TARGET_SECONDS,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired as error:
        message = f"make {target} still ran after {TARGET_SECONDS} s"
        raise CheckError(message) from error
    seconds = time.monotonic() - started
    _say(f"fresh machine: make {target} exited with {code} after {seconds:.0f} s")
    shutil.rmtree(root, ignore_errors=True)
    return code


def _share_package_index(root: Path) -> list[str]:
    """Let pip there reach the index that pip here reaches, and trust it.

    Returns:
        The folders of this machine that pip's options name.
    """
    for name in (*NAMES, CERTIFICATES):
        if Path(name).is_file():
            shutil.copy(name, root / name.lstrip("/"))
    lines, folders = ["[global]"], []
    for name, values in _pip_options().items():
        lines.append(f"{name} = {' '.join(values)}")
        for value in values:
            folders += _taken_along(value, root)
    (root / "etc/pip.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [folder for folder in dict.fromkeys(folders) if folder != "/"]


def _taken_along(value: str, root: Path) -> list[str]:
    """Return the folder that a value of pip's options needs; copy a file it names."""
    # An index in a folder links to packages beside that folder.
    is_address = value.startswith("file:")
    path = Path(unquote(urlsplit(value).path)) if is_address else Path(value)
    if not path.is_absolute():
        return []
    if path.is_file() and path.suffix not in {".htm", ".html"}:
        # Constraints, requirements or certificates; a page points to what is beside.
        there = root / str(path).lstrip("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, there)
        return []
    folder = path.parent if is_address or path.is_file() else path
    return [str(folder)] if folder.is_dir() else []


def _pip_options() -> dict[str, list[str]]:
    """Return the options of pip here, from its files and its environment."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    options = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        options[name] = value.strip("'\"").replace("\\n", " ").split()
    return options


def _add_user(root: Path) -> None:
    with (root / "etc/passwd").open("a", encoding="utf-8") as file:
        file.write(f"somebody:x:{USER}:{USER}::{HOME}:/bin/sh\n")
    with (root / "etc/group").open("a", encoding="utf-8") as file:
        file.write(f"somebody:x:{USER}:\n")
    (root / HOME.lstrip("/")).mkdir()


def _clone(root: Path) -> None:
    """Clone what is committed, as somebody who has just found the project."""
    home = root / HOME.lstrip("/")
    subprocess.run(
        ["git", "clone", "--quiet", "--no-local", ROOT, home / "checkout"],
        check=True,
        timeout=MAKE_SECONDS,
    )
    subprocess.run(["chown", "-R", f"{USER}:{USER}", home], check=True, timeout=60)


def _proxies() -> list[str]:
    names = ("http_proxy", "https_proxy", "no_proxy")
    return [
        f"{name}={os.environ[name]}"
        for lower in names
        for name in (lower, lower.upper())
        if name in os.environ
    ]


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
