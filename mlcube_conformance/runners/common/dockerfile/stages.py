"""Reads from a Dockerfile what it copies, runs and starts.

Only the last stage counts, with those it builds on, as in the image that it makes.
Nothing is executed. The rules are those of Docker's reference for the file.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import did_you_mean
from mlcube_conformance.runners.common.dockerfile.instructions import (
    HEREDOC,
    instructions,
    taken_from,
)
from mlcube_conformance.runners.common.dockerfile.words import split_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlcube_conformance.runners.common.dockerfile.words import Word

__all__ = ["Copy", "Recipe", "RecipeError", "read_recipe", "read_stages"]

_FLAG = re.compile(r"--[a-z]+(=\S*)?\s+")
#: Flags of one COPY.
_MOST_FLAGS = 20
_BEYOND = ("ONBUILD", "SHELL")
#: What says nothing of the files of an image or of how a task starts.
_WITHOUT_EFFECT = (
    *("EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "STOPSIGNAL", "VOLUME"),
)
_ARCHIVE = re.compile(r"\.(tar|tgz|tar\.\w+)$")


class RecipeError(ValueError):
    """An instruction cannot be understood."""

    def __init__(self, text: str, line: int, *, unknown: bool = False) -> None:
        """Keep its line, and whether no builder knows it."""
        super().__init__(text)
        self.line, self.unknown = line, unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What one instruction copies."""

    source: str
    """Path or pattern in the context, without a leading slash; "." is all of it."""
    target: str
    """Absolute path in the image, which it cannot leave."""
    into_folder: bool
    """Whether the target is a folder to copy into, rather than a name."""
    line: int = field(default=0, compare=False)
    certain: bool = field(default=True, compare=False)
    """Whether the source is known to the last sign."""
    mode: int | None = field(default=None, compare=False)
    """Mode that it gives the files, -1 where that is in letters."""


@dataclass(slots=True, kw_only=True)
class Recipe:
    """What one stage of a Dockerfile says, with those that it builds on."""

    base: str = ""
    """Image that it starts from."""
    base_line: int = 0
    base_certain: bool = True
    """Whether the name of that image is known to the last sign."""
    name: str = ""
    """What other stages call it, in small letters."""
    takes: list[str] = field(default_factory=list)
    """Stages and images that it copies something from."""
    copies: list[Copy] = field(default_factory=list)
    entrypoint: tuple[str, ...] = ()
    entry_line: int = 0
    entry_by_shell: bool = False
    """Whether the entry point is in the form that a shell reads."""
    command_line: int = 0
    """Line of the CMD that counts; 0 for none."""
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    commands: list[str] = field(default_factory=list)
    """Lines of a shell that do what ARG, ENV, WORKDIR and RUN say, in order."""
    exports: list[tuple[str, str]] = field(default_factory=list)
    """Names and values of ENV, as a shell has to read them."""
    beyond: list[str] = field(default_factory=list)
    """What a builder would do that is not understood here, as it is written."""
    unkept: list[str] = field(default_factory=list)
    """What is understood and does not count here, by its keyword."""
    stages: int = 0
    line: int = 0
    """Line of the instruction that is read."""
    _arguments: dict[str, str] = field(default_factory=dict)
    _resolved: dict[str, str] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, str]:
        """Variables whose value is known to the last sign; ENV hides ARG."""
        hidden = {name for name, _ in self.exports}
        shown = {k: v for k, v in self._arguments.items() if k not in hidden}
        return {**shown, **self._resolved}

    @property
    def seen(self) -> dict[str, str]:
        """Variables as far as they are known; what only the base image knows is "" ."""
        return {**self._arguments, **self.environment}


def read_recipe(text: str, build_args: Mapping[str, str]) -> Recipe:
    """Read the last stage of a Dockerfile; see `read_stages`."""
    return read_stages(text, build_args)[-1]


