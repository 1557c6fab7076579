"""Compares the outputs of one task on several platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message
from mlcube_conformance.base.snapshots import UNREADABLE
from mlcube_conformance.base.text import visible
from mlcube_conformance.checks.promised import values_differ

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlcube_conformance.checks.outputs import Observation
    from mlcube_conformance.model import Case

__all__ = ["same_on_every_platform", "same_values"]

_NOTHING = "-"
_SHOWN = 12
#: Characters of a hash that are enough to see a difference.
_HASH = 12


def same_on_every_platform(
    task: str, seen: Mapping[str, Sequence[Observation]]
) -> tuple[Message, ...]:
    """Check that platforms agree on the names and types of all that a task made.

    Where the cube promises the same bytes, those are compared too.

    Args:
        task: Name of the task.
        seen: The outputs of the task, by the name of the platform.
    """
    columns = {name: _column(outputs) for name, outputs in seen.items()}
    places = dict.fromkeys(place for column in columns.values() for place in column)
    rows = [
        (*place, *(column.get(place, _NOTHING) for column in columns.values()))
        for place in places
        if _differ([column.get(place, _NOTHING) for column in columns.values()])
    ]
    if not rows:
        return ()
    some = next(iter(seen.values()))[0].binding.source.file
    exact = any(each.digests for outputs in seen.values() for each in outputs)
    return (
        Message(
            what=f"the outputs of task {task!r} differ between platforms",
            where=str(some),
            found=_table((("output", "path", *seen), *rows[:_SHOWN]))
            + (f"\nand {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""),
            expected="the same names and types"
            + (", and the same bytes where conformance.yaml promises" if exact else ""),
            do="compare both workspaces: does the working folder, a time in a name,\n"
            "the base image or a write permission differ?",
        ),
    )


def _differ(cells: Sequence[str]) -> bool:
    """Say whether cells differ; what nobody can read is like nothing else."""
    return len(set(cells)) > 1 or any(
        each.partition(" ")[2] == UNREADABLE for each in cells
    )


def _column(outputs: Sequence[Observation]) -> dict[tuple[str, str], str]:
    """Return the files of one platform, by path."""
    return {
        (each.binding.parameter.name, visible(name)): _what(
            entry.kind, each.digests.get(name, "")
        )
        for each in outputs
        for name, entry in sorted(each.after.entries.items())
    }


def _what(kind: str, digest: str) -> str:
    shown = digest[:_HASH] if kind == "file" else visible(digest)
    return f"{kind} {shown}".strip()


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def same_values(
    case: Case, seen: Mapping[str, Sequence[Observation]]
) -> tuple[Message, ...]:
    """Check that documents hold the same values wherever a cube promises that.

    Args:
        case: The task on any of the platforms.
        seen: The outputs of the task, by the name of the platform.
    """
    messages = []
    (first, ours), *others = seen.items()
    for promise in case.promises.of_kind("same"):
        here = _output(ours, promise.output)
        for name, outputs in others:
            found = values_differ(here, _output(outputs, promise.output), promise)
            if found:
                messages.append(
                    Message(
                        what=f"the values of {promise.output!r} differ between "
                        "platforms",
                        where=str(promise.source),
                        found=f"on {name}, and on {first} instead:\n{found}",
                        expected="the same values, within the promised tolerance",
                        do="look for other versions, precision or random numbers; or "
                        "give\na tolerance",
                    )
                )
    return tuple(messages)


def _output(outputs: Sequence[Observation], name: str) -> Observation:
    return next(each for each in outputs if each.binding.parameter.name == name)
