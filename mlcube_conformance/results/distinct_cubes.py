"""Tells cubes of several runs from one another, where their folders share a name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["with_distinct_cubes"]

#: What tells a cube in one record from all others: its run, and its id there.
_Key = tuple[str, str]


@dataclass(slots=True)
class _Same:
    """Cubes of several runs that are one: of one content, or in one place."""

    contents: set[str] = field(default_factory=set)
    places: dict[str, None] = field(default_factory=dict)
    keys: list[_Key] = field(default_factory=list)

    def has(self, place: str, content: str) -> bool:
        return place in self.places or content in self.contents


def with_distinct_cubes(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records in which different cubes have different ids.

    In one run they have. Jobs of a matrix may each test a cube in a folder of the same
    name: those are called by their paths then. The same cube on several hosts keeps
    its id: its content or its path is the same.
    """
    names = _names([*_cubes_of(records)])
    return [_renamed(each, names) for each in records] if names else [*records]


def _cubes_of(
    records: Iterable[dict[str, Any]],
) -> Iterable[tuple[_Key, str, str]]:
    """Yield each cube with its path in the folder of its run, and its content."""
    for record in records:
        folders = {each["run"]: each["folder"] for each in record.get("parts", ())}
        for cube in record["cubes"]:
            run = cube.get("run", record["run"])
            place = PurePath(cube["root"])
            folder = folders.get(run, record["folder"])
            if place.is_relative_to(folder):
                place = place.relative_to(folder)
            content = cube.get("content") or f"unknown content at {place}"
            yield (run, cube["id"]), str(place), content


def _names(cubes: Iterable[tuple[_Key, str, str]]) -> dict[_Key, str]:
    """Return a name for each cube that shares its id with another one."""
    by_id: dict[str, list[_Same]] = {}
    for key, place, content in cubes:
        known = by_id.setdefault(key[1], [])
        same = next((each for each in known if each.has(place, content)), None)
        if same is None:
            same = _Same()
            known.append(same)
        same.contents.add(content)
        same.places[place] = None
        same.keys.append(key)
    return {
        key: "-".join(PurePath(next(iter(same.places))).parts).lstrip("/-")
        for known in by_id.values()
        if len(known) > 1
        for same in known
        for key in same.keys
    }


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
