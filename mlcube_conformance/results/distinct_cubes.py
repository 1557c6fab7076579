"""Tells cubes of several runs from one another, by their places and contents.

In one run each cube has an id of its own: the name of its folder, with more of its path
where two folders have one name. So the same cube may have two ids in two jobs of a
matrix, and two cubes the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.names import ids_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["with_distinct_cubes"]

#: What tells a cube in one record from all others: its run, and its id there.
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A cube as one run saw it."""

    key: _Key
    file: PurePath
    """Its main file, relative to the folder of the run where it is in it."""
    content: str

    @property
    def id(self) -> str:
        return self.key[1]

    def is_same(self, other: _Seen) -> bool:
        """Say whether two runs saw one cube, perhaps on two hosts."""
        if self.id == other.id and self.content == other.content != "":
            return True
        return self.file == other.file and _are_ids_of_one(self.id, other.id)


@dataclass(slots=True)
class _Cube:
    """A cube, as several runs saw it."""

    seen: list[_Seen] = field(default_factory=list)

    @property
    def path(self) -> PurePath:
        """The path of its folder, which ends with its shortest id."""
        shortest = min((each.id for each in self.seen), key=len)
        return self.seen[0].file.parent.parent / shortest


def with_distinct_cubes(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records in which each cube has one id, and no other cube has it."""
    cubes: list[_Cube] = []
    by_id: dict[str, list[_Cube]] = {}
    by_file: dict[PurePath, list[_Cube]] = {}
    for seen in _cubes_of(records):
        near = [*by_id.get(seen.id, ()), *by_file.get(seen.file, ())]
        same = (x for x in near if any(seen.is_same(other) for other in x.seen))
        cube = next(same, None)
        if cube is None:
            cube = _Cube()
            cubes.append(cube)
        cube.seen.append(seen)
        by_id.setdefault(seen.id, []).append(cube)
        by_file.setdefault(seen.file, []).append(cube)
    named = zip(cubes, ids_of([each.path for each in cubes]), strict=True)
    names = {seen.key: name for cube, name in named for seen in cube.seen}
    return [_renamed(each, names) for each in records]


def _are_ids_of_one(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return long == short or long.endswith(f"-{short}")


def _cubes_of(records: Iterable[dict[str, Any]]) -> Iterator[_Seen]:
    for record in records:
        folders = {each["run"]: each["folder"] for each in record.get("parts", ())}
        for cube in record["cubes"]:
            run = cube.get("run", record["run"])
            file = PurePath(cube["file"])
            folder = folders.get(run, record["folder"])
            if file.is_relative_to(folder):
                file = file.relative_to(folder)
            yield _Seen((run, cube["id"]), file, cube.get("content") or "")


def _renamed(record: dict[str, Any], names: dict[_Key, str]) -> dict[str, Any]:
    def name(event: dict[str, Any], old: str) -> str:
        return names.get((event.get("run", record["run"]), old), old)

    return {
        **record,
        "cubes": [{**x, "id": name(x, x["id"])} for x in record["cubes"]],
        "platforms": [{**x, "cube": name(x, x["cube"])} for x in record["platforms"]],
        "findings": [
            {**x, "subject": {**x["subject"], "cube": name(x, x["subject"]["cube"])}}
            for x in record["findings"]
        ],
    }
