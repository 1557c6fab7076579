"""What a session of cubes refuses before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError
from mlcube_conformance.base.files import is_folder, is_no_utf8, is_there
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.text import visible

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from mlcube_conformance.plan.selection import Selection

__all__ = ["one_placement", "refuse_names_for_workers", "workspace_asked"]


def workspace_asked(given: str | None) -> Path | None:
    """Return the folder that `--workspace` names, if any.

    Raises:
        UsageError: It is not a folder.
    """
    if given is None:
        return None
    path = given_path(given, "--workspace")
    if is_there(path) and not is_folder(path):
        raise UsageError(
            Message(
                what="--workspace is not a folder",
                where="--workspace",
                found=str(path),
                expected="a new or existing folder",
                do="fix the path",
            )
        )
    return path


def one_placement(count: int) -> UsageError:
    """Return the refusal of one workspace for several cubes or platforms."""
    return UsageError(
        Message(
            what="--workspace needs one cube and one platform",
            where="--workspace",
            found=f"{count} of them",
            expected="one --cube and one --platform",
            do="run them one by one, or leave --workspace out",
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