def read_stages(text: str, build_args: Mapping[str, str]) -> list[Recipe]:
    """Read the stages of a Dockerfile, in order; one that says nothing without FROM.

    Raises:
        ValueError: An instruction that matters here cannot be understood.
    """
    recipe = Recipe()
    found: list[Recipe] = []
    before_all: dict[str, str] = {}
    if re.match(r"(?is)\s*(#[^\n]*\n\s*)*#\s*escape\s*=\s*[^\\\s]", text):
        message = "# escape: only the backslash is supported"
        raise ValueError(message)
    for keyword, rest, line, _ in instructions(text):
        try:
            recipe.line = line
            if keyword == "FROM":
                if not recipe.stages:
                    before_all = dict(recipe.seen)
                recipe = _stage(rest, recipe, found, before_all)
                recipe.line = line
                found.append(recipe)
            elif keyword == "ARG":
                _arg(recipe, rest, {**before_all, **build_args}, build_args)
            elif keyword in _APPLY:
                _APPLY[keyword](recipe, rest)
            elif keyword in _BEYOND:
                recipe.beyond.append(f"{keyword} {rest}")
            elif keyword not in _WITHOUT_EFFECT:
                raise _unknown(keyword, line)
        except (ValueError, IndexError, RecursionError) as error:
            message = f"{keyword} {rest[:60]}: {error}"
            unknown = isinstance(error, RecipeError)
            raise RecipeError(message, line, unknown=unknown) from error
    return found or [recipe]


def _unknown(keyword: str, line: int) -> RecipeError:
    known = (*_APPLY, *_BEYOND, *_WITHOUT_EFFECT, "ARG", "FROM")
    message = f"no such instruction; {did_you_mean(keyword, known) or 'remove it'}"
    return RecipeError(message, line, unknown=True)


def _copied(recipe: Recipe) -> Recipe:
    """Return a recipe to be gone on with: what its lists hold never changes."""
    return replace(
        recipe,
        copies=list(recipe.copies),
        environment=dict(recipe.environment),
        commands=list(recipe.commands),
        exports=list(recipe.exports),
        beyond=list(recipe.beyond),
        unkept=list(recipe.unkept),
        takes=list(recipe.takes),
        _resolved=dict(recipe._resolved),  # noqa: SLF001 - its own
    )


def _stage(
    rest: str, last: Recipe, found: list[Recipe], before_all: dict[str, str]
) -> Recipe:
    """Begin a stage, which may build on an earlier one."""
    words = split_words(rest)
    known = [each.is_known(before_all) for each in words]
    parts = [each.text(before_all) for each in words]
    base, *name = [part for part in parts if not part.startswith("--")]
    named = {each.name: each for each in found if each.name}
    earlier = named.get(base.lower())
    recipe = _copied(earlier) if earlier is not None else Recipe(base=base)
    if earlier is None:
        recipe.base_line = last.line
        recipe.base_certain = all(known)
    recipe.stages = last.stages + 1
    recipe.name = name[-1].lower() if name else ""
    recipe._arguments = {}  # noqa: SLF001 - its own
    return recipe


def _arg(
    recipe: Recipe, rest: str, inherited: Mapping[str, str], given: Mapping[str, str]
) -> None:
    for word in split_words(rest):
        name, equals, default = word.text(recipe.seen).partition("=")
        if name in given or (not equals and name in inherited):
            default = inherited[name]
        elif not equals:
            continue
        recipe._arguments[name] = default  # noqa: SLF001 - its own
        if name not in recipe.environment:
            recipe.commands.append(f"export {name}={shlex.quote(default)}")


def _entrypoint(recipe: Recipe, rest: str) -> None:
    shell = ("/bin/sh", "-c", rest) if rest.replace(" ", "") not in {"", "[]"} else ()
    recipe.entrypoint = _exec_form(rest) or shell
    recipe.entry_by_shell = bool(shell) and not _exec_form(rest)
    recipe.entry_line = recipe.line


def _command(recipe: Recipe, _rest: str) -> None:
    recipe.command_line = recipe.line


def _env(recipe: Recipe, rest: str) -> None:
    seen, known = dict(recipe.seen), dict(recipe.known)
    first, value = (*rest.split(None, 1), "")[:2]
    if "=" in first:
        pairs = [_pair(word) for word in split_words(rest)]
    else:
        # The old form: all that follows the name is its value.
        (word,) = split_words(value.strip(), at_spaces=False)
        pairs = [(first, word)]
    for name, word in pairs:
        recipe.environment[name] = word.text(seen)
        recipe._resolved.pop(name, None)  # noqa: SLF001 - its own
        if word.is_known(known):
            recipe._resolved[name] = word.text(known)  # noqa: SLF001 - its own
        recipe.exports.append((name, word.shell(known)))
        recipe.commands.append(f"export {name}={word.shell(known)}")


