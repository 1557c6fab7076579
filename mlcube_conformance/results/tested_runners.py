"""The runners that a record is about, and what each is called beside the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlcube_conformance.results.reading import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["TestedRunner", "labels_of", "runners_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedRunner:
    """A runner, as one run tested it."""

    __test__ = False  # pytest looks for classes of this name.

    label: str
    """The heading of its column."""
    name: str
    version: str
    format: str
    """Of the cubes that were put to it."""
    platform: str
    date: str
    host: str


def labels_of(runners: Iterable[tuple[str, str, str, str]]) -> list[str]:
    """Return the heading of each runner's column: its name, or more to tell it.

    Args:
        runners: Name, version, format of cubes, and date of each.
    """
    runners = [*runners]
    named = Counter(name for name, _, _, _ in runners)
    versions = Counter((name, version) for name, version, _, _ in runners)
    labels: list[str] = []
    for name, version, form, date in runners:
        words = [name]
        if named[name] > 1:
            words += [each for each in (version, form) if each]
        if versions[name, version] > 1:
            words.append(date)
        label = " ".join(words)
        labels.append(f"{label} ({len(labels) + 1})" if label in labels else label)
    return labels


def runners_of(record: Mapping[str, Any]) -> dict[str, TestedRunner]:
    """Return the runner that each run of a record tested; none where it is of cubes."""
    if record.get("suite") != "runner":  # Of a run that goes on, less is known.
        return {}
    runs = record.get(PARTS) or [record]
    told = [(each, each.get("runner") or record["runner"]) for each in runs]
    labels = labels_of(
        (about["name"], about["version"], about["format"], each["began"][:10])
        for each, about in told
    )
    return {
        each["run"]: TestedRunner(
            label=label,
            name=about["name"],
            version=about["version"],
            format=about["format"],
            platform=about["platform"],
            date=each["began"][:10],
            host=each["host"]["name"],
        )
        for label, (each, about) in zip(labels, told, strict=True)
    }
