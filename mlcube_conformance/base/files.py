"""The one place where files that others wrote are looked at, walked and opened.

A cube may hold links, pipes, devices, loops and folders without an end. What is read
here stays in the folders that it belongs to, is a plain file, and is small.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mlcube_conformance.base.errors import Message, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "LARGEST",
    "ODD",
    "EntryKind",
    "RealPaths",
    "TreeError",
    "below",
    "is_folder",
    "is_inside",
    "is_loop",
    "is_no_utf8",
    "is_plain_file",
    "is_there",
    "kind_of",
    "read_bytes",
    "read_text",
    "refuse_depth",
    "resolved",
    "unreadable",
    "what_is_at",
    "what_is_wrong_with",
]

EntryKind = Literal["file", "directory", "link", "pipe", "socket", "device"]

#: Bytes of the largest file that is read: about fifty times the largest seen.
LARGEST = 256 * 1024
#: Bytes of one name, and of a path, on the file systems of Linux.
_LONGEST_NAME = 255
_LONGEST_PATH = 4095
#: As deep as folders may be in one another: less than calls can.
_DEEPEST = 300
_KINDS: dict[int, EntryKind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
}
#: What holds no data, and may let its reader wait for ever.
ODD = frozenset({"pipe", "socket", "device"})
_PLAIN = "a plain file"


class TreeError(OSError):
    """A folder cannot be walked: it is nested too deep, or has no end."""


def kind_of(mode: int) -> EntryKind:
    """Return what something is, by its mode; nothing is opened for it."""
    return _KINDS.get(stat.S_IFMT(mode), "device")


def what_is_at(path: Path) -> EntryKind | Literal["nothing"]:
    """Return what a path points to, its links followed; "link" for a broken one."""
    for look in (os.stat, os.lstat):
        with suppress(OSError, ValueError):
            return kind_of(look(path).st_mode)
    return "nothing"


def is_there(path: Path) -> bool:
    """Say whether anything has that name, even a broken link."""
    return os.path.lexists(path)


def is_folder(path: Path) -> bool:
    """Say whether a path points to a folder; one that cannot exist does not."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises for some


def is_plain_file(path: Path) -> bool:
    """Say whether a path points to a plain file; one that cannot exist does not."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for some


def resolved(path: Path) -> Path:
    """Return a path with its links followed as far as they lead anywhere."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return path


