"""Stores the outputs of a task as the expected ones, where that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Violation, not_written
from mlcube_conformance.base.files import is_inside, read_bytes
from mlcube_conformance.base.paths import is_like
from mlcube_conformance.base.writing import write_whole
from mlcube_conformance.checks.documents.reading import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlcube_conformance.checks.outputs import Observation
    from mlcube_conformance.model import Case
    from mlcube_conformance.promise import OutputPromise

__all__ = ["store_snapshots"]


def store_snapshots(case: Case, outputs: Iterable[Observation]) -> tuple[Path, ...]:
    """Write what a task made over the snapshots of its cube; return their places.

    Nothing is removed: a file that the output has no longer stays, and is reported.

    Args:
        case: The task on a platform.
        outputs: Its outputs.

    Raises:
        Violation: A snapshot points out of the cube.
        MachineError: It cannot be written.
    """
    seen = {each.binding.parameter.name: each for each in outputs}
    places = []
    for promise in case.promises.of_kind("snapshot"):
        output = seen.get(promise.output)
        if output is not None and output.made_files:
            place = Path(promise.rule["place"])
            _store(output, place, promise, case.cube.root)
            places.append(place)
    return tuple(places)


def _store(
    output: Observation, place: Path, promise: OutputPromise, root: Path
) -> None:
    for name, _ in output.after.files():
        if any(is_like(name, each) for each in promise.rule["ignore"]):
            continue
        source, target = output.path / name, place / name
        if not is_inside(root, target.parent) or target.is_symlink():
            raise Violation(
                Message(
                    what="the snapshot points out of the cube",
                    where=str(promise.source),
                    found=str(target),
                    expected="a place in the cube, without links",
                    do="remove the link, or name another place",
                )
            )
        content = read_bytes(source, output.path, limit=LARGEST)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, content)
        except OSError as error:
            what = "the snapshot cannot be written"
            do = "fix the permissions, or free some disk space"
            raise not_written(what, target, error, do=do) from error
