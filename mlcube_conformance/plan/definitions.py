"""Checks of a cube's files that need nothing to run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Violation
from mlcube_conformance.plan.order import (
    check_paths,
    order_invocations,
    paths_elsewhere,
)

if TYPE_CHECKING:
    from mlcube_conformance.formats.loaded import LoadedCube
    from mlcube_conformance.model import Invocation

__all__ = ["check_definitions"]


def check_definitions(loaded: LoadedCube) -> LoadedCube:
    """Return the cube with only what may run, in order, and every problem."""
    problems, limits = list(loaded.problems), list(loaded.limits)
    allowed: list[Invocation] = []
    for invocation in loaded.cube.invocations:
        broken = check_paths(invocation, loaded.cube.workspace)
        problems.extend(broken)
        if not broken:
            limits.extend(paths_elsewhere(invocation, loaded.cube.workspace))
            allowed.append(invocation)
    try:
        ordered = order_invocations(allowed)
    except Violation as violation:
        problems.extend(violation.messages)
        ordered = ()
    return replace(
        loaded,
        cube=replace(loaded.cube, invocations=ordered),
        problems=tuple(problems),
        limits=tuple(limits),
    )
