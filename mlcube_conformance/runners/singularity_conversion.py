"""Turns a Dockerfile into a recipe of Singularity, by spython's writer.

What the two formats do not share is lost: files come before all commands, the user
that the image names is not kept, and several stages cannot be converted.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from mlcube_conformance.errors import Message, Violation
from mlcube_conformance.runners.dockerfile import instructions, words
from mlcube_conformance.runners.layout import lay_out, recipe_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mlcube_conformance.model import Cube
    from mlcube_conformance.runners.dockerfile import Recipe

__all__ = ["convert"]

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")
_RUNSCRIPT = re.compile(
    r"^%(runscript|startscript)$.*?(?=^%|\Z)", re.MULTILINE | re.DOTALL
)


def convert(cube: Cube, build_args: Mapping[str, str], place: Path) -> str:
    """Return the text of a recipe that does what the cube's Dockerfile says.

    Args:
        cube: The cube.
        build_args: Values for the ARG lines.
        place: Folder that is filled with the files of the image; the recipe names
            them relative to it.

    Raises:
        Violation: The Dockerfile cannot be read or converted.
    """
    dockerfile = cube.build_context / "Dockerfile"
    found = recipe_of(cube, build_args)
    lines = instructions(dockerfile.read_text(encoding="utf-8"))
    bases = [rest for keyword, rest in lines if keyword == "FROM"]
    if len(bases) != 1:
        raise Violation(
            Message(
                what=f"the Dockerfile of {cube.id!r} cannot be made a recipe",
                where=str(dockerfile),
                found=f"{len(bases)} FROM lines",
                expected="one stage",
                do="write build/Singularity.recipe, or run the cube on docker first: "
                "the image\nthat a Docker daemon has is taken",
            )
        )
    lay_out(found, cube, place)
    return _written(lines, found, build_args)


def _written(
    lines: list[tuple[str, str]], found: Recipe, build_args: Mapping[str, str]
) -> str:
    # Only here, since nobody else needs it and it is slow to import.
    from spython.main.parse.recipe import Recipe as Section  # noqa: PLC0415
    from spython.main.parse.writers.singularity import (  # noqa: PLC0415
        SingularityWriter,
    )

    section = Section()
    known: dict[str, str] = {}
    section.files = [[".", "/"]]
    for keyword, rest in lines:
        if keyword == "FROM":
            parts = _replaced(rest, known).split()
            section.fromHeader = next(p for p in parts if not p.startswith("--"))
        elif keyword == "ARG":
            name, _, default = rest.partition("=")
            value = build_args.get(name, " ".join(shlex.split(default)))
            known[name] = value
            section.install.append(f"export {name}={shlex.quote(value)}")
        elif keyword == "ENV":
            for name, value in _pairs(rest, known):
                section.install.append(f"export {name}={value}")
                section.environ.append(f"{name}={value}")
        elif keyword == "WORKDIR":
            folder = _quoted(" ".join(shlex.split(rest)), known)
            section.install.append(f"mkdir -p {folder} && cd {folder}")
        elif keyword == "RUN":
            # As Docker does it: no command changes the folder of the next one.
            section.install.append(shlex.join(words(rest) or ("/bin/sh", "-c", rest)))
    if found.entrypoint:
        section.entrypoint = shlex.join(found.entrypoint)
        section.workdir = shlex.quote(found.workdir)
    text = str(SingularityWriter({"final": section}).convert())
    # Without an entry point that of the base image counts, which makes its own script.
    return text if found.entrypoint else _RUNSCRIPT.sub("", text)


def _pairs(rest: str, known: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the names of an ENV line with their values, as a shell reads them."""
    parts = shlex.split(rest)
    if parts and "=" not in parts[0]:
        parts = [f"{parts[0]}={' '.join(parts[1:])}"]
    pairs = [part.partition("=") for part in parts]
    return [(name, _quoted(value, known)) for name, _, value in pairs]


def _quoted(text: str, known: Mapping[str, str]) -> str:
    """Quote a text for a shell, but for variables in it whose value is not known."""
    quoted, end = "", 0
    for match in _VARIABLE.finditer(text):
        name, default = match[1] or match[3], match[2]
        quoted += _word(text[end : match.start()])
        if name in known:
            quoted += _word(known[name])
        else:
            quoted += f'"${{{name}{f":-{_word(default)}" if default else ""}}}"'
        end = match.end()
    return (quoted + _word(text[end:])) or "''"


def _word(text: str) -> str:
    return shlex.quote(text) if text else ""


def _replaced(text: str, known: Mapping[str, str]) -> str:
    value: Callable[[re.Match[str]], str] = lambda match: known.get(  # noqa: E731
        match[1] or match[3], match[2] or ""
    )
    return _VARIABLE.sub(value, text)
