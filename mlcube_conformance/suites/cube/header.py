"""The first lines of a session of cubes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance import __version__
from mlcube_conformance.base.text import mask, visible
from mlcube_conformance.runners.about import about
from mlcube_conformance.runners.common.container import resources
from mlcube_conformance.suites.cube.left_files import LeftFiles

if TYPE_CHECKING:
    from mlcube_conformance.plan.selection import Selection
    from mlcube_conformance.suites.cube.choice import PlatformChoice
    from mlcube_conformance.suites.cube.execution import Execution

__all__ = ["header"]


def header(
    selection: Selection, choice: PlatformChoice, execution: Execution, kept: str
) -> list[str]:
    """Return what is tested, with what, and where logs and workspaces are.

    Args:
        selection: What is tested.
        choice: The platforms that were chosen.
        execution: What runs it.
        kept: Which folders are kept; "" where nothing runs.
    """
    lines = [
        f"mlcube-conformance {__version__}: {each.id}: "
        + (", ".join(case.invocation.name for case in each.cases) or "no case")
        for each in selection.placements
    ]
    lines += [
        f"mlcube-conformance: {each.id}: not run, its definitions are invalid"
        for each in selection.cubes
        if each.problems
    ]
    if isinstance(execution, LeftFiles):
        where = f"files are judged in {execution.workspace}"
        lines.append(f"mlcube-conformance: --check-only runs nothing: {where}")
    lines += choice.header()
    kinds = {each.platform.kind for each in selection.placements}
    lines += [
        f"mlcube-conformance: {kind} isolates nothing: tasks run as you, with your "
        "files and network"
        for kind in sorted(kinds)
        if (known := about(kind)) and not known.isolates
    ]
    lines += [
        f"mlcube-conformance: {each.id} runs with "
        + ", ".join(f"{name}={value}" for name, value in gets.items() if name != "env")
        for each in selection.placements
        if (gets := resources(each.platform, execution.options))
    ]
    if kept:
        lines.append(
            f"mlcube-conformance: logs and workspaces in {execution.folder} "
            f"(kept: {kept})"
        )
    for cube in selection.cubes:
        lines += [f"warning: {' '.join(str(w).split())}" for w in cube.warnings]
    return [visible(mask(line)) for line in lines]
