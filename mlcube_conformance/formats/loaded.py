"""A cube as it was read, and the rules for values in any format."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, did_you_mean
from mlcube_conformance.base.files import what_is_wrong_with

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.model import Cube, Parameter

__all__ = [
    "KINDS",
    "PARAMETER_NAME",
    "LoadedCube",
    "check_kind",
    "check_name",
    "check_path",
    "check_value",
    "leaves",
    "loaded",
]

#: Types of parameters.
KINDS = ("file", "directory")
#: Name of a parameter: what can stand between `--` and `=`, and name a folder.
PARAMETER_NAME = re.compile(r"(?!\.)[^\s=/\\\x00-\x1f\x7f]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCube:
    """A cube as far as its files can be read, and all problems of them."""

    cube: Cube
    problems: tuple[Message, ...] = ()
    warnings: tuple[Message, ...] = field(default=())
    limits: tuple[Message, ...] = ()
    """What the cube asks for and is not given here, by choice."""
    is_cube: bool = True
    """False for a template, and for a file of another format."""

    @property
    def id(self) -> str:
        """Name of the cube in test ids."""
        return self.cube.id


def loaded(cube: Cube, problems: Problems) -> LoadedCube:
    """Return a cube with everything that was found wrong, once each."""
    return LoadedCube(
        cube=cube,
        problems=tuple(dict.fromkeys(problems.messages)),
        warnings=tuple(dict.fromkeys(problems.warnings)),
        limits=tuple(dict.fromkeys(problems.limits)),
    )


def check_name(name: str, what: str, at: Located, problems: Problems) -> bool:
    """Add a problem, and return False, where a parameter cannot be called so."""
    if PARAMETER_NAME.fullmatch(name):
        return True
    problems.add(
        f"the name of {what} is invalid",
        at,
        found=ascii(name)[:120],
        expected="at most 100 characters, without spaces, = and /",
        do="rename it",
    )
    return False


def check_kind(kind: str, what: str, at: Located, problems: Problems) -> bool:
    """Add a problem, and return False, where a type is unknown."""
    if kind in KINDS:
        return True
    problems.add(
        f"{what} has an unknown type",
        at,
        found=kind,
        expected="file or directory",
        do=did_you_mean(kind, KINDS) or "write type: file or type: directory",
    )
    return False


def check_value(
    parameter: Parameter, value: Located, problems: Problems, example: str
) -> bool:
    """Add a problem, and return False, where a value can be no path."""
    if not value.text():
        problems.add(
            f"the value of {parameter.name!r} is not a path",
            value,
            expected=f"the path of a {_word(parameter)}, as text",
            do=f"write {example}",
        )
        return False
    what = f"the value of {parameter.name!r}"
    return check_path(value.text(), what, value, problems, f"write {example}")


def check_path(
    text: str, what: str, at: Located, problems: Problems, do: str = "fix the path"
) -> bool:
    """Add a problem, and return False, where a text can be no path."""
    wrong = what_is_wrong_with(text)
    if wrong:
        problems.add(
            f"{what} cannot be a path",
            at,
            found=f"{ascii(text)[:80]}: {wrong}",
            expected="names of at most 255 bytes, without a null character",
            do=do,
        )
    return not wrong


def _word(parameter: Parameter) -> str:
    return "file or directory" if parameter.kind == "unknown" else parameter.kind


def leaves(path: Path, what: str) -> Message:
    """Return the message for a link that leaves the cube."""
    return Message(
        what=f"{what} is a link that leaves the cube",
        where=str(path),
        found=str(path.readlink()) if path.is_symlink() else "a link above it",
        expected="a path that stays in the cube",
        do="put what the cube needs into the cube",
    )
