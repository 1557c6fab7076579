"""Apptainer: of the machine's own suite, or else unpacked from Debian's sid.

The programs of sid need a newer C library than an older Debian has. They get it,
and the loader that belongs to it, in a folder of their own; the machine's C
library and its list of packages stay as they are.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from packages import apt_install, debian_sites, has_candidate, refresh_lists
from steps import PREFIX, SetUpError, find_program, run, say

STEP: Final = "singularity"
LIBRARIES: Final = Path("/opt/apptainer-glibc")
KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITE: Final = "sid"
PACKAGE: Final = "apptainer"
PACKAGES: Final = (PACKAGE, "containernetworking-plugins")
PROGRAM: Final = "usr/bin/apptainer"
STARTER: Final = "usr/lib/*/apptainer/bin/starter"


def install_apptainer() -> None:
    """Install Apptainer, as root."""
    if has_candidate(STEP, PACKAGE):
        apt_install(STEP, [PACKAGE])
        return
    if shutil.which("patchelf") is None:
        apt_install(STEP, ["patchelf"])
    say(f"{STEP}: unpacking {PACKAGE} of Debian {SUITE} (some seconds) ...")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}-") as name:
        programs, libraries = _download(Path(name))
        _use_libraries(programs, libraries)
        LIBRARIES.mkdir(parents=True, exist_ok=True)
        LIBRARIES.chmod(0o755)
        for library in sorted(libraries.glob("usr/lib/*/*.so*")):
            put(library, LIBRARIES / library.name)
        put_tree(programs, Path("/"), last=PROGRAM)
    say(f"{STEP}: unpacked in {time.monotonic() - started:.0f} s")


def _download(folder: Path) -> tuple[Path, Path]:
    """Unpack the programs and the libraries into a folder each, below this one."""
    apt, options = find_program(STEP, "apt-get"), _private_apt(folder)
    run(STEP, [apt, *options, "update"])
    show = [find_program(STEP, "apt-cache"), *options, "depends"]
    text = run(STEP, [*show, "--no-recommends", "--no-suggests", PACKAGE])
    unpacked = []
    for kind, packages in (("programs", PACKAGES), ("libraries", libraries_in(text))):
        archives = folder / f"{kind}.debs"
        archives.mkdir()
        run(STEP, [apt, *options, "download", *packages], folder=archives)
        for archive in archives.glob("*.deb"):
            unpack = [find_program(STEP, "dpkg-deb"), "--extract", str(archive)]
            run(STEP, [*unpack, str(folder / kind)])
        unpacked.append(folder / kind)
    return unpacked[0], unpacked[1]


def libraries_in(text: str) -> list[str]:
    """Pick the libraries from what `apt-cache depends` prints."""
    return re.findall(r"^ *\|?Depends: (lib\S+)$", text, re.MULTILINE)


def _private_apt(folder: Path) -> list[str]:
    """Return options that make apt see sid alone, and keep nothing of it."""
    lists, cache = folder / "lists", folder / "cache"
    for new in (lists, cache):
        (new / "partial").mkdir(parents=True)
    source = folder / "sources.list"
    line = f"deb [signed-by={KEYRING}] {_site()} {SUITE} main\n"
    source.write_text(line, encoding="utf-8")
    options = {
        "Dir::Etc::SourceList": source,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": lists,
        "Dir::Cache": cache,
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",  # apt's own user sees no such folder
    }
    return [word for key, value in options.items() for word in ("-o", f"{key}={value}")]


def _site() -> str:
    """Name the site of the machine's main suite; it has the other suites too."""
    sites = debian_sites(STEP)
    if not sites:  # apt knows them by its lists, which may not be there yet
        refresh_lists(STEP)
        sites = debian_sites(STEP)
    main = [site for suite, site in sites.items() if "-" not in suite]
    if not main:
        raise SetUpError(
            what=f"{STEP}: no Debian site to take {PACKAGE} from",
            where="the package sources of apt",
            found=f"suites of Debian: {', '.join(sites) or 'none'}",
            todo="install Apptainer, or Singularity 3.5 or newer, and run this again",
        )
    return main[0]


def _use_libraries(programs: Path, libraries: Path) -> None:
    """Bind the programs to the loader and the libraries that come with them."""
    patch = find_program(STEP, "patchelf")
    for pattern in (PROGRAM, STARTER):
        binary = _only(programs, pattern)
        # The loader's name depends on the processor; the program knows it.
        loader = Path(run(STEP, [patch, "--print-interpreter", str(binary)]).strip())
        _only(libraries, f"usr/lib/*/{loader.name}")
        # A forced path serves the libraries of the libraries, too.
        paths = ("--force-rpath", "--set-rpath", str(LIBRARIES))
        start = ("--set-interpreter", str(LIBRARIES / loader.name))
        run(STEP, [patch, *start, *paths, str(binary)])


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) == 1:
        return found[0]
    raise SetUpError(
        what=f"{STEP}: the packages of Debian {SUITE} are not what they were",
        where=pattern,
        found=f"{len(found)} such files, 1 is needed",
        todo="install Apptainer, or Singularity 3.5 or newer, and run this again",
    )


def put_tree(source: Path, target: Path, *, last: str) -> None:
    """Copy a tree over another; one file, the last, makes the others count.

    A run that is killed before has installed nothing, and the next one starts
    again. Folders that are there stay as they are, links to folders as well.
    """
    final = source / last
    for path in sorted(source.rglob("*"), key=lambda path: (path == final, path)):
        place = target / path.relative_to(source)
        if path.is_symlink() or not path.is_dir():
            put(path, place)
        elif not place.is_dir():
            place.mkdir()
            shutil.copymode(path, place)


def put(source: Path, target: Path) -> None:
    """Copy a file, or a link as a link, so the target is old or new."""
    half = target.with_name(f".{target.name}.new")
    half.unlink(missing_ok=True)
    shutil.copy2(source, half, follow_symlinks=False)
    half.replace(target)
