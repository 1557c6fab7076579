"""Reads a definition file of Singularity, and refuses what it must not contain.

A definition file can run commands on the machine that builds, and copy any of its
files into the image. What does that is refused; and since what is built is what is
written again, nothing that is read in two ways gets past.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlcube_conformance.base.files import is_folder
from mlcube_conformance.runners.singularity.copied_files import (
    lies_in,
    named_files,
    outside,
)
from mlcube_conformance.runners.singularity.definition import (
    LOCAL_AGENTS,
    SECTION,
    STAGE,
    Definition,
    DefinitionError,
    Section,
    Stage,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["parse"]

_HEADER = re.compile(r"\s*(\w+)\s*:(.*)")
#: Characters that steer what reads the file, or end a line for some and not for others.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
_MOST_SECTIONS = 1000
# What may stand behind the name of a section; the name of an app becomes a path.
_APP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_REST = {"files": re.compile(r"|from\s+[A-Za-z0-9_][A-Za-z0-9_.-]*")}
_ANY = re.compile(r".*")
_HEADER_KEYS = {
    *("bootstrap", "fingerprints", "from", "includecmd", "library", "namespace"),
    *("registry", "stage"),
}
#: Agents that fetch a base image from elsewhere, or start from nothing.
_FETCHING = {"docker", "docker-daemon", "library", "oras", "shub", "scratch"}
_FILES = {"files", "appfiles"}
_INSIDE = {
    *("post", "environment", "test", "labels", "runscript", "startscript", "help"),
    *("appinstall", "appenv", "applabels", "apprun", "apphelp", "apptest", "appstart"),
}
#: Sections whose commands run on the machine that builds, outside of the image.
_ON_THIS_MACHINE = {"setup", "pre", "appsetup"}


def parse(text: str, roots: tuple[Path, ...], given: Iterable[str]) -> Definition:
    """Read a definition file whose templates are filled in.

    Args:
        text: What stands in it.
        roots: The folder that its relative paths start from, then any others that
            its files may be in.
        given: Paths of this machine that the user allows as base images.

    Raises:
        DefinitionError: It runs commands on this machine, takes files from outside of
            the roots, or cannot be read.
    """
    text = text.replace("\r\n", "\n")
    if found := _CONTROL.search(text):
        raise DefinitionError(
            found=f"the character {found[0]!r}",
            expected="text without control characters",
            do="remove it",
        )
    starts = [match.start() for match in STAGE.finditer(text)]
    if len(starts) == 1:
        starts = [0]  # its other keys may come first
    before = text[: starts[0]] if starts else text
    if any(
        line.strip() and not line.lstrip().startswith("#")
        for line in before.split("\n")
    ):
        starts = []
    if not starts:
        raise DefinitionError(
            found=f"the beginning {before.strip()[:40]!r}",
            expected="Bootstrap: AGENT as the first line",
            do="begin it with Bootstrap: docker, and From: IMAGE",
        )
    ends = [*starts[1:], len(text)]
    allowed = set(given)
    return Definition(
        stages=[
            _stage(text[start:end], roots, allowed)
            for start, end in zip(starts, ends, strict=True)
        ]
    )


def _stage(text: str, roots: tuple[Path, ...], given: set[str]) -> Stage:
    header: list[str] = []
    sections: list[Section] = []
    for line in text.split("\n"):
        match = SECTION.fullmatch(line)
        if match:
            name = match[1].lower()
            sections.append(_section(name, match[2].strip()))
        elif sections:
            sections[-1].lines.append(line)
        else:
            header.append(line)
    if len(sections) > _MOST_SECTIONS:
        raise DefinitionError(
            found=f"{len(sections)} sections",
            expected=f"at most {_MOST_SECTIONS}",
            do="join those of one name",
        )
    stage = Stage(header=_header(header), sections=sections)
    _check_base(stage.header, roots, given)
    for section in sections:
        if section.name in _FILES:
            section.lines = named_files(section, roots)
    return stage


def _section(name: str, rest: str) -> Section:
    if name in _ON_THIS_MACHINE:
        raise DefinitionError(
            found=f"%{name}, whose commands run on this machine, outside of the image",
            expected="a recipe whose commands run inside, in %post",
            do=f"move the commands of %{name} to %post",
        )
    if name not in _INSIDE | _FILES:
        raise DefinitionError(
            found=f"the section %{name}",
            expected=f"one of %{', %'.join(sorted(_INSIDE | _FILES))}",
            do="fix the name; within a section no line may begin with %",
        )
    rest = rest.partition(" #")[0].strip()
    pattern = _APP if name.startswith("app") else _REST.get(name, _ANY)
    if not pattern.fullmatch(rest):
        raise DefinitionError(
            found=f"%{name} {rest}",
            expected=f"%{name}, and what the format allows after it",
            do="fix the line: the name of an app is letters and digits, that of a "
            "stage follows `from`",
        )
    return Section(name=name, rest=rest, lines=[])


def _header(lines: list[str]) -> dict[str, str]:
    header: dict[str, str] = {}
    for line in lines:
        text = line.partition("#")[0]
        if not text.strip():
            continue
        match = _HEADER.fullmatch(text)
        if match is None or "\\" in text or match[1].lower() not in _HEADER_KEYS:
            raise DefinitionError(
                found=f"the line {line.strip()!r}",
                expected=f"KEY: VALUE, with one of {', '.join(sorted(_HEADER_KEYS))}",
                do="fix the line",
            )
        header[match[1].lower()] = match[2].strip()
    return header


def _check_base(
    header: dict[str, str], roots: tuple[Path, ...], given: set[str]
) -> None:
    agent = header["bootstrap"] = header.get("bootstrap", "").lower()
    base = header.get("from", "")
    if agent in LOCAL_AGENTS:
        if base not in given and not lies_in(roots[0] / base, roots):
            raise outside("From", base)
        if base not in given and is_folder(roots[0] / base):
            # Its links would point to this machine while it is filled.
            raise DefinitionError(
                found=f"From takes {base}, a folder",
                expected="a file that holds an image",
                do="build an image file of it",
            )
    elif agent not in _FETCHING:
        raise DefinitionError(
            found=f"Bootstrap: {agent}",
            expected=f"one of {', '.join(sorted(_FETCHING | LOCAL_AGENTS))}",
            do="start from an image",
        )
