"""The text of logs: their last lines, and secrets that must not be shown."""

from __future__ import annotations

import re
import shlex
from codecs import getincrementaldecoder
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.cut_log import cut_note

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "HIDDEN",
    "TAIL_LINES",
    "TRACEBACK",
    "LiveText",
    "command_line",
    "folded",
    "hide",
    "hides",
    "last_lines",
    "mask",
    "masked",
    "plain",
    "plain_json",
    "shell_words",
    "tail",
    "visible",
]

#: What stands instead of a secret.
HIDDEN = "***"

#: Lines of a log that a message shows.
TAIL_LINES = 20

#: User and password of an address, in text that ends with its last @. A slash may stand
#: in a password, which a colon comes before; behind a port, or an image's or a branch's
#: name, it is part of a path: `docker://ghcr.io/a/b@sha256:…`,
#: `git+https://github.com/a/b@v1`.
_CREDENTIALS = re.compile(r"(?<=://)(?:[^/?#@:]*:(?!\d+/).*@|[^/?#]+@(?!sha256:))")
_PROXY = re.compile(r"\b\w+_proxy=", re.IGNORECASE)
_DIGEST = "@sha256:"
_WORD = re.compile(r"\S+")
_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|.)")
#: Control characters, and those that turn the direction of writing or end a line.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
#: What a CI takes for a command to itself: `::error::` at the start of a line, behind
#: any white space, and `##[error]` or `##vso[task…]` anywhere.
_AT_START = re.compile(r"^([^\S\n]*)(?=::)", re.MULTILINE)
_ANYWHERE = re.compile(r"##(?=\w*\[)")
#: What may become such a command: a whole last line, or the end of one.
_MAY_BEGIN = re.compile(r"[^\S\n]*:?")
_MAY_FOLLOW = re.compile(r"##?\w{0,20}\Z")
#: What stands for a byte of a name that is not UTF-8: nothing can print it.
_NO_SIGN = re.compile(r"[\ud800-\udfff]")
_TAIL_BYTES = 64 * 1024
#: How Python begins a traceback.
TRACEBACK = "Traceback (most recent call last):"
#: Lines of the beginning of a traceback, and what stands for those left out.
_HEAD_LINES = 3
_CUT = "  …"
#: Letters of the shortest value that is hidden.
_SHORTEST = 4
#: Letters of a line that is split into words.
_LONGEST_LINE = 10_000
_EVERYDAY = {
    *("true", "false", "none", "null", "auto", "debug", "info", "warning", "error"),
    *("local", "host", "docker", "test", "cuda", "utf-8", "c.utf-8", "/tmp"),  # noqa: S108 - a word, not a place
}
#: Longest first.
_hidden: list[str] = []


def plain(text: str) -> str:
    """Return a text without control sequences of terminals and CIs."""
    text = _NO_SIGN.sub("\ufffd", _CONTROL.sub("", _ESCAPE.sub("", text)))
    return _without_commands(text)


def visible(text: str) -> str:
    """Return a text as one line, in which control characters are seen as escapes."""
    text = text.replace("\t", "\\t").replace("\n", "\\n")
    return _NO_SIGN.sub(_byte, _CONTROL.sub(_escaped, text))


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _byte(match: re.Match[str]) -> str:
    """Return the byte of a name that is not UTF-8, as Python keeps it (PEP 383)."""
    return f"\\x{ord(match[0]) & 0xFF:02x}"


def _without_commands(text: str) -> str:
    return _ANYWHERE.sub("## ", _AT_START.sub(r"\1| ", text))


def plain_json(text: str) -> str:
    """Return a JSON text that means the same and holds no command to a CI."""
    return _ANYWHERE.sub(r"#\\u0023", text)


def shell_words(line: str) -> list[str]:
    """Return the words of a line as a shell reads them; none where that takes long."""
    try:
        return shlex.split(line) if len(line) <= _LONGEST_LINE else []
    except ValueError:
        return []  # A quote is not closed.


def folded(text: str, width: int, first: str, others: str) -> list[str]:
    """Return a line as several; a long word, such as a path, is left whole.

    Args:
        text: One line.
        width: Columns of the terminal.
        first: What the first line begins with.
        others: What the others begin with.
    """
    return wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=others,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )


def command_line(words: Iterable[str]) -> str:
    """Return words as a shell reads them, on one line, control characters escaped."""
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    signs = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{visible(signs)}'"


