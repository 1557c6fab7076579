"""The name of each schema, where it is published, and the line that names it."""

from __future__ import annotations

from dataclasses import dataclass

from mlcube_conformance.base.addresses import RAW

__all__ = ["SCHEMAS", "Named", "modeline", "named"]

_PUBLISHED = f"{RAW}/mlcube_conformance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A schema, and the files that it is for."""

    name: str
    what: str
    """The files, in words."""
    title: str
    folder: str = "schemas"
    """Folder of the package that its file is in."""
    matches: tuple[str, ...] = ()
    """Patterns of files that can be no other; none where a file must name it."""

    @property
    def path(self) -> str:
        """Where its file is in the package."""
        return f"{self.folder}/{self.name}.schema.json"

    @property
    def url(self) -> str:
        """Where it is published, which is its `$id`."""
        return f"{_PUBLISHED}/{self.path}"


SCHEMAS = (
    Named(
        name="mlcube",
        title="MLCube",
        what="main files of cubes, of both formats",
        matches=("mlcube.yaml", "mlbox.yaml"),
    ),
    Named(
        name="task",
        title="Task of an MLCube",
        what="task files of cubes of several files: tasks/*.yaml",
    ),
    Named(
        name="run",
        title="Run file of an MLCube",
        what="run files of cubes of several files: run/*.yaml",
    ),
    Named(
        name="platform",
        title="Platform file of MLCubes",
        what="platform files, and places: platform/*.yaml",
    ),
    Named(
        name="conformance",
        title="conformance.yaml",
        what="promises of a cube: conformance.yaml",
        folder="formats",
        matches=("conformance.yaml",),
    ),
    Named(
        name="runner",
        title="Runner of MLCubes",
        what="descriptions of runners, for --runner",
    ),
    Named(
        name="expected-failures",
        title="Clauses that a runner breaks",
        what="clauses that a runner breaks, for --expected-failures",
    ),
    Named(
        name="profile",
        title="Profile of clauses",
        what="levels of clauses, for --profile",
    ),
    Named(
        name="record",
        title="Record of a run of mlcube-conformance",
        what="records of runs: record.json",
        folder="results",
    ),
)


def named(name: str) -> Named:
    """Return the schema of that name.

    Raises:
        KeyError: There is none.
    """
    return {each.name: each for each in SCHEMAS}[name]


def modeline(name: str) -> str:
    """Return the first line of a file, by which editors find a schema; it has no end.

    Args:
        name: Name of the schema, such as `mlcube`, `task`, `run` or `platform`.
    """
    return f"# yaml-language-server: $schema={named(name).url}"
