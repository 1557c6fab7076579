"""Reads a definition file of Singularity, and writes it anew without any ambiguity.

The format is that of https://apptainer.org/docs/user/latest/definition_files.html.
A definition file can run commands on the machine that builds, and copy any of its
files into the image. What does that is refused; and since what is built is what is
written here, nothing that is read in two ways gets past.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlcube_conformance.base.files import below, is_folder, is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = [
    "LOCAL_AGENTS",
    "Definition",
    "DefinitionError",
    "Section",
    "Stage",
    "filled",
    "parse",
    "unused",
]

_STAGE = re.compile(r"^bootstrap:", re.IGNORECASE | re.MULTILINE)
_HEADER = re.compile(r"\s*(\w+)\s*:(.*)")
_SECTION = re.compile(r"\s*%+(\S*)[^\S\n]*(.*)")
_TEMPLATE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
#: Signs that steer what reads the file, or end a line for some and not for others.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
#: What a path may hold that is handed to a shell on this machine.
_PLAIN = re.compile(r"[\w./+@%,:=^-]+")
#: Signs of a recipe, and files that it copies, which may be whole folders.
_MAX_LENGTH = 1024 * 1024
_MOST_FILES = _MOST_SECTIONS = 1000
_HIDDEN = re.compile(r"(^|/)\.[^/.]")
#: Two stars together would mean all folders, again and again.
_GLOB = re.compile(r"(?!.*\*\*)[\w./+@%,:=^*?\[\]!-]+")

# What may stand behind the name of a section; the name of an app becomes a path.
_APP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_REST = {"files": re.compile(r"|from\s+[A-Za-z0-9_][A-Za-z0-9_.-]*")}
_SHELL = re.compile(r"|-c\s+\S*/?(ba|da|z|k)?sh")
_ANY = re.compile(r".*")
_HEADER_KEYS = {
    *("bootstrap", "fingerprints", "from", "includecmd", "library", "namespace"),
    *("registry", "stage"),
}
#: Agents that fetch a base image from elsewhere, or start from nothing.
_FETCHING = {"docker", "docker-daemon", "library", "oras", "shub", "scratch"}
#: Agents that take a file or folder of this machine for it.
LOCAL_AGENTS = {"localimage", "docker-archive", "oci", "oci-archive"}
_FILES = {"files", "appfiles"}
_INSIDE = {
    *("post", "environment", "test", "labels", "runscript", "startscript", "help"),
    *("appinstall", "appenv", "applabels", "apprun", "apphelp", "apptest", "appstart"),
}
#: Sections whose commands run on the machine that builds, outside of the image.
_ON_THIS_MACHINE = {"setup", "pre", "appsetup"}


class DefinitionError(Exception):
    """A definition file cannot be used; the arguments say what is found and to do."""

    def __init__(self, *, found: str, expected: str, do: str) -> None:
        """Keep the three, for a message."""
        super().__init__(found)
        self.found, self.expected, self.do = found, expected, do


@dataclass(slots=True, kw_only=True)
class Section:
    """A part of a stage, from one line that begins with `%` to the next."""

    name: str
    rest: str
    """What stands behind the name, such as `from build`."""
    lines: list[str]


@dataclass(slots=True, kw_only=True)
class Stage:
    """One image that is built; the last is the one that is kept."""

    header: dict[str, str]
    sections: list[Section] = field(default_factory=list)

    def __str__(self) -> str:
        """Write it as a definition file."""
        lines = [f"{key.capitalize()}: {value}" for key, value in self.header.items()]
        for each in self.sections:
            lines += ["", f"%{each.name} {each.rest}".rstrip(), *each.lines]
        return "\n".join([*lines, ""])


@dataclass(slots=True, kw_only=True)
class Definition:
    """A whole definition file."""

    stages: list[Stage]

    def __str__(self) -> str:
        """Write it as a definition file."""
        return "\n".join(map(str, self.stages))

    def add_label(self, name: str, value: str) -> None:
        """Give the image a label."""
        label = Section(name="labels", rest="", lines=[f"    {name} {value}"])
        self.stages[-1].sections.append(label)

    def begin_commands(self, lines: Iterable[str]) -> None:
        """Let the commands of each stage begin with some of ours."""
        for stage in self.stages:
            for section in stage.sections:
                if section.name == "post" and _SHELL.fullmatch(section.rest):
                    section.lines[:0] = lines


def filled(text: str, given: Mapping[str, str]) -> str:
    """Fill in the templates of a definition file, and drop `%arguments`.

    Programs before Apptainer 1.2 do not know them.

    Raises:
        DefinitionError: A template has no value.
    """
    values: dict[str, str] = {}
    kept, in_arguments = [], False
    for line in text.split("\n"):
        match = _SECTION.fullmatch(line)
        if match:
            in_arguments = match[1].lower() == "arguments"
        elif _STAGE.match(line):
            in_arguments = False
        if not in_arguments:
            kept.append(line)
        elif not match and not line.lstrip().startswith("#"):
            name, equals, value = line.partition("=")
            if equals:
                values[name.strip()] = value.strip()
    values |= given
    missing = sorted({name for name in _TEMPLATE.findall(text) if name not in values})
    if missing:
        raise DefinitionError(
            found=f"no value for {', '.join(missing)}",
            expected="a default in %arguments, or a value of the command line",
            do=f"give --build-arg {missing[0]}=VALUE",
        )
    return _replaced("\n".join(kept), values)


def _replaced(text: str, values: Mapping[str, str]) -> str:
    """Fill in templates, up to where the text becomes too long."""
    pieces: list[str] = []
    end, left = 0, _MAX_LENGTH - len(text)
    for match in _TEMPLATE.finditer(text):
        pieces += [text[end : match.start()], values[match[1]]]
        end = match.end()
        left -= len(values[match[1]])
        if left < 0:
            raise DefinitionError(
                found=f"more than {_MAX_LENGTH} signs, once its templates are filled",
                expected="a shorter text",
                do="use fewer templates, or shorter values",
            )
    return "".join((*pieces, text[end:]))


def unused(text: str, given: Iterable[str]) -> set[str]:
    """Return those of the given names that no template of a definition file has."""
    return set(given) - set(_TEMPLATE.findall(text))


def parse(text: str, roots: tuple[Path, ...], given: Iterable[str]) -> Definition:
    """Read a definition file whose templates are filled in.

    Args:
        text: What stands in it.
        roots: The folder that its relative paths start from, then any others that
            its files may lie in.
        given: Paths of this machine that the user allows as base images.

    Raises:
        DefinitionError: It runs commands on this machine, takes files from outside of
            the roots, or cannot be read.
    """
    text = text.replace("\r\n", "\n")
    if found := _CONTROL.search(text):
        raise DefinitionError(
            found=f"the sign {found[0]!r}",
            expected="text without signs that steer",
            do="remove it",
        )
    starts = [match.start() for match in _STAGE.finditer(text)]
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
        match = _SECTION.fullmatch(line)
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
            section.lines = _files(section, roots)
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
            do="mend the name; within a section no line may begin with %",
        )
    rest = rest.partition(" #")[0].strip()
    pattern = _APP if name.startswith("app") else _REST.get(name, _ANY)
    if not pattern.fullmatch(rest):
        raise DefinitionError(
            found=f"%{name} {rest}",
            expected=f"%{name}, and behind it what the format allows",
            do="mend the line: the name of an app is letters and digits, that of a "
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
                do="mend the line",
            )
        header[match[1].lower()] = match[2].strip()
    return header


def _check_base(
    header: dict[str, str], roots: tuple[Path, ...], given: set[str]
) -> None:
    agent = header["bootstrap"] = header.get("bootstrap", "").lower()
    base = header.get("from", "")
    if agent in LOCAL_AGENTS:
        if base not in given and not _inside(roots[0] / base, roots):
            raise _outside("From", base)
        if base not in given and is_folder(roots[0] / base):
            # Its links would lead to this machine while it is filled.
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


def _files(section: Section, roots: tuple[Path, ...]) -> list[str]:
    """Return the lines of a section of files with each file by its own name."""
    named = []
    for line in section.lines:
        words = line.split()
        if words and not words[0].startswith("#"):
            named += _copied(section, words, roots)
        if len(named) > _MOST_FILES:
            raise _odd(section, f"more than {_MOST_FILES} files")
    return named


def _copied(section: Section, words: list[str], roots: tuple[Path, ...]) -> list[str]:
    """Return one line for each file that a line means."""
    source, *targets = words
    plain = all(_PLAIN.fullmatch(target.strip("*")) for target in targets)
    above = any(".." in target.split("/") for target in targets)
    if len(targets) > 1 or not plain or above or not _GLOB.fullmatch(source):
        raise _odd(section, " ".join(words))
    if section.name == "files" and section.rest:
        # Of another stage, in whose image the pattern counts.
        return [f"    {' '.join(words)}"]
    try:
        matches = _found(source, roots, f"%{section.name}")
    except (OSError, RuntimeError, ValueError, NotImplementedError) as error:
        raise _odd(section, f"{source} ({error})") from error
    if odd := [found for found in matches if not _PLAIN.fullmatch(found)]:
        raise _odd(section, odd[0])
    # With ./ before each, since a name may begin like an option.
    return [f"    ./{found} {targets[0] if targets else found}" for found in matches]


def _odd(section: Section, line: str) -> DefinitionError:
    return DefinitionError(
        found=f"%{section.name}: {line.strip()}",
        expected="SOURCE TARGET, of letters, digits, ./_-+@%,:=^ (* and ? in SOURCE)",
        do="give the file a plain name, or copy the folder that holds it",
    )


def _found(source: str, roots: tuple[Path, ...], where: str) -> list[str]:
    """Return what a pattern matches, by names relative to the first root."""
    root = roots[0]
    if not _inside(root / source, roots):
        raise _outside(where, source)
    pattern = os.path.relpath(root / source, root)
    matches = [root] if pattern == "." else sorted(root.glob(pattern))
    for found in matches:
        # Links are followed when files are copied into an image.
        for each in (found, *(below(found) if is_folder(found) else ())):
            if not _inside(each, roots):
                raise _outside(where, os.path.relpath(each, root))
    if not matches:
        raise DefinitionError(
            found=f"{where} takes {source}, which is not there",
            expected="a file or folder of build/",
            do="mend the name, or add the file",
        )
    # "folder/." means what is in it, and a pattern no hidden files.
    end = "/." if source.endswith("/.") else ""
    named = [os.path.relpath(each, root) + end for each in matches]
    hidden = any(part.startswith(".") for part in pattern.split("/"))
    shown = [name for name in named if hidden or not _HIDDEN.search(name)]
    return shown or named


def _outside(where: str, path: str) -> DefinitionError:
    return DefinitionError(
        found=f"{where} takes {path}, which lies outside of build/",
        expected="files of build/, the root of what an image is made from",
        do="put the file into build/, and name it relative to that",
    )


def _inside(path: Path, roots: tuple[Path, ...]) -> bool:
    return any(is_inside(root, path) for root in roots)
