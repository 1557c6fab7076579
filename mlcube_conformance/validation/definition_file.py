"""Finds what is wrong with a recipe of Singularity, from its text and its files."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlcube_conformance.base.source import Source
from mlcube_conformance.base.text import mask, shell_words, visible
from mlcube_conformance.checks.advice import words_are_absolute
from mlcube_conformance.results.flaw import Flaw
from mlcube_conformance.runners.common.dockerfile.stages import Copy
from mlcube_conformance.runners.singularity.definition import (
    SECTION,
    STAGE,
    DefinitionError,
)
from mlcube_conformance.runners.singularity.parsing import parse
from mlcube_conformance.runners.singularity.templates import filled
from mlcube_conformance.validation.dockerfile import is_pinned, own_entry_points
from mlcube_conformance.validation.flaw import flaw, softened
from mlcube_conformance.validation.scripts import (
    Contents,
    line_ends_of_windows,
    script_flaws,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlcube_conformance.model import Build, Cube

__all__ = ["definition_flaws"]

_ARGUMENTS = re.compile(
    r"\$\{?[@*#1-9]|\bshift\b|\bgetopts\b|\bfor\s+\w+\s*(;|\n)\s*do"
)
#: Agents that fetch an image by its name.
_BY_NAME = {"docker", "library", "oras", "shub"}
_HEADER = re.compile(r"\s*(\w+)\s*:\s*(\S+)")


@dataclass(slots=True, kw_only=True)
class _Written:
    """Where the parts of a recipe stand that something is said of."""

    bases: list[tuple[str, str, int]] = field(default_factory=list)
    """Agents, images and lines."""
    copies: list[Copy] = field(default_factory=list)
    """What the last stage takes from files here."""
    run_line: int = 0
    """Line of the run script of the last stage; 0 for none."""
    run_script: list[str] = field(default_factory=list)


def definition_flaws(cube: Cube, build: Build, text: str) -> Iterator[Flaw]:
    """Yield what is wrong with a recipe of Singularity.

    Args:
        cube: Its cube.
        build: What an image is made from.
        text: What stands in the recipe.
    """
    file = build.file
    try:
        parse(filled(text, build.args), (build.context,), build.args.values())
    except DefinitionError as error:
        yield _refused(file, text, error)
    written = _read(text.replace("\r\n", "\n"))
    for agent, image, line in written.bases:
        if agent in _BY_NAME and "{{" not in image and not is_pinned(image):
            yield flaw(
                "RECIPE-4",
                "a base image has no tag, or the tag latest",
                file,
                line,
                found=visible(mask(image)),
                expected="a tag such as python:3.12-slim, or a digest",
                do="name the version that the cube was tested with",
            )
    if () in own_entry_points(cube):
        yield from _run_script_flaws(cube, build, text, written)


def _refused(file: Path, text: str, error: DefinitionError) -> Flaw:
    found = flaw(
        "IMAGE-1",
        "the recipe of Singularity cannot be used",
        file,
        _line_of(text, error.found),
        found=visible(mask(error.found)),
        expected=error.expected,
        do=error.do,
    )
    # The command line may fill it in.
    return softened(found) if error.found.startswith("no value for") else found


def _line_of(text: str, found: str) -> int:
    """Return the line that a refusal is about, by the word that it names."""
    section, _, rest = found.partition(" takes ")
    quoted = found.partition("'")[2].rpartition("'")[0]
    words = [quoted] if quoted else []
    words += [rest.partition(",")[0].split(" ")[0]] if rest else []
    words += re.findall(r"%\w+", section)
    lines = text.split("\n")
    for word in words:
        for number, line in enumerate(lines, start=1):
            if word and word.lower() in line.lower():
                return number
    return 1


def _read(text: str) -> _Written:
    found, section, rest = _Written(), "", ""
    agent = ""
    for number, line in enumerate(text.split("\n"), start=1):
        match = SECTION.fullmatch(line)
        if STAGE.match(line):
            section = ""
            found.copies.clear()
            found.run_line = 0
            found.run_script.clear()
        if match:
            section, rest = match[1].lower(), match[2].strip()
            found.run_line = number if section == "runscript" else found.run_line
        elif not section:
            header = _HEADER.match(line.partition("#")[0])
            key, value = (header[1].lower(), header[2]) if header else ("", "")
            agent = value.lower() if key == "bootstrap" else agent
            if key == "from":
                found.bases.append((agent, value, number))
        elif section == "runscript":
            found.run_script.append(line)
        elif section == "files" and not rest:
            found.copies += _copies(line, number)
    return found


def _copies(line: str, number: int) -> list[Copy]:
    source, *targets = [*line.split(), ""]
    if not source or source.startswith("#"):
        return []
    target = targets[0] or f"/{source}"
    return [
        Copy(
            source=posixpath.normpath(source),
            target=posixpath.normpath(target),
            into_folder=target.endswith("/"),
            line=number,
            certain="{{" not in line,
        )
    ]


def _run_script_flaws(
    cube: Cube, build: Build, text: str, written: _Written
) -> Iterator[Flaw]:
    file = build.file
    script = [each.strip() for each in written.run_script]
    code = [each for each in script if each and not each.startswith("#")]
    if not written.run_line:
        yield flaw(
            "RECIPE-3",
            "the recipe of Singularity has no %runscript",
            file,
            written.bases[-1][2] if written.bases else 1,
            found="only that of the base image, if any",
            expected='%runscript, such as exec python3 /app/main.py "$@"',
            do="write the section %runscript",
        )
        return
    if not _ARGUMENTS.search("\n".join(code)):
        yield flaw(
            "RECIPE-1",
            "the %runscript drops the arguments of tasks",
            file,
            written.run_line,
            found=visible(mask("; ".join(code)))[:200] or "an empty section",
            expected='a command that passes "$@" on',
            do='write "$@" behind the command',
        )
    if "\r\n" in text and script and script[0].startswith("#!"):
        yield softened(
            line_ends_of_windows("the %runscript", file, written.run_line + 1)
        )
    where = str(Source(file=file, line=written.run_line, column=1))
    whole = ("/bin/sh", "-c", "\n".join(code))
    for message in words_are_absolute(cube, where, whole):
        yield Flaw(clause="IMAGE-12", message=message, level="warning")
    contents = Contents(
        root=cube.root,
        context=build.context,
        copies=tuple(written.copies),
        commands=(text,),
    )
    yield from script_flaws(contents, _started(code))


def _started(code: list[str]) -> tuple[str, ...]:
    """Return the words that the last line of a script starts, without arguments."""
    words = shell_words(code[-1]) if code else []
    words = words[1:] if words[:1] == ["exec"] else words
    return tuple(each for each in words if each not in {"$@", "$*"})
