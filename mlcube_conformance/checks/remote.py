"""Checks that the outputs of a task are on its host, and the same here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.files import ODD
from mlcube_conformance.base.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlcube_conformance.base.errors import Message
    from mlcube_conformance.checks.outputs import Observation
    from mlcube_conformance.place import RemoteEntry

__all__ = ["same_on_host"]

_SHOWN = 12


def same_on_host(
    observations: tuple[Observation, ...],
    remote: Mapping[str, Mapping[str, RemoteEntry]],
) -> tuple[Message, ...]:
    """Check that inputs and outputs are the same on the host and here.

    Names, types and sizes of files are compared, and that the user who ran the task
    there owns them.

    Args:
        observations: Inputs and outputs, as they are here.
        remote: What is instead of each on the host, by role and parameter.
    """
    made = {
        each.path for each in observations if each.binding.parameter.role == "output"
    }
    messages = []
    for each in observations:
        parameter = each.binding.parameter
        there = remote.get(f"{parameter.role} {parameter.name}", {})
        if parameter.role == "input":
            there = _without(there, each, made)
            root = each.after.root
            if root is None or root.kind == "link":
                # Declared as an output too, or sent as what it points to.
                continue
        differences = _differences(each, there)
        if differences:
            more = len(differences) - _SHOWN
            differences = differences[:_SHOWN] + ([f"and {more} more"] * (more > 0))
            messages.append(
                each.message(
                    "differs from the one on the host where the task ran",
                    "\n".join(differences),
                    "the same names, types and sizes on both, owned by the user of "
                    "that host",
                    "write plain files, folders and links, and do not change owners",
                )
            )
    return tuple(messages)


def _without(
    there: Mapping[str, RemoteEntry], observation: Observation, outputs: set[Path]
) -> dict[str, RemoteEntry]:
    """Return what is in an input, less the outputs in it."""
    found = {}
    for name, entry in there.items():
        path = observation.path / name
        if not outputs & {path, *path.parents}:
            found[name] = entry
    return found


def _differences(
    observation: Observation, there: Mapping[str, RemoteEntry]
) -> list[str]:
    here = observation.after.entries
    is_input = observation.binding.parameter.role == "input"
    if not there:
        return [f"nothing on the host; here: {observation.path}"]
    found = []
    for path in sorted({*here, *there}):
        mine, its = here.get(path), there.get(path)
        if is_input and its is None and mine is not None and mine.kind in ODD:
            continue  # A pipe of the user's is not sent.
        if mine is None or its is None:
            place = "here" if its is None else "on the host"
            kind = its.kind if its else mine.kind if mine else ""
            found.append(f"{visible(path)}: a {kind}, only {place}")
        elif mine.kind != its.kind:
            found.append(
                f"{visible(path)}: a {its.kind} on the host, a {mine.kind} here"
            )
        elif mine.kind == "file" and mine.size != its.size:
            found.append(
                f"{visible(path)}: {its.size} bytes on the host, {mine.size} here"
            )
        elif its.foreign:
            found.append(f"{visible(path)}: belongs to another user on the host")
    return found
