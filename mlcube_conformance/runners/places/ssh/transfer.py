"""Brings files to another host and back, by rsync over the connection.

What is there already, of the same size and time, is not sent again. Names of files
go by a list and not by a command line, so no shell and no pattern reads them.
What comes back is gathered in a folder of its own first and then moved into place:
a connection that ends in between leaves nothing half-written.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from errno import EXDEV
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message
from mlcube_conformance.base.process import run_process
from mlcube_conformance.base.text import tail
from mlcube_conformance.runners.common.scratch import remove_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlcube_conformance.runners.common.liveness import Liveness
    from mlcube_conformance.runners.places.ssh.connection import Connection

__all__ = ["fetch", "push", "readable"]

_RSYNC = (
    "rsync",
    *("--recursive", "--links", "--perms", "--times", "--omit-dir-times"),
    # A program of another's must not become one that runs as its owner.
    "--chmod=ug-s",
    # Two files written in one second may differ.
    "--modify-window=-1",
    "--protect-args",
    # Holes in a file stay holes.
    "--sparse",
    *("--no-human-readable", "--stats", "--from0"),
)
_SENT = re.compile(r"^Total bytes sent: (\d+)", re.MULTILINE)
_RECEIVED = re.compile(r"^Total bytes received: (\d+)", re.MULTILINE)
_NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded")
_INCOMING = ".mlcube-incoming-"
#: Characters that are a file name for sure.
_MAX_NAME = 60


def push(  # noqa: PLR0913 - each is one fact of the files
    connection: Connection,
    base: Path,
    names: Sequence[str],
    there: str,
    *,
    mirror: bool,
    by_content: bool = False,
    limit: tuple[str, float],
    without: Sequence[str] = (),
) -> int:
    """Bring files and folders to a folder of the host; return the bytes sent.

    Args:
        connection: To the host.
        base: Folder that the names are relative to.
        names: What to bring; some of it need not exist.
        there: Folder of the host, whose own parent exists.
        mirror: Whether to remove there what is not here, at and below the names.
        by_content: Whether to read what has the same size and time as well.
        limit: The option that gives it time, and the seconds.
        without: Patterns of what to leave out, as rsync knows them.

    Raises:
        MachineError: It cannot be brought.
    """
    # What is gone here is removed first: a host's rsync may not know, or take, the
    # list entries of other versions by which a sender says that a name is gone.
    gone = [each for each in names if mirror and not os.path.lexists(base / each)]
    if gone:
        connection.ask(
            {"do": "remove", "base": there, "names": gone}, doing="removing old files"
        )
    names = [each for each in names if each not in gone]
    if not names:
        return 0
    options = ["--delete"] if mirror else []
    options += ["--checksum"] if by_content else []
    options += [f"--exclude={each}" for each in (*without, f"{_INCOMING}*")]
    said = _rsync(
        connection,
        options,
        names,
        (f"{base}/", f"{_host(connection)}:{there}/"),
        limit=limit,
        doing=f"sending {base} to it",
        full=f"the disk of {connection.name}",
    )
    return _count(_SENT, said)


def fetch(  # noqa: PLR0913 - each is one fact of the files
    connection: Connection,
    there: str,
    names: Sequence[str],
    base: Path,
    *,
    remote_names: Callable[[], Sequence[str]],
    before: Sequence[str],
    limit: tuple[str, float],
    liveness: Liveness,
) -> int:
    """Bring files and folders from the host, instead of those here; return the bytes.

    Args:
        connection: To the host.
        there: Folder of the host that the names are relative to.
        names: What to bring; some of it need not exist.
        base: Folder here.
        remote_names: Returns all that is there now at and below the names.
        before: All that was sent: what of it is gone there is removed here.
        limit: The option that gives it time, and the seconds.
        liveness: Remembers what an interrupted run leaves.

    Raises:
        MachineError: It cannot be brought; nothing here has changed then. Or it
            cannot be put in place.
    """
    base.mkdir(parents=True, exist_ok=True)
    with _incoming(base, liveness) as folder:
        said = _rsync(
            connection,
            # A task may set the time of what it writes.
            [f"--compare-dest={base}", "--checksum", "--ignore-missing-args"],
            names,
            (f"{_host(connection)}:{there}/", f"{folder}/"),
            limit=limit,
            doing=f"fetching results into {base}",
            full=f"the disk of {base}",
        )
        there_now = set(remote_names())
        try:
            # First of all, since what comes may put a link instead of a folder.
            gone = [each for each in before if each not in there_now]
            for each in sorted(gone, key=len, reverse=True):
                _remove(base / each)
            _merge(folder, base)
        except OSError as error:
            raise _not_fetched(base, error) from error
    return _count(_RECEIVED, said)


@contextmanager
def _incoming(base: Path, liveness: Liveness) -> Iterator[Path]:
    """Make a folder on the same disk as the files to replace."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=_INCOMING, dir=base))
    except OSError as error:
        raise _not_fetched(base, error) from error
    liveness.remember_path(folder)
    try:
        yield folder
    finally:
        remove_all(folder)


