"""Harder conditions under which a task must or should work, as a table."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlcube_conformance.model import Case, Platform

__all__ = ["CONDITIONS", "STRANGER", "Condition", "conditions_of", "under"]

#: A user and group whom no image knows.
STRANGER = 54_321


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition; what each kind of platform is asked for."""

    clause: str
    words: str
    """As a message says it: `with a read-only root file system`."""
    do: str
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Options by kind of platform."""
    kinds: tuple[str, ...] = ()
    """Kinds that can do it; empty for all."""
    environment: Mapping[str, str] = field(default_factory=dict)
    workspace: str = "workspace"
    """Name of the folder to run in."""
    stranger: bool = False
    """Whether another user runs it, which only root can arrange."""


CONDITIONS = (
    Condition(
        clause="HERMETIC-4",
        words="as a user without name, home or root",
        do="let any user read the files of the image, and write to outputs alone",
        kinds=("docker",),
        options={"docker": {"user": f"{STRANGER}:{STRANGER}"}},
        stranger=True,
    ),
    Condition(
        clause="HERMETIC-5",
        words="with a read-only root file system",
        do="write to outputs and to /tmp alone",
        kinds=("docker",),
        options={"docker": {"read_only": "yes", "tmpfs": "/tmp"}},  # noqa: S108 - inside
    ),
    Condition(
        clause="HERMETIC-6",
        words="without capabilities and new privileges",
        do="remove chown, sudo, ports below 1024 and the like",
        kinds=("docker",),
        options={
            "docker": {"cap_drop": "ALL", "security_opt": "no-new-privileges"},
        },
    ),
    Condition(
        clause="HERMETIC-7",
        words="in a workspace whose path has blanks and Unicode",
        do='quote paths in scripts: "$path"',
        workspace="a wörk spåce ✓",
    ),
    Condition(
        clause="HERMETIC-8",
        words="with another umask, time zone and locale",
        # Docker has a umask of its own.
        options={"singularity": {"umask": "077"}, "local": {"umask": "077"}},
        do="name the encoding of files that are read, and the zone of times",
        environment={"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C"},
    ),
)


def conditions_of(case: Case) -> tuple[Condition, ...]:
    """Return the conditions that can be made for a case."""
    if case.platform.place is not None:
        return ()
    given = any(each.given_by_user for each in case.invocation.bindings)
    return tuple(
        each
        for each in CONDITIONS
        if (not each.kinds or case.platform.kind in each.kinds)
        and not (each.stranger and (os.getuid() != 0 or given))
    )


def under(platform: Platform, conditions: Iterable[Condition]) -> Platform:
    """Return a platform that asks for conditions, beside what it asks already."""
    options = dict(platform.options)
    environment = dict(platform.environment)
    for each in conditions:
        for name, value in each.options.get(platform.kind, {}).items():
            several = name in {"tmpfs", "cap_drop"} and options.get(name)
            options[name] = f"{options[name]}\n{value}" if several else value
        environment |= each.environment
    return replace(platform, options=options, environment=environment)