class LiveText:
    """Makes the live output of a task safe to show, piece by piece."""

    def __init__(self) -> None:
        """Begin at the start of a line."""
        # A piece may end in the middle of a character.
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self._in_line = False

    def add(self, piece: bytes) -> str:
        """Return the text to show now, with visible control characters.

        What may be the beginning of a hidden value, or of a command to a CI, waits for
        the next piece.
        """
        text = self._held + self._decoder.decode(piece)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        end = len(text) - self._count_to_hold(text)
        self._held = text[end:]
        return "".join(map(self._line, mask(text[:end]).splitlines(keepends=True)))

    def end(self) -> str:
        """Return the buffered rest."""
        text, self._held = self._held, ""
        return "".join(map(self._line, mask(text).splitlines(keepends=True)))

    def _count_to_hold(self, text: str) -> int:
        _, newline, last = text.rpartition("\n")
        at_start = bool(newline) or not self._in_line
        begun = _MAY_FOLLOW.search(last)
        count = len(begun[0]) if begun else 0
        if at_start and _MAY_BEGIN.fullmatch(last):
            count = len(last)
        for each in _hidden:
            for length in range(min(len(each) - 1, len(text)), count, -1):
                if text.endswith(each[:length]):
                    count = length
                    break
        return count

    def _line(self, text: str) -> str:
        line = text.removesuffix("\n")
        shown = _CONTROL.sub(_caret, _ANYWHERE.sub("## ", line))
        if not self._in_line:
            shown = _AT_START.sub(r"\1| ", shown)
        self._in_line = line == text
        return shown + text[len(line) :]


def _caret(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"^{chr(code ^ 64)}" if code < 128 else _escaped(match)  # noqa: PLR2004 - as `cat -v` writes it


def hide(values: Iterable[str]) -> None:
    """Let `mask` leave out these values, and no others, from now on.

    They are what the command line gives to tasks and builds. Those of few letters, and
    words of every day, say nothing and stand in too many texts.
    """
    lines = {line.strip() for value in values for line in (value, *value.splitlines())}
    _hidden.clear()
    _hidden.extend(
        sorted(
            (
                line
                for line in lines
                if len(line) >= _SHORTEST and line.lower() not in _EVERYDAY
            ),
            key=len,
            reverse=True,  # a value may be part of another
        )
    )


def hides() -> bool:
    """Say whether any values are hidden."""
    return bool(_hidden)


def mask(text: str) -> str:
    """Return a text without hidden values, and without the passwords of its URLs."""
    for each in _hidden:
        text = text.replace(each, HIDDEN)
    return _WORD.sub(_without_credentials, text) if "@" in text else text


def masked(found: Any) -> Any:  # noqa: ANN401 - as JSON knows it
    """Return a document with `mask` applied to its texts."""
    if isinstance(found, str):
        return mask(found)
    if isinstance(found, dict):
        return {key: masked(value) for key, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [masked(each) for each in found]
    return found


def _without_credentials(match: re.Match[str]) -> str:
    """Return a word without passwords; in time that grows with its length alone.

    A task may say anything, such as a million addresses in one word.
    """
    word = match[0]
    end = word.rfind("@")
    while word.startswith(_DIGEST, end):
        end = word.rfind("@", 0, end)
    if "://" in word[:end]:
        word = _CREDENTIALS.sub(f"{HIDDEN}@", word[: end + 1]) + word[end + 1 :]
    # That of a proxy may be written without `://`.
    address, at = word.rfind("://"), word.rfind("@")
    for each in _PROXY.finditer(word):
        if address <= each.end() < at:
            return f"{word[: each.end()]}{HIDDEN}{word[at:]}"
    return word


def tail(log: Path, lines: int = TAIL_LINES) -> tuple[str, ...]:
    """Return the last lines of a log, oldest first; none when it does not exist.

    Of a log that was cut, the line that says so comes before them.
    """
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
        cut = plain(cut_note(log))
    except OSError:
        return ()
    said = last_lines(text, lines)
    return (cut, *said) if cut and cut not in said else said


def last_lines(text: str, lines: int = TAIL_LINES) -> tuple[str, ...]:
    """Return the last lines of a text that say something, fit to be shown.

    Of a line that was written over, such as a progress bar, that is its last state. Of
    a traceback that is longer, its beginning comes first: it says where it began.
    """
    written = mask(text).replace("\r\n", "\n").split("\n")
    said = [plain(_last_state(each)).rstrip() for each in written]
    said = [each for each in said if each]
    start = len(said) - lines
    if lines > _HEAD_LINES + 1 and start > 0:
        head = _traceback_before(said, start)
        if head is not None:
            first = said[head : min(head + _HEAD_LINES, start + _HEAD_LINES + 1)]
            return (*first, _CUT, *said[start + len(first) + 1 :])
    return tuple(said[-lines:])


def _last_state(line: str) -> str:
    """Return what a terminal shows of a line in the end."""
    states = (each for each in reversed(line.split("\r")) if each.strip())
    return next(states, "")


def _traceback_before(said: list[str], start: int) -> int | None:
    """Return the first line of the traceback that a line is in, if it is in one."""
    for place in range(start, -1, -1):
        if said[place].endswith(TRACEBACK):
            return place if place < start else None
        if not said[place].startswith((" ", "\t")):
            return None
    return None