def is_loop(path: Path) -> bool:
    """Say whether links lead from a path to itself, so it has no target."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    except ValueError:
        pass  # No path at all.
    return False


def is_inside(root: Path, path: Path) -> bool:
    """Say whether a path, with its links followed, stays in a folder."""
    return RealPaths().is_inside(root, path)


class RealPaths:
    """Follows links, those above the files of one folder once.

    It serves while files are only read: where a folder points to is not asked again.
    """

    def __init__(self) -> None:
        """Start with no folder."""
        self._folders: dict[str, str] = {}
        self._tops: dict[Path, str] = {}

    def of(self, path: Path, *, strict: bool = False) -> str:
        """Return a path with its links followed, as text.

        Raises:
            OSError, ValueError: It does not exist, and `strict` asks for it.
        """
        folder, _, name = os.fspath(path).rpartition("/")
        if not folder or name in {"", ".", ".."}:
            return os.path.realpath(path, strict=strict)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        place = f"{self._folders[folder].rstrip('/')}/{name}"
        try:
            is_link = stat.S_ISLNK(os.lstat(place).st_mode)
        except OSError:
            is_link = True  # or it is missing: reported as a link would be
        return os.path.realpath(path, strict=strict) if is_link else place

    def is_inside(self, root: Path, path: Path) -> bool:
        """Say whether a path, with its links followed, stays in a folder."""
        if _cannot_be(path) or (root not in self._tops and _cannot_be(root)):
            return False
        return self.holds(root, self.of(path))

    def holds(self, root: Path, place: str) -> bool:
        """Say whether a place, without links, is a folder or inside it."""
        if root not in self._tops:
            self._tops[root] = self.of(root)
        top = self._tops[root]
        return place == top or place.startswith(f"{top.rstrip('/')}/")


def _cannot_be(path: Path) -> str:
    """Say why nothing can be at a path: a loop of links, or a name that none has."""
    if wrong := what_is_wrong_with(os.fspath(path)):
        return wrong
    try:
        os.stat(path)  # noqa: PTH116 - faster
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENAMETOOLONG}:
            return _words(error)
    return ""


def what_is_wrong_with(path: str) -> str:
    """Say why a text cannot be the path of anything, or return ""."""
    try:
        names = os.fsencode(path)
    except UnicodeEncodeError:
        return "a character that no file name can have"
    if b"\0" in names:
        return "a null character"
    longest = max(len(name) for name in names.split(b"/"))
    if longest > _LONGEST_NAME or len(names) > _LONGEST_PATH:
        return f"{len(names)} bytes, {longest} of them in one name"
    if names.count(b"/") > _DEEPEST:
        return f"folders nested more than {_DEEPEST} deep"
    return ""


def is_no_utf8(name: str) -> bool:
    """Say whether a name is kept as bytes that are not text."""
    return any("\ud800" <= sign <= "\udfff" for sign in name)


def read_text(
    file: Path,
    *roots: Path,
    limit: int = LARGEST,
    real_paths: RealPaths | None = None,
) -> str:
    """Return the text of a small file; see `read_bytes`.

    Raises:
        Violation: It cannot be read, or is not UTF-8.
    """
    try:
        content = read_bytes(file, *roots, limit=limit, real_paths=real_paths)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(file, f"byte {error.start} is not UTF-8", "UTF-8") from error


def read_bytes(
    file: Path,
    *roots: Path,
    limit: int = LARGEST,
    real_paths: RealPaths | None = None,
    cut: bool = False,
) -> bytes:
    """Return the content of a small plain file.

    Args:
        file: The file.
        roots: Folders in one of which it must be, with its links followed; none for
            a file that the user named.
        limit: Bytes that it may have at most.
        real_paths: Knows where folders point to that others were just read from.
        cut: Whether only the beginning of a larger one is wanted.

    Raises:
        Violation: It points elsewhere, is not a plain file, is too large, or cannot be
            read. Messages show nothing of its content.
    """
    try:
        real = real_paths or RealPaths()
        place = real.of(file, strict=True)
        if roots and not any(real.holds(root, place) for root in roots):
            raise unreadable(
                file,
                f"a link to {place}, outside of the cube",
                "a file in the cube",
                "replace the link by the file itself",
            )
        # Before it is opened, which does something to some devices.
        _refuse_odd(file, os.stat(place))  # noqa: PTH116 - as text
        # Neither follows what has become a link since, nor waits for a pipe.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
        with open(os.open(place, flags | os.O_CLOEXEC), "rb") as opened:  # noqa: PTH123 - a number
            _refuse_odd(file, os.fstat(opened.fileno()))
            content = opened.read(limit + 1)
    except (OSError, ValueError) as error:
        odd = what_is_at(file)  # One without a name, as of <(command) in a shell.
        if odd in ODD:
            raise unreadable(file, f"a {odd}", _PLAIN) from error
        do = "fix the path" if isinstance(error, FileNotFoundError) else "fix the file"
        raise unreadable(file, _words(error), "a readable file", do) from error
    if len(content) > limit and not cut:
        raise unreadable(file, "more bytes", f"at most {limit} bytes")
    return content


def _refuse_odd(file: Path, status: os.stat_result) -> None:
    kind = kind_of(status.st_mode)
    if kind != "file":
        kind_said = "a folder" if kind == "directory" else f"a {kind}"
        raise unreadable(file, kind_said, _PLAIN)


def _words(error: Exception) -> str:
    if getattr(error, "errno", None) == errno.ELOOP:
        return "a link to itself"
    if isinstance(error, FileNotFoundError):
        return "a broken link, or nothing"
    if isinstance(error, OSError):
        return str(error.strerror or error)
    return "an invalid file name"


def unreadable(
    file: Path, found: str, expected: str, do: str = "fix the file", what: str = ""
) -> Violation:
    """Return the error of an unreadable or unusable file."""
    return Violation(
        Message(
            what=what or f"{file.name[:40]} cannot be read",
            where=str(file),
            found=found,
            expected=expected,
            do=do,
        )
    )


def below(
    root: Path,
    left_out: Callable[[Path], bool] = lambda _: False,
    *,
    whole: bool = False,
) -> Iterator[Path]:
    """Yield everything below a folder, each folder before its content.

    Links are yielded and not followed. A loop, since calls cannot go as deep as
    folders.

    Args:
        root: The folder.
        left_out: Says what is neither yielded nor entered.
        whole: Whether a folder that may not be listed is an error, not an empty one.

    Raises:
        TreeError: Folders are nested too deep.
        PermissionError: A folder may not be listed, and the whole is asked for.
    """
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        refuse_depth(depth, root)
        inside = []
        for each in _listed(folder, whole=whole):
            path = Path(each.path)
            if not left_out(path):
                yield path
                if each.is_dir(follow_symlinks=False):
                    inside.append((path, depth + 1))
        waiting += reversed(inside)


def refuse_depth(depth: int, root: Path) -> None:
    """Refuse to go deeper below a folder than engines and programs can follow.

    Raises:
        TreeError: It is too deep.
    """
    if depth > _DEEPEST:
        text = f"folders nested more than {_DEEPEST} deep"
        raise TreeError(errno.ENAMETOOLONG, text, str(root))


def _listed(folder: Path, *, whole: bool) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda each: each.name)
    except PermissionError:
        if whole:
            raise
    except (NotADirectoryError, FileNotFoundError):
        pass  # gone again
    return []
