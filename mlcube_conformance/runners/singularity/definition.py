"""What a definition file of Singularity holds, and how it is written again.

The format is that of https://apptainer.org/docs/user/latest/definition_files.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "LOCAL_AGENTS",
    "SECTION",
    "STAGE",
    "Definition",
    "DefinitionError",
    "Section",
    "Stage",
]

#: Where a stage begins, and where a section does.
STAGE = re.compile(r"^bootstrap:", re.IGNORECASE | re.MULTILINE)
SECTION = re.compile(r"\s*%+(\S*)[^\S\n]*(.*)")
_SHELL = re.compile(r"|-c\s+\S*/?(ba|da|z|k)?sh")
#: Agents that take a file or folder of this machine for it.
LOCAL_AGENTS = {"localimage", "docker-archive", "oci", "oci-archive"}


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
        """Let the commands of each stage begin with our own."""
        for stage in self.stages:
            for section in stage.sections:
                if section.name == "post" and _SHELL.fullmatch(section.rest):
                    section.lines[:0] = lines