def _pair(word: Word) -> tuple[str, Word]:
    """Split a word at its first `=`, which stands in its first part."""
    first, *others = word.parts
    name, equals, value = first.partition("=") if isinstance(first, str) else ("",) * 3
    if not name or not equals:
        message = "no NAME=VALUE"
        raise ValueError(message)
    return name, type(word)((*([value] if value else []), *others))


def _workdir(recipe: Recipe, rest: str) -> None:
    (word,) = split_words(rest, at_spaces=False)
    recipe.workdir = _inside(recipe.workdir, word.text(recipe.seen))
    folder = word.shell(recipe.known)
    recipe.commands.append(f"mkdir -p {folder} && cd {folder}")


def _run(recipe: Recipe, rest: str) -> None:
    recipe.takes += taken_from(rest)
    if _FLAG.match(rest) or HEREDOC.search(rest):
        recipe.beyond.append(f"RUN {rest}")
        return
    # As Docker does it: no command changes the folder of the next one.
    recipe.commands.append(shlex.join(_exec_form(rest) or ("/bin/sh", "-c", rest)))


def _copy(recipe: Recipe, rest: str) -> None:
    recipe.takes += taken_from(rest)
    flags = []
    while match := _FLAG.match(rest):
        flags.append(match[0].strip())
        rest = rest[match.end() :]
        if len(flags) > _MOST_FLAGS:
            message = f"more than {_MOST_FLAGS} flags"
            raise ValueError(message)
    modes = [flag.partition("=")[2] for flag in flags if flag.startswith("--chmod")]
    mode = int(modes[-1], 8) if modes and re.fullmatch("0?[0-7]{3}", modes[-1]) else -1
    foreign = any(flag.startswith("--from") for flag in flags)
    if foreign or (modes and mode < 0):
        recipe.beyond.append(f"COPY {' '.join(flags)} {rest}")
    recipe.unkept += [flag for flag in flags if flag.startswith("--chown")]
    if foreign:
        return  # from another stage or image, which is not built here
    if HEREDOC.search(rest):
        recipe.beyond.append(f"COPY {rest}")
    # Docker splits at blanks first: a name that has some needs the form of a list.
    parts = _exec_form(rest) or rest.split()
    words = [w for each in parts for w in split_words(each, at_spaces=False)]
    certain = all(each.is_known(recipe.known) for each in words[:-1])
    *sources, target = [each.text(recipe.seen) for each in words]
    into_folder = target.endswith("/") or target == "." or len(sources) > 1
    recipe.copies += [
        Copy(
            source=posixpath.normpath(source.lstrip("/") or "."),
            target=_inside(recipe.workdir, target),
            into_folder=into_folder,
            line=recipe.line,
            certain=certain,
            mode=mode if modes else None,
        )
        for source in sources
    ]


def _add(recipe: Recipe, rest: str) -> None:
    count = len(recipe.copies)
    _copy(recipe, rest)
    # It fetches addresses, and unpacks archives.
    for each in recipe.copies[count:]:
        if ":/" in each.source or _ARCHIVE.search(each.source):
            recipe.beyond.append(f"ADD {rest}")


def _user(recipe: Recipe, rest: str) -> None:
    recipe.unkept.append(f"USER {rest}")


_APPLY: dict[str, Callable[[Recipe, str], None]] = {
    "ADD": _add,
    "CMD": _command,
    "COPY": _copy,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "RUN": _run,
    "USER": _user,
    "WORKDIR": _workdir,
}


def _inside(folder: str, path: str) -> str:
    """Return a path of the image; `..` at its root stays at the root."""
    return "/" + posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")


def _exec_form(rest: str) -> tuple[str, ...]:
    """Return the words of the form `["a", "b"]`, or nothing for the other form."""
    if not rest.startswith("["):
        return ()
    try:
        words = json.loads(rest)
    except (ValueError, RecursionError):
        return ()  # A shell's own words may begin so, as `[ -f x ]` does.
    if not all(isinstance(word, str) for word in words):
        return ()
    found = tuple(words)
    if any("\n" in word for word in found):
        message = "a word with a line break in it"
        raise ValueError(message)
    return found
