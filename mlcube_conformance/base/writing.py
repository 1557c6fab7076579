"""Writes a file whole, or leaves what was there; what must not be written over."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from contextlib import suppress
from errno import EACCES, EBUSY, ENOTDIR, EPERM, EXDEV
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError
from mlcube_conformance.base.files import resolved

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "move_whole",
    "refuse_to_replace",
    "stream_of",
    "would_replace",
    "write_whole",
    "write_with_folder",
]

#: What a folder that takes no new file answers, though an old one in it may be written.
_NO_NEW_FILE = {EACCES, EPERM, EBUSY}

#: What is open already, by its names.
_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_OPEN = re.compile(r"/(?:dev|proc/(?:self|thread-self|(?P<process>\d+)))/fd/(\d{1,9})")
#: Links that are followed to such a name, as many as Linux follows.
_MOST_LINKS = 40


def refuse_to_replace(read: Iterable[Path], output: Path, option: str) -> None:
    """Refuse to write over a file that the same command reads or has written.

    Raises:
        UsageError: The output is one of these files, also by a link.
    """
    if resolved(output) in map(resolved, read):
        raise would_replace(output, option)


def would_replace(output: Path, option: str) -> UsageError:
    """Return the error of an output that would replace what the same command has."""
    return UsageError(
        Message(
            what="the output would replace a file of the same command",
            where=option,
            found=str(output),
            expected="a file of its own",
            do="give another name",
        )
    )


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file whole, or else leave the one that was there.

    A pipe or device is written to as it is; so are streams that are open already, such
    as /dev/stdout, and a file in a folder that takes no other, such as one that is
    mounted into a container.

    Args:
        file: Where; a link to a file is followed.
        content: What, a text in UTF-8.

    Raises:
        OSError: It cannot be written; nothing new is left.
    """
    data = content.encode() if isinstance(content, str) else content
    number = stream_of(file)
    if number is not None:
        # What is opened a second time is written to from its start.
        with os.fdopen(os.dup(number), "wb") as stream:
            stream.write(data)
        return
    file = resolved(file)
    mode = None
    with suppress(FileNotFoundError):
        mode = file.stat().st_mode
    if mode is not None and not stat.S_ISREG(mode):
        file.write_bytes(data)
        return
    new = _beside(file)
    try:
        new.write_bytes(data)
        if mode is not None:
            new.chmod(stat.S_IMODE(mode))
        new.replace(file)
    except OSError as error:
        may_be_written = mode and error.errno in _NO_NEW_FILE
        if not may_be_written:
            raise
        file.write_bytes(data)
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def write_with_folder(file: Path, content: str | bytes) -> None:
    """Write a file whole, and make its folder first if it is missing.

    Args:
        file: Where; a link to a file is followed.
        content: What, a text in UTF-8.

    Raises:
        NotADirectoryError: Something else is in the place of a folder.
        OSError: It cannot be written; no new file is left.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        text = os.strerror(ENOTDIR)
        raise NotADirectoryError(ENOTDIR, text, error.filename) from error
    write_whole(file, content)


def move_whole(source: Path, file: Path) -> None:
    """Move a file to a place, or else leave both as they are.

    Args:
        source: What to move.
        file: Where to; a link to a file is followed, and a file that is there passes on
            its permissions.

    Raises:
        OSError: It cannot be written.
    """
    file = resolved(file)
    mode = None
    with suppress(FileNotFoundError):
        mode = file.stat().st_mode
    new = _beside(file)
    try:
        try:
            _bring(source, new)
            if mode is not None:
                with suppress(OSError):  # It may belong to the user of a container.
                    new.chmod(stat.S_IMODE(mode))
            new.replace(file)
        finally:
            with suppress(OSError):
                # Back, where nothing but its name was changed.
                new.unlink() if source.exists() else new.rename(source)
    except OSError as error:
        may_be_written = mode and error.errno in _NO_NEW_FILE
        if not may_be_written:
            raise
        shutil.copyfile(source, file)
    source.unlink(missing_ok=True)


def _bring(source: Path, new: Path) -> None:
    try:
        source.rename(new)
    except OSError as error:
        if error.errno != EXDEV:
            raise
        shutil.copy2(source, new)


def _beside(file: Path) -> Path:
    """Return a name for what will replace a file."""
    name = f".{file.name[:200]}.{os.getpid()}-{secrets.token_hex(4)}.new"
    return file.with_name(name)


def stream_of(file: Path) -> int | None:
    """Return the number of what is open already and has this name, also by links."""
    for _ in range(_MOST_LINKS):
        name = str(file)
        match = _OPEN.fullmatch(name)
        if match and match["process"] in {None, str(os.getpid())}:
            return int(match[2])
        if name in _STREAMS:
            return _STREAMS[name]
        try:
            file = file.parent / file.readlink()
        except OSError:
            return None
    return None
