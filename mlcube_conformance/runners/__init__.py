"""The runners, each imported on first use.

Each folder here with an `about.py` is one. Others join by an entry point in the group
`mlcube_conformance.runners`, whose name is the kind of platform and whose value takes
the id of the run.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from mlcube_conformance.base.errors import Message, UsageError
from mlcube_conformance.runners.about import built_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlcube_conformance.base.errors import MachineError
    from mlcube_conformance.model import Platform
    from mlcube_conformance.runners.contract import Runner

__all__ = ["check_kind", "first_available", "kinds", "make_runner"]

_GROUP = "mlcube_conformance.runners"


def check_kind(platform: Platform) -> None:
    """Make sure that a runner for the platform exists; imports none.

    Raises:
        UsageError: There is none.
    """
    if platform.kind in _ours():
        return
    known = _known()
    if platform.kind in known:
        return
    raise UsageError(
        Message(
            what=f"no runner for platforms of the kind {platform.kind!r}",
            where=str(platform.file),
            found=platform.kind,
            expected=f"one of {', '.join(sorted(known))}",
            do="choose another platform, or install a package with a runner for it",
        )
    )


def first_available(kinds: Sequence[str]) -> tuple[str, tuple[MachineError, ...]]:
    """Return the first kind of platform that works here, and why not the earlier ones.

    Raises:
        UsageError: None of them does.
    """
    troubles: list[MachineError] = []
    for kind in kinds:
        runner = make_runner(kind, "probe")
        trouble = runner.unavailable()
        runner.close()
        if trouble is None:
            return kind, tuple(troubles)
        troubles.append(trouble)
    raise UsageError(*(message for each in troubles for message in each.messages))


def kinds() -> tuple[str, ...]:
    """Return the kinds of platform that have a runner: ours, then those installed."""
    ours = tuple(_ours())
    return (*ours, *(each for each in sorted(_known()) if each not in ours))


def make_runner(kind: str, run_id: str) -> Runner:
    """Import the runner for a kind of platform and start it."""
    runner = _ours().get(kind) or _known()[kind]
    module, _, name = runner.partition(":")
    make = cast("Callable[[str], Runner]", getattr(import_module(module), name))
    return make(run_id)


@cache
def _installed() -> dict[str, str]:
    """Return the runners of other packages; all of these are looked through once."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes time, and few have any

    return {each.name: each.value for each in entry_points(group=_GROUP)}


def _ours() -> dict[str, str]:
    return {each.kind: each.runner for each in built_in().values()}


def _known() -> dict[str, str]:
    others = dict(_installed())
    if os.environ.get("MLCUBE_CONFORMANCE_FAKE"):
        # Not for a platform file to choose: it passes without running anything.
        others["fake"] = "mlcube_conformance.runners.fake:FakeRunner"
    return {**others, **_ours()}
