"""Which invocations read what others write, known by their values alone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlcube_conformance.plan.mounts import host_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlcube_conformance.model import Invocation, Role

__all__ = ["DataFlow"]


@dataclass(frozen=True, slots=True)
class _Places:
    """Paths of one invocation in one role, each by its number."""

    exact: frozenset[int]
    around: frozenset[int]
    """Those, and all folders that hold them."""


class DataFlow:
    """The invocations of a cube, looked through once: a cube may have thousands."""

    def __init__(self, invocations: Sequence[Invocation]) -> None:
        """Look through their values."""
        self._invocations = invocations
        self._numbers: dict[tuple[int, str], int] = {}
        self._written: dict[int, list[int]] = defaultdict(list)
        self._holding: dict[int, list[int]] = defaultdict(list)
        self._index = {each.name: index for index, each in enumerate(invocations)}
        self._inputs = [self._places(each, "input") for each in invocations]
        self._outputs = [self._places(each, "output") for each in invocations]
        for index, made in enumerate(self._outputs):
            for number in made.exact:
                self._written[number].append(index)
            for number in made.around:
                self._holding[number].append(index)

    def feeding(self, consumer: Invocation) -> tuple[Invocation, ...]:
        """Return those with an output that is, holds or is in an input of one.

        Two that each read what the other writes (both work in place on one folder)
        keep the order in which they stand.
        """
        place = self._index.get(consumer.name, len(self._invocations))
        if place < len(self._invocations) and self._invocations[place] is consumer:
            read, made = self._inputs[place], self._outputs[place]
        else:
            read = self._places(consumer, "input")
            made = self._places(consumer, "output")
        found = {index for each in read.around for index in self._written.get(each, ())}
        found |= {index for each in read.exact for index in self._holding.get(each, ())}
        return tuple(
            each
            for index in sorted(found)
            if (each := self._invocations[index]).name != consumer.name
            and (index < place or not _share(self._inputs[index], made))
        )

    def _places(self, invocation: Invocation, role: Role) -> _Places:
        # Any absolute folder serves to compare the values with each other.
        folder = next(iter(self._invocations), invocation).file.parent
        exact, around = set(), set()
        for binding in invocation.bound(role):
            numbers = self._chain(host_path(binding, folder))
            exact.add(numbers[-1])
            around.update(numbers)
        return _Places(frozenset(exact), frozenset(around))

    def _chain(self, path: Path) -> list[int]:
        """Return the numbers of a path and of the folders that hold it."""
        chain = [0]
        for part in path.parts:
            step = (chain[-1], part)
            chain.append(self._numbers.setdefault(step, len(self._numbers) + 1))
        return chain


def _share(some: _Places, others: _Places) -> bool:
    """Say whether any of some is, holds or is in any of the others."""
    return not (
        some.around.isdisjoint(others.exact) and others.around.isdisjoint(some.exact)
    )
