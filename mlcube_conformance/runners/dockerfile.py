"""Reads from a Dockerfile what it copies where, and what it starts.

Only the last stage counts, with those it builds upon, as in the image that it makes.
Nothing is executed. The rules are those of Docker's reference for the file.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Copy", "Recipe", "instructions", "read_recipe", "words"]

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What one instruction copies."""

    source: str
    """Path or pattern in the context, without a leading slash; "." is all of it."""
    target: str
    """Absolute path in the image, which it cannot leave."""
    into_folder: bool
    """Whether the target is a folder to copy into, rather than a name."""


@dataclass(slots=True, kw_only=True)
class Recipe:
    """What the last stage of a Dockerfile says."""

    copies: list[Copy] = field(default_factory=list)
    entrypoint: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"


def read_recipe(text: str, build_args: Mapping[str, str]) -> Recipe:
    """Read the text of a Dockerfile.

    Raises:
        ValueError: An instruction that matters here cannot be understood.
    """
    recipe = Recipe()
    stages: dict[str, Recipe] = {}
    arguments: dict[str, str] = {}
    for keyword, rest in instructions(text):
        if keyword == "FROM":
            base, _, name = re.sub(r"\s+[Aa][Ss]\s+", "\0", rest).partition("\0")
            recipe = deepcopy(stages.get(base.split()[-1] if base else "", Recipe()))
            stages[name.strip()] = recipe
        elif keyword == "ARG":
            name, _, default = rest.partition("=")
            arguments[name] = build_args.get(name, _unquoted(default))
        elif keyword in _APPLY:
            known = {**arguments, **recipe.environment}
            try:
                _APPLY[keyword](recipe, rest, known)
            except (ValueError, IndexError, RecursionError) as error:
                message = f"{keyword} {rest[:60]}: {error}"
                raise ValueError(message) from error
    return recipe


def instructions(text: str) -> list[tuple[str, str]]:
    """Return each instruction as its keyword in capitals and the rest of it."""
    found = []
    whole = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        whole += line
        if whole.rstrip().endswith("\\"):
            whole = whole.rstrip()[:-1] + " "
            continue
        keyword, *rest = whole.split(None, 1) or [""]
        if keyword:
            found.append((keyword.upper(), "".join(rest).strip()))
        whole = ""
    return found


def _entrypoint(recipe: Recipe, rest: str, _: dict[str, str]) -> None:
    recipe.entrypoint = words(rest) or (("/bin/sh", "-c", rest) if rest else ())


def _env(recipe: Recipe, rest: str, known: dict[str, str]) -> None:
    pairs = [_expanded(word, known) for word in shlex.split(rest)]
    if "=" not in pairs[0]:
        pairs = [f"{pairs[0]}={' '.join(pairs[1:])}"]
    for pair in pairs:
        name, _, value = pair.partition("=")
        recipe.environment[name] = value


def _workdir(recipe: Recipe, rest: str, known: dict[str, str]) -> None:
    recipe.workdir = _inside(recipe.workdir, _unquoted(_expanded(rest, known)))


def _copy(recipe: Recipe, rest: str, known: dict[str, str]) -> None:
    parts = words(rest) or tuple(shlex.split(rest))
    flags = [part for part in parts if part.startswith("--")]
    if any(flag.startswith("--from") for flag in flags):
        return  # from another stage or image, which is not built here
    *sources, target = [_expanded(each, known) for each in parts[len(flags) :]]
    into_folder = target.endswith("/") or target == "." or len(sources) > 1
    recipe.copies += [
        Copy(
            source=posixpath.normpath(source.lstrip("/") or "."),
            target=_inside(recipe.workdir, target),
            into_folder=into_folder,
        )
        for source in sources
    ]


_APPLY = {
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "WORKDIR": _workdir,
    "COPY": _copy,
    "ADD": _copy,
}


def _inside(folder: str, path: str) -> str:
    """Return a path of the image; `..` at its root leads nowhere."""
    return "/" + posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")


def words(rest: str) -> tuple[str, ...]:
    """Return the words of the form `["a", "b"]`, or nothing for the other form."""
    if not rest.startswith("["):
        return ()
    return tuple(str(word) for word in json.loads(rest))


def _unquoted(text: str) -> str:
    return " ".join(shlex.split(text))


def _expanded(text: str, known: dict[str, str]) -> str:
    def replace(match: re.Match[str]) -> str:
        value = known.get(match[1] or match[3])
        return value if value is not None else match[2] or ""

    return _VARIABLE.sub(replace, text)
