"""What a session of cubes refuses before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError
from mlcube_conformance.base.files import is_no_utf8, is_there
from mlcube_conformance.base.homes import given_folder, given_path
from mlcube_conformance.base.text import visible

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from mlcube_conformance.plan.selection import Selection

__all__ = ["refuse_names_for_workers", "workspace_asked"]


def workspace_asked(
    given: str | None, placements: int, *, check_only: bool
) -> Path | None:
    """Return the folder that `--workspace` names, if any.

    Args:
        given: What the option says.
        placements: Cubes on platforms that are tested.
        check_only: Whether what is there is judged, and nothing runs.

    Raises:
        UsageError: It is not a folder, or would serve several.
    """
    if check_only:
        _require_workspace(given)
    if given is None:
        return None
    path = given_folder(given, "--workspace")
    if placements > 1:
        raise UsageError(
            Message(
                what="--workspace needs one cube and one platform",
                where="--workspace",
                found=f"{placements} of them",
                expected="one --cube and one --platform",
                do="run them one by one, or leave --workspace out",
            )
        )
    return path


def _require_workspace(given: str | None) -> None:
    """Refuse to judge what does not exist."""
    if given is None or not is_there(given_path(given, "--workspace")):
        raise UsageError(
            Message(
                what="--check-only needs the workspace of an earlier run",
                where="--workspace",
                found="no --workspace" if given is None else f"no folder {given}",
                expected="--workspace DIR, with what a run left there",
                do="give the folder, or leave --check-only out to run the tasks",
            )
        )


def refuse_names_for_workers(config: pytest.Config, selection: Selection) -> None:
    """Refuse to send to workers what pytest-xdist can send to none.

    Raises:
        UsageError: A name is not UTF-8, and workers are asked for.
    """
    if config.getoption("dist", "no") == "no":
        return
    names = [
        *(str(config.invocation_params.dir), *map(str, config.invocation_params.args)),
        *(str(each.cube.root) for each in selection.cubes),
    ]
    for name in names:
        if is_no_utf8(name):
            raise UsageError(
                Message(
                    what="pytest workers accept UTF-8 names only",
                    where=visible(name),
                    found="-n, and a name of other bytes",
                    expected="names in UTF-8, or a run without workers",
                    do="leave -n out, or rename the folder",
                )
            )
