"""Reads from a Dockerfile what it copies where, and what it starts.

Only the last stage counts, as in the image that it makes. Nothing is executed.
The rules are those of Docker's reference for the file.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Recipe", "read_recipe"]

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")


@dataclass(slots=True, kw_only=True)
class Recipe:
    """What the last stage of a Dockerfile says."""

    copies: list[tuple[str, PurePosixPath, bool]] = field(default_factory=list)
    """Source in the context, target in the image, whether the target is a folder."""
    entrypoint: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    workdir: PurePosixPath = field(default_factory=lambda: PurePosixPath("/"))


def read_recipe(dockerfile: Path) -> Recipe:
    """Read a Dockerfile.

    Raises:
        OSError: It cannot be read.
        ValueError: An instruction that matters here cannot be understood.
    """
    recipe = Recipe()
    arguments: dict[str, str] = {}
    for keyword, rest in _instructions(dockerfile.read_text(encoding="utf-8")):
        if keyword == "FROM":
            recipe = Recipe()
        elif keyword == "ARG":
            name, _, value = rest.partition("=")
            arguments[name] = _unquoted(value)
        elif keyword in {"ENTRYPOINT", "COPY", "ADD", "ENV", "WORKDIR"}:
            known = {**arguments, **recipe.environment}
            _apply(recipe, keyword, rest, known)
    return recipe


def _instructions(text: str) -> list[tuple[str, str]]:
    found = []
    whole = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        whole += line
        if whole.rstrip().endswith("\\"):
            whole = whole.rstrip()[:-1] + " "
            continue
        keyword, _, rest = whole.strip().partition(" ")
        if keyword:
            found.append((keyword.upper(), rest.strip()))
        whole = ""
    return found


def _apply(recipe: Recipe, keyword: str, rest: str, known: dict[str, str]) -> None:
    if keyword == "ENTRYPOINT":
        recipe.entrypoint = _words(rest) or ("/bin/sh", "-c", rest)
        return
    if keyword == "ENV":
        pairs = shlex.split(_expanded(rest, known))
        if "=" not in pairs[0]:
            pairs = [f"{pairs[0]}={' '.join(pairs[1:])}"]
        recipe.environment.update(dict(each.split("=", 1) for each in pairs))
        return
    if keyword == "WORKDIR":
        recipe.workdir /= _unquoted(_expanded(rest, known))
        return
    words = _words(rest) or tuple(shlex.split(rest))
    paths = [_expanded(word, known) for word in words if not word.startswith("--")]
    if any(word.startswith("--from") for word in words):
        return  # from another stage, which is not built here
    *sources, target = paths
    is_folder = target.endswith(("/", ".")) or len(sources) > 1
    place = recipe.workdir / target
    recipe.copies += [(source, place, is_folder) for source in sources]


def _words(rest: str) -> tuple[str, ...]:
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
