"""Image files: where a platform file puts them, and whether they are whole.

The format of a SIF file is that of https://github.com/apptainer/sif: a header with
the place and length of the data, then the data.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message, Violation
from mlcube_conformance.base.files import is_plain_file
from mlcube_conformance.base.homes import cache_folder, home
from mlcube_conformance.plan.mounts import expanded
from mlcube_conformance.runners.common.content import CONTENT_LABEL
from mlcube_conformance.runners.common.records import read_record, write_record
from mlcube_conformance.runners.singularity.engine import answer

if TYPE_CHECKING:
    from mlcube_conformance.model import Cube, Platform
    from mlcube_conformance.runners.singularity.engine import Engine

__all__ = [
    "content_of",
    "entry_of",
    "identity",
    "image_path",
    "is_image",
    "remember_made",
    "was_made_here",
    "what_is_wrong",
]

_LAUNCH, _SIF = b"#!/usr/bin/env run-singularity\n\0", b"SIF_MAGIC\0"
_SIF_AT = len(_LAUNCH)
_UUID = slice(48, 64)
#: Offset and length of the data, after six numbers of 8 bytes.
_DATA = struct.Struct("<2q")
_DATA_AT = 112
_HEADER = 128
_SQUASHFS = b"hsqs"
#: The line by which the script of an image of Docker says what that starts.
_OCI_ENTRY = re.compile(r"^OCI_ENTRYPOINT=(.*)$", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x1f]")
#: Bytes of one name on the file systems of Linux.
_LONGEST = 255


def image_path(cube: Cube, platform: Platform) -> Path:
    """Return where the image of a cube is, made or not.

    An absolute path is taken as it is; any other is below the cube's workspace.
    `${HOME}`, `~` and `$WORKSPACE` are replaced.

    Raises:
        Violation: The platform file names another variable, or nothing.
    """
    if _CONTROL.search(platform.image):
        raise Violation(
            _message(
                platform,
                "the platform file's image has invalid characters",
                repr(platform.image),
                "the path of an image, such as /opt/singularity/mnist.sif",
            )
        )
    try:
        path = expanded(platform.image, cube.workspace)
    except KeyError as error:
        raise Violation(
            _message(
                platform,
                "the platform file's image names a variable that is not replaced",
                f"${error.args[0]} in {platform.image}",
                "$HOME, ~ or $WORKSPACE; ${name}, ${version}, ${place} of the cube",
            )
        ) from error
    # A link points to the place; it is not to be replaced by an image.
    path = Path(os.path.realpath(path))
    workspace = Path(os.path.realpath(cube.workspace))
    is_folder = platform.image.endswith("/") or workspace.is_relative_to(path)
    if is_folder or len(os.fsencode(path.name)) > _LONGEST:
        raise Violation(
            _message(
                platform,
                "the platform file's image is not the path of a file",
                platform.image or "nothing",
                "the path of an image, such as /opt/singularity/mnist.sif",
            )
        )
    return path


def _message(platform: Platform, what: str, found: str, expected: str) -> Message:
    return Message(
        what=what,
        where=f"{platform.source}, key image",
        found=found,
        expected=expected,
        do="fix the key 'image'",
    )


def what_is_wrong(path: Path) -> str:
    """Return why there is nothing that can be run as an image, or "" if there is."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            # An image that was unpacked, or built with --sandbox.
            found = (path / ".singularity.d").is_dir()
            return "" if found else "it is a folder, but not an unpacked image"
        if not stat.S_ISREG(status.st_mode):
            return "it is not a regular file"
        header = _header(path)
    except OSError as error:
        return str(error.strerror)
    if not header.startswith(_SQUASHFS) and not _is_sif(header):
        return "it is not a Singularity image"
    size, end = status.st_size, _end(header)
    return f"it is cut short: {size} of {end} bytes" if size < end else ""


def is_image(path: Path) -> bool:
    """Say whether something is an image, even if it is cut short."""
    wrong = what_is_wrong(path)
    return not wrong or wrong.startswith("it is cut short")


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADER)


def _is_sif(header: bytes) -> bool:
    # Of a file that was cut at its very beginning, that is all there is.
    start = _LAUNCH + _SIF
    cut = len(header) > len(b"#!/") and start.startswith(header)
    return header[_SIF_AT : len(start)] == _SIF or cut


def _end(header: bytes) -> int:
    """Return how many bytes an image has at least."""
    if not _is_sif(header) or len(header) < _HEADER:
        return _HEADER
    offset, length = _DATA.unpack_from(header, _DATA_AT)
    return int(offset + length)


def identity(path: Path) -> str:
    """Return the identity of an image: its SIF id, or size and time."""
    if is_plain_file(path):
        header = _header(path)
        if _is_sif(header) and len(header) == _HEADER:
            return f"sif:{header[_UUID].hex()}"
    status = path.stat()
    return f"stat:{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"


def content_of(engine: Engine, path: Path) -> str:
    """Return the key of what an image was made from; "" when it carries none."""
    said = answer([engine.path, "inspect", "--json", "--labels", str(path)])
    try:
        labels = json.loads(said)["data"]["attributes"]["labels"]
        return str(labels.get(CONTENT_LABEL, ""))
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""


def entry_of(engine: Engine, path: Path) -> tuple[str, ...]:
    """Return what an image starts a task with: its words, or its script for a shell."""
    script = answer([engine.path, "inspect", "--runscript", str(path)])
    of_docker = _OCI_ENTRY.search(script)
    try:
        if of_docker:
            return tuple(shlex.split("".join(shlex.split(of_docker[1]))))
    except ValueError:
        return ()
    return ("/bin/sh", "-c", script) if script.startswith("#!") else ()


def remember_made(path: Path) -> None:
    """Write down that an image was built here."""
    write_record("singularity", str(path), ids=(identity(path),))


def was_made_here(path: Path) -> bool:
    """Say whether an image is one that was built here, and may be replaced.

    Its label does not count, since anybody can copy it; our folder does.
    """
    ours = Path(os.path.realpath(cache_folder()))
    places = [ours]
    with suppress(MachineError):  # no home is known, and none is needed
        places.append(Path(os.path.realpath(home() / ".cache/mlcube-conformance")))
    if any(path.is_relative_to(each) for each in places):
        return True
    return read_record("singularity", str(path)) == (identity(path),)
