"""Reads many mutations, and keeps count."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from traceback import format_exc
from typing import TYPE_CHECKING

from tests.fuzz.mutation import mutated
from tests.fuzz.readers import readers

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Figures", "fuzz"]

#: Seconds of CPU that one text may take: one, on a machine half as fast.
_SLOW = 2.0


@dataclass(slots=True)
class Figures:
    """The result of a number of inputs."""

    read: Counter[str] = field(default_factory=Counter)
    """How many inputs each reader got."""
    refused: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    """Errors that no reader may raise, and what took too long."""

    def __str__(self) -> str:
        """Show a line for each reader."""
        rows = [
            f"{name:26} {self.read[name]:8} read {self.refused[name]:8} refused by an "
            f"error, slowest {self.slowest[name]:.3f} s"
            for name in sorted(self.read)
        ]
        total = f"{self.read.total()} inputs, {len(self.failures)} failures"
        return "\n".join([*rows, total, *self.failures])


def fuzz(count: int, place: Path, seed: int = 0) -> Figures:
    """Read mutations of valid files.

    Args:
        count: How many.
        place: An empty folder; an input that fails is left there.
        seed: Where the random numbers start.
    """
    found = Figures()
    every = readers(place)
    others = tuple(each.valid for each in every)
    for index in range(count):
        reader = every[index % len(every)]
        random = Random(f"{seed}-{index}")  # noqa: S311 - the same each time
        text = mutated(reader.valid, others, random)
        began = time.process_time()
        failure = ""
        try:
            reader.read(text)
        except reader.refuses_by:
            found.refused[reader.name] += 1
        except Exception:  # noqa: BLE001 - that is what is looked for
            failure = format_exc(limit=-3)
        took = time.process_time() - began
        found.read[reader.name] += 1
        found.slowest[reader.name] = max(took, found.slowest.get(reader.name, 0.0))
        if took > _SLOW:
            failure += f"{took:.1f} s\n"
        if failure:
            kept = place / f"failed-{seed}-{index}"
            kept.write_bytes(text.encode("utf-8", "surrogatepass"))
            found.failures.append(f"{reader.name}, input {kept}:\n{failure}")
    return found
