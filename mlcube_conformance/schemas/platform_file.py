"""The schema of platform files: of an engine, in both forms, and of another host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.formats.platform_schemas import (
    CONTAINER_KEYS,
    FIRST_KEYS,
    LATER_TYPES,
    PLATFORM_KEYS,
    TOP_KEYS,
    first_schemas,
)
from mlcube_conformance.runners.about import built_in
from mlcube_conformance.schemas.place_file import place_file
from mlcube_conformance.schemas.rules import (
    NOTHING,
    VERSION,
    Rule,
    any_of,
    described,
    in_order,
    mapping,
    text,
    words,
)

if TYPE_CHECKING:
    from mlcube_conformance.runners.about import About

__all__ = ["platform_file"]

_TEXT: Rule = {"type": "string", "pattern": r"\S"}
_IMAGE = (
    "Name of the image; for singularity, the path of its file. ${name} and ${version} "
    "are those of the cube."
)
_VERSION = "Versions of the engine that serve, such as >=20.10."
#: What is read, and not what it says.
_ANY_VERSION: Rule = {"description": "Version of the format: 1.0.0."}


def platform_file() -> Rule:
    """Return the schema of a platform file."""
    others: Rule = {
        "if": any_of(
            {"required": ["host"]},
            {
                "required": ["platform"],
                "properties": {"platform": {"type": "string", "minLength": 1}},
            },
        ),
        "then": place_file(),
        "else": _later(),
    }
    for name, about in reversed(first_schemas().items()):
        others = {
            "if": {
                "required": ["schema_type"],
                "properties": {"schema_type": {"const": name}},
            },
            "then": _first(name, about),
            "else": others,
        }
    kinds = [*LATER_TYPES, *first_schemas()]
    return {
        "description": "Where tasks run, and with what.",
        "type": "object",
        # What editors offer in a new file.
        "properties": {
            "schema_type": {"description": "What the file is.", "examples": kinds[:1]},
            "host": {
                "description": "Another host to run on, such as gpu1.example.org."
            },
        },
        **others,
    }


def _first(name: str, about: About) -> Rule:
    """Return the schema of a platform file of one of the runners of 2020."""
    rules = {
        "schema_type": described("A platform file of 2020.", {"const": name}),
        "schema_version": described("Version of the format: 1.0.0.", VERSION),
        "image": text(_IMAGE),
    }
    key = about.first_program
    own: dict[str, Rule] = {}
    if key and about.offer:
        own[key] = described(
            "Program that runs containers.", any_of(words(about.offer.programs), _TEXT)
        )
    return mapping(
        f"A platform file of 2020, for {about.title}.",
        {**in_order(FIRST_KEYS, rules), **own},
        (*FIRST_KEYS, *own),
    )


def _later() -> Rule:
    """Return the schema of the platform files that all runners share."""
    engines = [each for each in built_in().values() if not each.is_place]
    places = [each.kind for each in built_in().values() if each.is_place]
    free = [each.kind for each in engines if each.offer and not each.offer.needs_image]
    name = any_of(words(each.kind for each in engines), _TEXT)
    rules = {
        "schema_type": described("A platform file.", words(LATER_TYPES)),
        "schema_version": _ANY_VERSION,
        "platform": mapping(
            "The kind of platform.",
            in_order(
                PLATFORM_KEYS,
                {
                    "name": {
                        "description": "Kind of the platform.",
                        **name,
                        "not": {"enum": places},
                    },
                    "version": text(_VERSION, ">=20.10"),
                },
            ),
            PLATFORM_KEYS,
        ),
        "container": _container(),
    }
    file = mapping("A platform file.", in_order(TOP_KEYS, rules), ("platform",))
    without = {
        "required": ["platform"],
        "properties": {
            "platform": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"enum": free}},
            }
        },
    }
    needs_image = {
        "required": ["container"],
        "properties": {"container": {"required": ["image"]}},
    }
    return {**file, "if": without, "else": needs_image}


def _container() -> Rule:
    offers = [each.offer for each in built_in().values() if each.offer]
    runtimes = ", ".join(each.kind for each in offers if each.runtimes)
    programs = dict.fromkeys(name for each in offers for name in each.programs)
    shown = "; ".join(
        f"{each.kind}: {', '.join(each.written.values())}" for each in offers
    )
    rules = {
        "image": text(_IMAGE, "example/wordcount:1.0"),
        "runtime": described(
            f"Runtime of the engine, such as nvidia ({runtimes} only).",
            any_of(_TEXT, NOTHING),
        ),
        "command": described(
            "Program that runs containers.", any_of(words(programs), _TEXT, NOTHING)
        ),
        "run_args": described(
            f"Flags of the engine, as one text. Supported for {shown}.",
            any_of(
                {"type": "string", "minLength": 1, "examples": ["--network=none"]},
                NOTHING,
            ),
        ),
    }
    return mapping("The container of each task.", in_order(CONTAINER_KEYS, rules))
