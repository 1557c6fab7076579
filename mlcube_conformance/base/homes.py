"""The user's home and cache, and what a `~` means: never the wrong folder."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from mlcube_conformance.base.errors import MachineError, Message, UsageError
from mlcube_conformance.base.files import is_folder, is_there, what_is_wrong_with
from mlcube_conformance.base.paths import nearest

__all__ = [
    "cache_folder",
    "current_folder",
    "given_folder",
    "given_path",
    "home",
    "is_of_another_user",
    "is_written_as_path",
    "with_home",
]


def home() -> Path:
    """Return the user's home: what HOME says, else what the system knows.

    Raises:
        MachineError: Neither says one.
    """
    for found in (os.environ.get("HOME", ""), _known_home()):
        if found.startswith("/") and not what_is_wrong_with(found):
            return Path(found)
    raise MachineError(
        Message(
            what="the home folder is unknown",
            where="HOME",
            found=f"HOME={os.environ['HOME']!r}"
            if "HOME" in os.environ
            else "no HOME, and no entry for the user in /etc/passwd",
            expected="the absolute path of a folder",
            do="export HOME=/path/of/your/home",
        )
    )


def _known_home() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


def cache_folder() -> Path:
    """Return our cache folder.

    Raises:
        MachineError: The home is unknown, and XDG_CACHE_HOME names none.
    """
    given = os.environ.get("XDG_CACHE_HOME", "")
    whole = given.startswith("/") and not what_is_wrong_with(given)
    return (Path(given) if whole else home() / ".cache") / "mlcube-conformance"


def is_of_another_user(text: str) -> bool:
    """Say whether a text may mean the home of somebody, as `~name/file` does."""
    first = text.partition("/")[0]
    return first.startswith("~") and first != "~"


def with_home(text: str) -> Path:
    """Return the path that a text means, where only a first `~` means the home.

    Raises:
        MachineError: It needs the home, which is unknown.
    """
    first, _, rest = text.partition("/")
    return home() / rest.lstrip("/") if first == "~" else Path(text)


def is_written_as_path(word: str) -> bool:
    """Say whether a word that may be a name or a path is written as a path."""
    return "/" in word or word.endswith((".yaml", ".yml"))


def given_folder(text: str, option: str) -> Path:
    """Return the path of a folder that is there, or may be made; see `given_path`.

    Raises:
        UsageError: It can be no path, or something else is there.
    """
    path = given_path(text, option)
    there = nearest(path)
    if not is_folder(there):
        raise UsageError(
            Message(
                what=f"{option} is not a folder",
                where=option,
                found=str(there),
                expected="a new or existing folder",
                do="fix the path",
            )
        )
    return path


def given_path(text: str, option: str = "") -> Path:
    """Return the absolute path that a text of the command line means, without `..`.

    All that reads a path of an option or an argument calls this, and nothing else makes
    such a path absolute.

    Raises:
        UsageError: It can be no path, or may mean the home of somebody else, or a
            stream.
    """
    wrong = what_is_wrong_with(text) if text else "nothing"
    do = "fix the path"
    if not wrong and is_of_another_user(text) and not is_there(_first(text)):
        wrong = f"{text}: a shell would have replaced {text.partition('/')[0]}"
        do = "write the path in full, or ./~NAME for a folder of that name"
    if text == "-":
        wrong = "'-', which names no file here"
        do = "write the path in full, or ./- for a file or folder of that name"
    if wrong:
        raise UsageError(
            Message(
                what="a path on the command line is invalid",
                where=option or text[:80],
                found=wrong,
                expected="the path of a file or folder",
                do=do,
            )
        )
    path = with_home(text)
    if not path.is_absolute():
        path = current_folder() / path
    return Path(os.path.abspath(path))  # noqa: PTH100 - drops ..


def current_folder() -> Path:
    """Return the folder that the user stands in.

    Raises:
        UsageError: It is gone.
    """
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError(
            Message(
                what="the current folder no longer exists",
                where=os.environ.get("PWD", ""),
                found=str(error.strerror),
                expected="an existing folder",
                do="change to another folder and run again",
            )
        ) from error


def _first(text: str) -> Path:
    return Path(text.partition("/")[0])
