"""What each kind of platform is, and what a platform file may ask of it.

Each has a folder below `runners/` with a module `about.py`, whose `ABOUT` says so. The
folders are listed here: to add a platform is to add one. Nothing here imports a runner.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ENVIRONMENT",
    "GPUS",
    "GPUS_IN_WORDS",
    "OTHER_GPUS",
    "About",
    "Offer",
    "about",
    "built_in",
    "offer_of",
    "preferred",
]

#: GPUs that a platform file may ask for, and more that docker can give.
GPUS = re.compile(r"all|\d+|device=[\w,:-]+")
OTHER_GPUS = re.compile(r"[\w=,\":.-]*\b(capabilities|driver|options)=.*")
GPUS_IN_WORDS = "all, a number, or device=0,1"
#: A variable with its value, in one line.
ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=[^\0\n]*")
_MODULE = ".about"
#: Whose flags the platforms of other packages have.
_FOR_OTHERS = "docker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a platform file may ask of a kind of platform.

    The reader of platform files, the converter, the engine and the command line to
    run a task by hand share it.
    """

    kind: str
    command: str
    """Program that the flags belong to."""
    options: Mapping[str, str]
    """Option that each flag sets; of two flags for one, the first is written."""
    values: Mapping[str, re.Pattern[str]]
    """Values that an option may have."""
    in_words: Mapping[str, str] = field(default_factory=dict)
    """The same for a reader."""
    known: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    """Further values that the program takes, which are not given, by choice."""
    same: Mapping[str, str] = field(default_factory=dict)
    """Flags with a value that mean another flag with a value."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Meaning of a flag without a value."""
    repeated: frozenset[str] = frozenset()
    """Options that may be given several times: their values are lines."""
    ignored: frozenset[str] = frozenset()
    """Flags for what is done always, or changes nothing for a task."""
    ignored_values: frozenset[str] = frozenset()
    """The same for flags with a value."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """What to do instead of a flag that is not given, by choice."""
    others: frozenset[str] = frozenset()
    """Further flags of the program, which are not given."""
    programs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Names that `command` may give, and the options that they set."""
    otherwise: str = "remove it"
    """What to do where another program is named."""
    runtimes: bool = False
    """Whether `runtime` can be named."""
    needs_image: bool = True
    """Whether a file must name an image."""

    @property
    def written(self) -> dict[str, str]:
        """The flag that asks for each option."""
        found: dict[str, str] = {}
        for flag, option in self.options.items():
            found.setdefault(option, flag)
        return found

    def argv(self, options: Mapping[str, str]) -> list[str]:
        """Return the flags that ask for these options, as words of a command line."""
        found: list[str] = []
        for option, flag in self.written.items():
            for value in self._values_of(option, options):
                found += [flag] if flag in self.words else [flag, value]
        return found

    def _values_of(self, option: str, options: Mapping[str, str]) -> list[str]:
        value = options.get(option, "")
        several = option in self.repeated
        return [each for each in (value.split("\n") if several else [value]) if each]

    def run_args(self, options: Mapping[str, str]) -> list[str]:
        """Return the flags that ask for these options, as a platform file has them."""
        return [
            flag if flag in self.words else shlex.quote(f"{flag}={value}")
            for option in options
            if (flag := self.written.get(option))
            for value in self._values_of(option, options)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A kind of platform."""

    kind: str
    """Name in platform files, and of its folder."""
    title: str
    """Name in messages."""
    runner: str
    """Class of its runner, as `package.module:Class`; imported on first use."""
    offer: Offer | None = None
    """What a platform file may ask; None for a place, where the platform that is used
    there says so."""
    preference: int | None = None
    """Place in the order in which kinds are tried when none is named; None: never."""
    isolates: bool = True
    """Whether a task is kept from what the user may do."""
    works_at_place: bool = False
    """Whether it can be used on another host."""
    keeps_workdir: bool = True
    """Whether a task starts in the working folder of its image."""
    other_names: tuple[str, ...] = ()
    """Names of programs that people look for it by."""
    versions: str = ""
    """Versions of the engine that serve, where a new platform file must say so."""
    first_schemas: tuple[str, ...] = ()
    """Values of `schema_type` in its platform files of 2020."""
    first_program: str = ""
    """Key of those files that names a program."""

    @property
    def is_place(self) -> bool:
        """Whether it points to another host."""
        return self.offer is None


@cache
def built_in() -> Mapping[str, About]:
    """Return the kinds that have a folder in this package, by name."""
    modules = sorted(
        each.name
        for each in walk_packages([str(Path(__file__).parent)], f"{__package__}.")
        if each.name.endswith(_MODULE) and each.name != __name__
    )
    found = [import_module(each).ABOUT for each in modules]
    return {each.kind: each for each in found}


def about(kind: str) -> About | None:
    """Return what a kind is; None for those of other packages."""
    return built_in().get(kind)


def offer_of(kind: str) -> Offer:
    """Return what a kind may be asked for; those of other packages have Docker's."""
    found = about(kind) or built_in()[_FOR_OTHERS]
    return found.offer or offer_of(_FOR_OTHERS)


def preferred() -> tuple[str, ...]:
    """Return the kinds to try when none is named, the first one first."""
    ranks = {
        each.kind: each.preference
        for each in built_in().values()
        if each.preference is not None
    }
    return tuple(sorted(ranks, key=lambda kind: ranks[kind]))
