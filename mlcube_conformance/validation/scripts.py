"""Finds what keeps a script from being started: its mode, its first line, line ends.

Docker starts the words of an entry point by `execve`: a file needs an exec bit and,
unless it is a program, a `#!` line. The name of the interpreter ends where the line
does, and a carriage return before that becomes a part of it.
"""

from __future__ import annotations

import os
import posixpath
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Violation
from mlcube_conformance.base.files import (
    is_folder,
    is_inside,
    is_plain_file,
    read_bytes,
)
from mlcube_conformance.base.text import shell_words, visible
from mlcube_conformance.validation.flaw import flaw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from mlcube_conformance.results.flaw import Flaw
    from mlcube_conformance.runners.common.dockerfile.stages import Copy

__all__ = [
    "Contents",
    "line_ends_of_windows",
    "matches",
    "script_flaws",
    "shell_script",
]

_SHELLS = {"sh", "bash", "dash", "ash", "ksh", "zsh"}
_SHELL_IN_FIRST_LINE = re.compile(rb"#!.*\b(?:ba|da|a|k|z)?sh\b")
_SETS_MODE = re.compile(r"\bchmod\b|\binstall\s+-\w*m|\bsetfacl\b")
#: What a command of more than one file has.
_OF_MANY = re.compile(r"\s-\w*R|--recursive|[*$]|\bfind\b")
_CONVERTS = re.compile(r"\bdos2unix\b|\\r|\\x0d|\\015")
_TEXT_BELOW = "<<"
_PATTERN = re.compile(r"[*?\[\\]")
#: Words in `sh -c 'exec WORDS'`.
_OF_SHELL_LINE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a recipe puts into an image, as far as the files of a cube tell."""

    root: Path
    """Folder of the cube."""
    context: Path
    """Folder that sources are relative to."""
    copies: tuple[Copy, ...]
    commands: tuple[str, ...]
    """What the build runs."""
    workdir: str = "/"

    def file_at(self, path: str) -> tuple[Path, Copy] | None:
        """Return the file of the context that is at a path of the image, if any."""
        place = posixpath.normpath(posixpath.join(self.workdir, path))
        for copy in reversed(self.copies):
            for source in matches(self.context, copy) if copy.certain else ():
                found = _within(source, copy, place)
                if found and is_plain_file(found) and is_inside(self.context, found):
                    return found, copy
        return None

    def sets_mode(self, name: str) -> bool:
        """Say whether a command may make a file executable."""
        return any(
            _TEXT_BELOW in each
            or (_SETS_MODE.search(each) and (name in each or _OF_MANY.search(each)))
            for each in self.commands
        )

    def converts_lines(self) -> bool:
        """Say whether a command may give files other line ends."""
        return any(
            _TEXT_BELOW in each or _CONVERTS.search(each) for each in self.commands
        )


def matches(context: Path, copy: Copy) -> Iterator[Path]:
    """Yield what a source of a COPY means in its context; `..` stays at its top.

    Two stars mean what one does, as in Docker.
    """
    source = posixpath.normpath(f"/{copy.source}").lstrip("/")
    if not source:
        yield context
        return
    found: Iterable[Path] = (context / source,)
    try:
        if _PATTERN.search(source):
            found = context.glob(re.sub(r"\*+", "*", source))
        for each in found:
            if os.path.lexists(each) and is_inside(context, each):
                yield each
    except (ValueError, NotImplementedError, OSError, RecursionError):
        return  # A pattern that only Docker's program understands, or refuses.


def _within(source: Path, copy: Copy, place: str) -> Path | None:
    """Return the file of a source that is copied to a place of the image."""
    if is_folder(source):
        top = copy.target.rstrip("/")
        return source / place[len(top) + 1 :] if place.startswith(f"{top}/") else None
    inside = posixpath.join(copy.target, source.name)
    named = not copy.into_folder and place == copy.target
    return source if named or place == inside else None


def shell_script(words: Sequence[str]) -> str | None:
    """Return the line of `sh -c LINE`; None where words start something else."""
    if len(words) < _OF_SHELL_LINE or posixpath.basename(words[0]) not in _SHELLS:
        return None
    return words[2] if words[1] in {"-c", "-ec", "-lc", "-ce", "-cl"} else None


def script_flaws(contents: Contents, words: Sequence[str]) -> Iterator[Flaw]:
    """Yield what keeps a script from being started.

    Args:
        contents: What the image holds.
        words: The entry point.
    """
    line = shell_script(words)
    if line is not None:
        words = shell_words(line)
        words = words[1:] if words[:1] == ["exec"] else words
    direct = bool(words) and "/" in words[0]
    found = contents.file_at(words[0]) if direct else None
    if found is not None:
        yield from _direct(contents, *found)
        return
    if len(words) > 1 and posixpath.basename(words[0]) in _SHELLS:
        found = None if words[1].startswith("-") else contents.file_at(words[1])
        if found is not None:
            yield from _line_ends(contents, found[0], _start(contents, found[0]), 0)


def _direct(contents: Contents, file: Path, copy: Copy) -> Iterator[Flaw]:
    mode = file.stat().st_mode & 0o777
    if not (mode & 0o111 or copy.mode is not None or contents.sets_mode(file.name)):
        yield flaw(
            "RECIPE-2",
            f"the entry point {file.name[:30]!r} is not executable",
            file,
            found=f"mode {mode:o}, and no chmod in the recipe",
            expected="an exec bit, which COPY keeps",
            do=f"run chmod +x {visible(shlex.quote(file.name))}, and commit the mode: "
            "git update-index --chmod=+x",
        )
    start = _start(contents, file)
    if start and not start.startswith((b"#!", b"\x7fELF")) and b"\0" not in start:
        yield flaw(
            "RECIPE-2",
            f"the entry point {file.name[:30]!r} names no interpreter",
            file,
            1,
            found="a text whose first line does not begin with #!",
            expected="#! and the path of an interpreter, such as #!/bin/sh",
            do="add the line, or name the interpreter in the entry point",
        )
    if start.startswith(b"#!"):
        by_shell = _SHELL_IN_FIRST_LINE.match(start.partition(b"\n")[0])
        yield from _line_ends(contents, file, start, 0 if by_shell else 1)


def _line_ends(
    contents: Contents, file: Path, start: bytes, lines: int
) -> Iterator[Flaw]:
    """Yield that lines end as in Windows: the first ones, or any for 0."""
    text = b"\n".join(start.split(b"\n")[:lines]) if lines else start
    at = text.find(b"\r\n" if not lines else b"\r")
    if at < 0 or contents.converts_lines():
        return
    line = text.count(b"\n", 0, at) + 1
    yield line_ends_of_windows(f"the script {file.name[:30]!r}", file, line)


def line_ends_of_windows(what: str, file: Path, line: int) -> Flaw:
    """Return that something has them, from a line on."""
    return flaw(
        "RECIPE-2",
        f"{what} has line ends of Windows",
        file,
        line,
        found="a carriage return at the end of the line",
        expected="LF line ends: the return would be a part of the last word",
        do="write LF line ends, and let git keep them: eol=lf in .gitattributes",
    )


def _start(contents: Contents, file: Path) -> bytes:
    try:
        return read_bytes(file, contents.context, contents.root, cut=True)
    except Violation:
        return b""  # The build says so.
