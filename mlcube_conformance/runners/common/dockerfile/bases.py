"""Which images a Dockerfile takes something from, and which files it names.

In each stage, whether the result needs that stage or not: an image too many costs a
build, one too few shows an old image. https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlcube_conformance.runners.common.dockerfile.instructions import (
    instructions,
    taken_from,
)
from mlcube_conformance.runners.common.dockerfile.words import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["base_images", "names_folder"]

#: What comes from the context: `COPY a b`, `ADD a b`, `RUN --mount=source=a`.
_TAKES = re.compile(r"(COPY|ADD)\b|RUN\b.*--mount=", re.IGNORECASE)


def base_images(recipe: str, build_args: Mapping[str, str]) -> list[str]:
    """Return the names of images that a recipe begins with or copies from.

    A recipe that cannot be understood names none: to build it says why.
    """
    try:
        found = dict.fromkeys(_base_images(recipe, build_args))
    except (ValueError, IndexError, RecursionError):
        return []
    return [each for each in found if each and each != "scratch"]


def _base_images(recipe: str, build_args: Mapping[str, str]) -> Iterator[str]:
    known: dict[str, str] = {}
    stages: set[str] = set()
    for keyword, rest, *_ in instructions(recipe):
        if keyword == "ARG" and not stages:
            for word in split_words(rest):
                name, _, default = word.text(known).partition("=")
                known[name] = build_args.get(name, default)
        elif keyword == "FROM":
            words = [each.text(known) for each in split_words(rest)]
            base, *named = [each for each in words if not each.startswith("--")]
            if base.lower() not in stages:
                yield base
            # Also one without a name: from here on, an ARG is of one stage.
            stages.add(named[-1].lower() if named else "")
        elif keyword in {"COPY", "ADD", "RUN"}:
            for base in taken_from(rest):
                if not base.isdecimal() and base.lower() not in stages:
                    yield base


def names_folder(recipe: str, folder: str) -> bool:
    """Say whether a recipe takes a folder at the top of its context by its name."""
    name = re.compile(rf"(?:^|[\s\"'=,/]){re.escape(folder)}(?:[\s\"',/]|$)")
    try:
        found = instructions(recipe)
    except ValueError:
        return True
    lines = (f"{keyword} {rest}" for keyword, rest, *_ in found)
    # What is behind the last blank is a place in the image.
    return any(
        _TAKES.match(line) and name.search(line.rstrip("]").rpartition(" ")[0])
        for line in lines
    )
