"""The files that say what a cube needs installed, as pip reads them.

pip follows `-r` and `-c` wherever they lead, and shows what it does not understand:
what is outside of the build context is refused before it is asked.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from mlcube_conformance.base.files import (
    is_there,
    read_text,
    unreadable,
    what_is_wrong_with,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlcube_conformance.base.errors import Violation
    from mlcube_conformance.model import Cube

__all__ = ["requirement_files", "requirements_of"]

#: Files that may name one another.
_MOST_FILES = 100
#: Options that name another file, as pip takes them: short, long, or cut short.
_SHORT = re.compile(r"-[rc](.*)", re.DOTALL)
_LONG = re.compile(r"--(?:re\w*|c\w*)(?:=(.*))?", re.DOTALL)
_COMMENT = re.compile(r"(^|\s+)#.*")
_CODING = re.compile(r"#.*coding[:=]\s*(?!utf-?8\b)[-\w.]+", re.IGNORECASE)
_ELSEWHERE = re.compile(r"https?://", re.IGNORECASE)


def requirements_of(cube: Cube) -> Path:
    """Return the file that says what a cube needs installed, there or not."""
    return cube.docker.context / "requirements.txt"


def requirement_files(cube: Cube) -> dict[str, str]:
    """Return the text of each file that says what a cube needs, by its path.

    Raises:
        Violation: One of them cannot be read, or is outside of the build context.
    """
    first = requirements_of(cube)
    found: dict[str, str] = {}
    waiting = [first] if is_there(first) else []
    while waiting:
        file = waiting.pop()
        if str(file) in found:
            continue
        text = found[str(file)] = read_text(file, cube.docker.context)
        if len(found) > _MOST_FILES:
            raise _refusal(file, f"more than {_MOST_FILES} files", "fewer files")
        if _CODING.search("\n".join(text.split("\n", 2)[:2])):
            raise _refusal(file, "another encoding than UTF-8", "UTF-8")
        waiting += [_named(file, name) for name in _names(text)]
    return found


def _named(file: Path, name: str) -> Path:
    if "${" in name or ":" in name or what_is_wrong_with(name):
        raise _refusal(file, name[:80], "the path of a file of the build context")
    return file.parent / name


def _names(text: str) -> Iterator[str]:
    """Yield the files that a file of requirements names."""
    for line in re.sub(r"\\\r?\n", "", text).splitlines():
        words = _options(_COMMENT.sub("", line))
        for word in words:
            match = _LONG.fullmatch(word) or _SHORT.fullmatch(word)
            if match:
                name = match[1] or next(words, "")
                name = name.removeprefix("=") if word.startswith("--") else name
                if name and not _ELSEWHERE.match(name):
                    yield name


def _options(line: str) -> Iterator[str]:
    try:
        return iter(shlex.split(line[:10_000]))
    except ValueError:
        return iter(line.split())


def _refusal(file: Path, found: str, expected: str) -> Violation:
    what = "cannot use a requirements file"
    return unreadable(file, found, expected, "fix the line that names it", what)
