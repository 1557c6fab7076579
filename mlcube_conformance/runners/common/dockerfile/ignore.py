"""What `.dockerignore` leaves out of a build, as Docker's own program reads it.

Its rules are those of Go's `filepath.Match` and `regexp`, in this order:
https://github.com/moby/patternmatcher. A pattern that it refuses is refused.

Patterns become regular expressions that look at no sign twice, whatever stands in
them; folders are entered in a loop, since calls cannot go as deep.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from errno import E2BIG
from typing import TYPE_CHECKING, NoReturn

from mlcube_conformance.base.files import TreeError, below, is_there, read_text
from mlcube_conformance.base.names import FOLDER
from mlcube_conformance.runners.common.dockerfile.bases import names_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Sieve", "kept_files", "patterns_of", "sent_files"]

_MOST_PATTERNS = 500
#: Bytes of the file: each becomes a part of an expression.
_LARGEST = 32 * 1024
_ANYWHERE = re.compile(r"\*\*+/?")
#: What a backslash and a letter mean in expressions of Go.
_ESCAPES = {
    "d": "[0-9]",
    "D": "[^0-9]",
    "s": r"[\t\n\f\r ]",
    "S": r"[^\t\n\f\r ]",
    "w": "[0-9A-Za-z_]",
    "W": "[^0-9A-Za-z_]",
    **{each: rf"\{each}" for each in "abfnrtvB"},
}
_BOM = "\ufeff"
#: Folders at the top of a cube that a build gets only where its recipe names them.
_BESIDES = (".git", "workspace")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    text: str
    keeps: bool
    """Whether it brings back what an earlier one leaves out."""
    expression: re.Pattern[str]


def sent_files(context: Path, file: Path, recipe: str) -> list[str]:
    """Return what a build gets of its context: paths relative to it, in order.

    Args:
        context: The folder.
        file: The recipe.
        recipe: Its text.

    Raises:
        Violation: `.dockerignore` cannot be read, or points out of the context.
        TreeError: Folders are nested too deep, or there are too many patterns.
        ValueError: Docker's program refuses a pattern.
    """
    # In a cube that is its own context, runs would change what it is built from.
    besides = (each for each in _BESIDES if not names_folder(recipe, each))
    return kept_files(context, [FOLDER, *besides, *patterns_of(context, file)])


def patterns_of(context: Path, recipe: Path) -> list[str]:
    """Return the lines of a context's `.dockerignore` that say something.

    One that has a recipe's name before its own stands instead of that of the context.

    Raises:
        Violation: It cannot be read, or points out of the context.
        TreeError: It has too many lines.
    """
    of_recipe = recipe.with_name(f"{recipe.name}.dockerignore")
    file = of_recipe if is_there(of_recipe) else context / ".dockerignore"
    if not is_there(file):
        return []
    text = read_text(file, context, recipe.parent, limit=_LARGEST)
    lines = text.removeprefix(_BOM).split("\n")
    found = [
        line.strip() for line in lines if line.strip() and not line.startswith("#")
    ]
    if len(found) > _MOST_PATTERNS:
        what = f"{len(found)} patterns, of which {_MOST_PATTERNS} are read"
        raise TreeError(E2BIG, what, str(file))
    return found


class Sieve:
    """Says what of a context a build gets."""

    def __init__(self, context: Path, patterns: Iterable[str]) -> None:
        """Read the patterns, of which a later one counts more.

        Raises:
            ValueError: Docker's program refuses a pattern.
        """
        self._context = context
        read = [*map(_pattern, (*patterns, "!Dockerfile", "!.dockerignore"))]
        self._compiled = [each for each in read if each.text]
        #: By which patterns a folder matches: so does all that is in it.
        self._matching: dict[Path, set[int]] = {}

    def leaves_out(self, path: Path) -> bool:
        """Say whether a path is left out; those above it must be asked before it."""
        name = str(path.relative_to(self._context))
        found = self._matching.get(path.parent, set()) | {
            index
            for index, each in enumerate(self._compiled)
            if each.expression.fullmatch(name)
        }
        self._matching[path] = found
        return bool(found) and not self._compiled[max(found)].keeps

    def may_enter(self, path: Path) -> bool:
        """Say whether something of a folder that is left out may be kept."""
        return _may_hold(str(path.relative_to(self._context)), self._compiled)

    def keeps(self, path: Path) -> bool:
        """Say whether a path, or anything in it, is kept.

        Raises:
            TreeError: Folders are nested too deep.
        """
        if path == self._context:
            return True
        parents = path.relative_to(self._context).parents
        for each in reversed(list(parents)[:-1]):
            self.leaves_out(self._context / each)
        if not self.leaves_out(path):
            return True
        return self.may_enter(path) and any(
            not self.leaves_out(each) for each in below(path)
        )


def kept_files(context: Path, patterns: Iterable[str]) -> list[str]:
    """Return what a build gets: paths relative to the context, in order.

    Args:
        context: The folder.
        patterns: As in `.dockerignore`; a later one counts more.

    Raises:
        TreeError: Folders are nested too deep.
        ValueError: Docker's program refuses a pattern.
    """
    sieve = Sieve(context, patterns)
    kept: list[str] = []

    def left_out(path: Path) -> bool:
        if sieve.leaves_out(path):
            return not sieve.may_enter(path)
        kept.append(str(path.relative_to(context)))
        return False

    for _ in below(context, left_out):
        pass
    return sorted(kept)


def _may_hold(folder: str, patterns: Sequence[_Pattern]) -> bool:
    """Say whether a pattern may bring back something of a folder."""
    return any(
        each.keeps and f"{each.text}/".startswith(f"{folder}/") for each in patterns
    )


def _pattern(line: str) -> _Pattern:
    keeps = line.startswith("!")
    path = line[keeps:].strip()
    names: list[str] = []
    for name in path.split("/"):
        if name == ".." and names and names[-1] != "..":
            names.pop()
        elif name == ".." and not path.startswith("/"):
            names.append(name)  # It matches nothing of the context.
        elif name not in {"", ".", ".."}:
            names.append(name)
    text = "/".join(names)
    try:
        if keeps and not path:
            _refuse("nothing behind the !")
        return _Pattern(text=text, keeps=keeps, expression=_expression(text))
    except ValueError as error:
        message = f".dockerignore, pattern {line!r}: {error}"
        raise ValueError(message) from error


def _refuse(found: str) -> NoReturn:
    raise ValueError(found)


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
    signs = iter(text)
    for sign in signs:
        if sign == "*":
            pieces.append("")
        elif sign == "[":
            pieces[-1] += _set(signs)
        elif sign == "?":
            pieces[-1] += "[^/]"
        elif sign == "\\":
            pieces[-1] += _escaped(signs)
        else:
            pieces[-1] += re.escape(sign)
    return pieces


def _escaped(signs: Iterator[str]) -> str:
    """Return the expression of a backslash, by what follows it."""
    sign = next(signs, "")
    if sign.isascii() and sign.isalnum():
        return _ESCAPES.get(sign) or _refuse(f"invalid escape \\{sign}")
    return re.escape(sign) if sign else _refuse("nothing behind the backslash")


def _set(signs: Iterator[str]) -> str:
    """Return the expression of a set, whose `[` was read."""
    members: list[str] = []
    sign = next(signs, "")
    negated = sign == "^"
    if negated:
        sign = next(signs, "")
    while sign != "]" or not members:
        first, expression = _member(sign, signs)
        sign = next(signs, "")
        if sign == "-":
            last, _ = _member(next(signs, ""), signs)
            sign = next(signs, "")
            if not first or not last or first > last:
                _refuse("a range that goes backwards")
            expression = f"{re.escape(first)}-{re.escape(last)}"
        members.append(expression)
    return f"[{'^' if negated else ''}{''.join(members)}]"


def _member(sign: str, signs: Iterator[str]) -> tuple[str, str]:
    """Return a character of a set, "" for several, and its expression."""
    if sign in {"", "-", "]"}:
        _refuse("a [ without its ]")
    if sign != "\\":
        return sign, re.escape(sign)
    sign = next(signs, "")
    escaped = _escaped(iter(sign))
    if sign in {*"DSWbB"}:
        _refuse("an escape that a set cannot have")
    if escaped.startswith("["):
        return "", escaped[1:-1]
    return ("" if sign in _ESCAPES else sign), escaped
