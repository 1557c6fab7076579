"""Reads what platform files of both schemas ask of an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.formats.run_args import read_container, read_program
from mlcube_conformance.model import Platform
from mlcube_conformance.runners.about import about, built_in, offer_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.runners.about import About

__all__ = [
    "CONTAINER_KEYS",
    "FIRST_KEYS",
    "LATER_TYPES",
    "PLATFORM_KEYS",
    "TOP_KEYS",
    "first_schema",
    "first_schemas",
    "later_schema",
]

LATER_TYPES = ("mlcube_platform", "mlcommons_box_platform")
TOP_KEYS = ("schema_type", "schema_version", "platform", "container")
FIRST_KEYS = ("schema_type", "schema_version", "image")
PLATFORM_KEYS = ("name", "version")
CONTAINER_KEYS = ("image", "runtime", "command", "run_args")


def first_schemas() -> dict[str, About]:
    """Return the kind of platform that each schema of a runner of 2020 is for."""
    return {name: each for each in built_in().values() for name in each.first_schemas}


def first_schema(
    document: Located, schema_type: str, problems: Problems
) -> Platform | None:
    """Read a platform file of one of the runners of 2020."""
    found = first_schemas()[schema_type]
    key = found.first_program
    problems.unknown_keys(document, (*FIRST_KEYS, *([key] if key else [])))
    problems.version(document, "schema_version")
    options: dict[str, str] = {}
    if key:
        program = problems.text(document, key)
        at = document.get(key) or document
        read_program(program, at, options, problems, offer_of(found.kind))
    file = document.source.file
    image = problems.text(document, "image")
    return Platform(
        id=file.stem, kind=found.kind, image=image, file=file, options=options
    )


def later_schema(document: Located, problems: Problems) -> Platform | None:
    """Read a platform file of the schema that all runners share."""
    schema_type = document.get("schema_type")
    if schema_type is not None and schema_type.text() not in LATER_TYPES:
        problems.add(
            f"{document.source.file.name} has the wrong schema_type",
            schema_type,
            found=str(schema_type.value),
            expected=f"one of {', '.join((LATER_TYPES[0], *first_schemas()))}",
            do=f"write schema_type: {LATER_TYPES[0]}",
        )
        return None
    problems.unknown_keys(document, TOP_KEYS)
    platform = _mapping(document, "platform", PLATFORM_KEYS, problems)
    if platform is None:
        return None
    kind = problems.text(platform, "name")
    version = problems.text(platform, "version")
    file = document.source.file
    known = about(kind)
    if known is not None and known.is_place:
        problems.add(
            f"{file.name} names no host",
            platform,
            found=f"name: {kind}",
            expected="the keys host and platform, for a cube on another host",
            do="write them as docs/platforms.md shows, or name another kind",
        )
        return None
    offer = offer_of(kind)
    options: dict[str, str] = {}
    image = ""
    if offer.needs_image or document.get("container") is not None:
        container = _mapping(document, "container", CONTAINER_KEYS, problems)
        if not kind or container is None:
            return None
        if offer.needs_image or container.get("image") is not None:
            image = problems.text(container, "image")
        read_container(container, offer, options, problems)
    return Platform(
        id=file.stem,
        kind=kind,
        image=image,
        file=file,
        options=options,
        version=version,
    )


def _mapping(
    document: Located, key: str, known: Iterable[str], problems: Problems
) -> Located | None:
    at = problems.mapping(
        document,
        key,
        expected=f"{key}: a mapping with {', '.join(known)}",
        do=f"write the key {key!r} with a mapping",
    )
    if at is not None:
        problems.unknown_keys(at, known)
    return at