def _not_fetched(base: Path, error: OSError) -> MachineError:
    return MachineError(
        Message(
            what="cannot store the results",
            where=str(base),
            found=str(error),
            expected="a writable folder",
            do="fix that, and run it again: the results are still on the host",
        )
    )


def _merge(source: Path, target: Path) -> None:
    """Move files into place, one by one; a link here is replaced, never followed."""
    for each in sorted(source.iterdir()):
        place = target / each.name
        if each.is_dir() and not each.is_symlink():
            if place.is_symlink() or not place.is_dir():
                place.unlink(missing_ok=True)
                place.mkdir()
            # Bits such as that of a shared folder do not travel.
            own = place.stat().st_mode & 0o7000
            mode = each.stat().st_mode & 0o777
            each.chmod(mode | 0o700)
            _give_mode(place, mode | own | 0o700)
            _merge(each, place)
            _give_mode(place, mode | own)
        else:
            if place.is_dir() and not place.is_symlink():
                remove_all(place)
            _move(each, place)


def _give_mode(place: Path, mode: int) -> None:
    """Change the mode of a folder, where it is another and the folder is ours."""
    if stat.S_IMODE(place.stat().st_mode) != mode:
        with suppress(PermissionError):
            place.chmod(mode)


def _move(source: Path, target: Path) -> None:
    """Put a file or link in place; a folder of the workspace may be a disk."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != EXDEV:
            raise
        near = target.with_name(f"{_INCOMING}{target.name}"[:_MAX_NAME])
        shutil.copy2(source, near, follow_symlinks=False)
        near.replace(target)


def _remove(path: Path) -> None:
    """Remove what the task removed; a folder only when nothing is left in it."""
    try:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return  # It holds what came after it was sent.


def _host(connection: Connection) -> str:
    host = connection.place.host
    return f"[{host}]" if ":" in host else host


def _rsync(  # noqa: PLR0913 - each is one fact of the transfer
    connection: Connection,
    options: Sequence[str],
    names: Sequence[str],
    ends: tuple[str, str],
    *,
    limit: tuple[str, float],
    doing: str,
    full: str,
) -> str:
    """Run rsync on a list of names, and return what it says at its end."""
    folder = connection.folder
    listed, said, errors = (folder / f"rsync.{each}" for each in ("in", "out", "err"))
    # Without ./, a name that begins with # or ; would be a comment.
    listed.write_bytes(b"".join(b"./" + os.fsencode(each) + b"\0" for each in names))
    ended = run_process(
        [
            *_RSYNC,
            *options,
            f"--files-from={listed}",
            # rsync splits this text at its spaces; there are none in the path.
            f"--rsh={' '.join(connection.client)}",
            *ends,
        ],
        stdout=said,
        stderr=errors,
        timeout=limit[1],
        env={**os.environ, "LC_ALL": "C"},
    )
    if ended.exit_code == 0:
        return said.read_text(encoding="utf-8", errors="replace")
    if _NO_SPACE.search(errors.read_text(encoding="utf-8", errors="replace")):
        found, do = f"{full} is full", "free some disk space there"
    elif ended.timed_out:
        found = f"no end within {limit[1]:g} s"
        do = f"give more seconds: {limit[0]}" if limit[0] else "check the network"
    elif connection.is_cut(ended.exit_code):
        raise connection.lost(doing)
    else:
        found, do = f"exit code {ended.exit_code} of rsync", "fix what it reports"
    raise MachineError(
        Message(
            what=f"{connection.name}: {doing} fails",
            where=f"{ends[0]} → {ends[1]}",
            found=found,
            expected="a copy of every file",
            do=do,
            tail=tail(errors, 6),
        )
    )


def readable(size: int) -> str:
    """Return a number of bytes for people, as in `11.6 MB`."""
    kilo = 1000
    return f"{size / kilo**2:.1f} MB" if size >= kilo**2 else f"{size / kilo:.0f} kB"


def _count(pattern: re.Pattern[str], said: str) -> int:
    match = pattern.search(said)
    return int(match[1]) if match else 0
