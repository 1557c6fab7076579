"""The base images, built from Debian packages without a registry."""

from __future__ import annotations

import io
import platform
import shutil
import sys
import tarfile
from typing import TYPE_CHECKING

from packages import apt_download, apt_install, debian_sites
from recipes import (
    BUSYBOX_COMMAND,
    BUSYBOX_FILES,
    BUSYBOX_FOLDERS,
    BUSYBOX_LINKS,
    BUSYBOX_PACKAGE,
    INSTALL_WHEELS,
    PYTHON_COMMAND,
    SUITE,
    SUITE_GLIBC,
    SUITE_LEFT_OUT,
    SUITE_PACKAGES,
    SUITE_PYTHON,
)
from steps import MINUTE, SetUpError, find_program, indented, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine import Engine


def build_busybox(engine: Engine, image: str, folder: Path) -> None:
    """Make an image of Debian's static busybox and links for its applets."""
    step = "base-busybox"
    unpack = find_program(step, "dpkg-deb")
    apt_download(step, BUSYBOX_PACKAGE, folder)
    for package in folder.glob("*.deb"):
        run(step, [unpack, "--extract", str(package), str(folder / "package")])
    unpacked = folder / "package"
    binary = next(unpacked.glob("**/bin/busybox"), unpacked / "bin" / "busybox")
    applets = run(step, [str(binary), "--list"], seconds=10).split()
    archive = folder / "rootfs.tar"
    _write_busybox_tar(archive, binary, applets)
    engine.import_image(step, archive, image, BUSYBOX_COMMAND)


def _write_busybox_tar(archive: Path, binary: Path, applets: Sequence[str]) -> None:
    links = BUSYBOX_LINKS | {
        f"bin/{name}": "busybox" for name in applets if name != "busybox"
    }
    with tarfile.open(archive, "w") as tar:
        for name, mode in BUSYBOX_FOLDERS.items():
            tar.addfile(_tar_entry(name, mode=mode, kind=tarfile.DIRTYPE))
        for name, target in links.items():
            tar.addfile(_tar_entry(name, kind=tarfile.SYMTYPE, target=target))
        contents = {name: text.encode() for name, text in BUSYBOX_FILES.items()}
        for name, data in contents.items():
            tar.addfile(_tar_entry(name, size=len(data)), io.BytesIO(data))
        data = binary.read_bytes()
        tar.addfile(
            _tar_entry("bin/busybox", mode=0o755, size=len(data)), io.BytesIO(data)
        )


def _tar_entry(
    name: str,
    *,
    mode: int = 0o644,
    kind: bytes = tarfile.REGTYPE,
    size: int = 0,
    target: str = "",
) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.type, entry.size, entry.linkname = mode, kind, size, target
    return entry


def build_debian(engine: Engine, image: str, folder: Path) -> None:
    """Make an image of a minimal Debian with Python and pip."""
    step = "base-debian"
    if shutil.which("mmdebstrap") is None:
        apt_install(step, ("mmdebstrap",))
    archive = folder / "rootfs.tar"
    left_out = [f"--dpkgopt=path-exclude={path}" for path in SUITE_LEFT_OUT]
    command = [
        find_program(step, "mmdebstrap"),
        "--variant=minbase",
        f"--include={','.join(SUITE_PACKAGES)}",
        *left_out,
        SUITE,
        str(archive),
        *_mirrors(step),
    ]
    run(step, command, seconds=10 * MINUTE)
    engine.import_image(step, archive, image, PYTHON_COMMAND)


def _mirrors(step: str) -> list[str]:
    """Take the package mirrors of the suite from the machine's configuration.

    Where the machine runs another suite the list is empty, and mmdebstrap has
    a default of its own.
    """
    known = debian_sites(step)
    suites = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
    if SUITE not in known:
        return []
    return [f"deb {known[suite]} {suite} main" for suite in suites if suite in known]


def layer_wheels(
    engine: Engine, base: str, image: str, requirements: Path, folder: Path
) -> None:
    """Install Python packages into an image, without network inside it.

    The wheels are only mounted, so the new layer has no second copy.
    """
    _download_wheels(requirements, folder)
    shutil.copyfile(requirements, folder / "requirements.txt")
    folder.chmod(0o755)
    with engine.container(base, INSTALL_WHEELS, (f"{folder}:/mnt:ro",)) as name:
        status, output = engine.run_container(name, 5 * MINUTE)
        if status != 0:
            raise SetUpError(
                what=f"base-torch: pip inside the image ended with {status}",
                where=f"{requirements}, in a container of {base}",
                found=f"the output ends with:\n{indented(output.splitlines())}",
                todo="check the requirements against Python " + SUITE_PYTHON,
            )
        engine.commit(name, image, PYTHON_COMMAND)


def _download_wheels(requirements: Path, folder: Path) -> None:
    """Fetch wheels for the image's Python, whatever Python runs this script."""
    machine = platform.machine()
    names = [f"manylinux_2_{minor}" for minor in range(SUITE_GLIBC, 4, -1)]
    names += ["manylinux2014", "manylinux2010", "manylinux1", "linux"]
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input"),
        *("--only-binary=:all:", "--implementation=cp"),
        *(f"--python-version={SUITE_PYTHON}", f"--dest={folder}"),
        *(f"--platform={name}_{machine}" for name in names),
        f"--requirement={requirements}",
    ]
    run("base-torch", command, seconds=10 * MINUTE)
