"""What `.dockerignore` leaves out of a build, by the rules of Docker's reference.

Patterns become regular expressions that look at no sign twice, whatever stands in
them; folders are entered in a loop, since calls cannot go as deep.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from errno import E2BIG
from typing import TYPE_CHECKING

from mlcube_conformance.base.files import TreeError, below, is_there, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["kept_files", "patterns_of"]

_MOST_PATTERNS = 500
#: Bytes of the file: each becomes a part of an expression.
_LARGEST = 32 * 1024
_ANYWHERE = re.compile(r"\*\*+/?")
_SET = re.compile(r"\[([!^]?)(\]?(?:\\.|[^\]\\])*)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    text: str
    keeps: bool
    """Whether it brings back what an earlier one leaves out."""
    expression: re.Pattern[str]


def patterns_of(context: Path) -> list[str]:
    """Return the lines of a context's `.dockerignore` that say something.

    Raises:
        Violation: It cannot be read, or points out of the context.
        TreeError: It has too many lines.
    """
    file = context / ".dockerignore"
    if not is_there(file):
        return []
    lines = read_text(file, context, limit=_LARGEST).splitlines()
    found = [
        line.strip() for line in lines if line.strip() and not line.startswith("#")
    ]
    if len(found) > _MOST_PATTERNS:
        what = f"{len(found)} patterns, of which {_MOST_PATTERNS} are read"
        raise TreeError(E2BIG, what, str(file))
    return found


def kept_files(context: Path, patterns: Iterable[str]) -> list[str]:
    """Return what a build gets: paths relative to the context, in order.

    Args:
        context: The folder.
        patterns: As in `.dockerignore`; a later one counts more.

    Raises:
        TreeError: Folders are nested too deep.
    """
    read = [*map(_pattern, (*patterns, "!Dockerfile", "!.dockerignore"))]
    compiled = [each for each in read if each.text]
    kept: list[str] = []
    #: By which patterns a folder matches: so does all that is in it.
    matching: dict[Path, set[int]] = {}

    def left_out(path: Path) -> bool:
        name = str(path.relative_to(context))
        found = matching.get(path.parent, set()) | {
            index
            for index, each in enumerate(compiled)
            if each.expression.fullmatch(name)
        }
        matching[path] = found
        is_out = bool(found) and not compiled[max(found)].keeps
        if not is_out:
            kept.append(name)
        return is_out and not _may_hold(name, compiled)

    for _ in below(context, left_out):
        pass
    return sorted(kept)


def _may_hold(folder: str, patterns: Sequence[_Pattern]) -> bool:
    """Say whether a pattern may bring back something of a folder."""
    return any(each.keeps and f"{each.text}/".startswith(folder) for each in patterns)


def _pattern(line: str) -> _Pattern:
    keeps = line.startswith("!")
    names: list[str] = []
    for name in line[keeps:].strip().split("/"):
        if name == ".." and names:
            names.pop()
        elif name not in {"", ".", ".."}:
            names.append(name)
    text = "/".join(names)
    return _Pattern(text=text, keeps=keeps, expression=_expression(text))


def _expression(text: str) -> re.Pattern[str]:
    """Turn a pattern into an expression for a whole path.

    What stands between two `**` is looked for from the left, and what is found first
    is kept (`(?>…)`): the later one takes whatever is between.
    """
    first, *others = (_of_names(each) for each in _ANYWHERE.split(text))
    if not others:
        return re.compile(first, re.DOTALL)
    *middle, last = others
    found = "".join(f"(?>(?:.*?/)??{each})" for each in middle if each)
    end = f"(?:.*/)?{last}" if last else ".*"
    return re.compile(first + found + end, re.DOTALL)


def _of_names(text: str) -> str:
    return "/".join(_of_name(each) for each in text.split("/"))


def _of_name(text: str) -> str:
    first, *others = _without_stars(text)
    if not others:
        return first
    *middle, last = others
    found = "".join(f"(?>[^/]*?{each})" for each in middle if each)
    return f"{first}{found}[^/]*{last}"


def _without_stars(text: str) -> list[str]:
    """Split the text of a name at its stars; what is between is an expression."""
    pieces = [""]
    place = 0
    while place < len(text):
        sign = text[place]
        match = _SET.match(text, place) if sign == "[" else None
        if sign == "*":
            pieces.append("")
        elif match and match[2]:
            pieces[-1] += f"[{'^/' if match[1] else ''}{_members(match[2])}]"
            place = match.end() - 1
        elif sign == "?":
            pieces[-1] += "[^/]"
        elif sign == "\\" and place + 1 < len(text):
            place += 1
            pieces[-1] += re.escape(text[place])
        else:
            pieces[-1] += re.escape(sign)
        place += 1
    return pieces


def _members(text: str) -> str:
    """Return the characters and ranges of a set; a backward range is empty."""
    found = []
    signs = re.findall(r"\\?(.)", text, re.DOTALL)
    place = 0
    while place < len(signs):
        first = last = signs[place]
        if signs[place + 1 : place + 2] == ["-"] and place + 2 < len(signs):
            last = signs[place + 2]
            place += 2
        if first <= last:
            found.append(f"{re.escape(first)}-{re.escape(last)}")
        place += 1
    return "".join(found) or r"^\s\S"
