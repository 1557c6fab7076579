"""The animals: short descriptions of cubes that break one clause each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["KINDS", "Animal", "Half", "animals"]

#: The platforms where an animal can be met unless its description says otherwise.
KINDS: Final = ("docker", "singularity", "local")

#: The two cubes of an animal.
Half = Literal["broken", "sound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Animal:
    """A cube that breaks one clause, and a sound one as near to it as possible."""

    name: str
    clause: str
    """Id of the one clause that it breaks."""
    breaks: str
    """What is wrong with it, in a sentence."""
    fix: str
    """What its author has to do."""
    form: Literal["one file", "several files"] = "one file"
    both: Mapping[str, Any] = field(default_factory=dict)
    """Changes of the small cube that both of its cubes have; see `write_animal`."""
    broken: Mapping[str, Any] = field(default_factory=dict)
    sound: Mapping[str, Any] = field(default_factory=dict)
    on: Sequence[str] = KINDS
    """Kinds of platforms where a run shows it; none where `validate` alone does."""
    level: Literal["", "L0", "L1", "L2", "L3", "L4"] = "L2"
    """The level of trust that is asked for; "" for none."""
    options: Sequence[str] = ()
    """Further options of a run."""
    says: Sequence[str] = ()
    """Parts of its message."""
    example: bool = False
    """Whether it, and not the first one of its clause, is shown as the example."""

    def changes(self, half: Half) -> dict[str, Any]:
        """Return the changes that make one of its cubes from the small one."""
        found = dict(self.both)
        for key, own in (self.broken if half == "broken" else self.sound).items():
            both = found.get(key)
            found[key] = {**both, **own} if isinstance(both, dict) else own
        return found


@cache
def animals() -> tuple[Animal, ...]:
    """Return all animals, in the order of their files."""
    # Our own files, and needed by one command: loaded when it is called.
    import yaml  # noqa: PLC0415

    found = []
    for file in sorted(Path(__file__).parent.glob("*.yaml")):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8")):
            # PyYAML reads a key `on` as true.
            words = {"on" if key is True else key: entry[key] for key in entry}
            found.append(Animal(**words))
    return tuple(found)
