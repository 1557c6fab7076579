"""The schema of the main file of a cube, in both formats."""

from __future__ import annotations

from mlcube_conformance.formats.loaded import KINDS
from mlcube_conformance.formats.multi_file import ROOT_TYPES
from mlcube_conformance.formats.single_file import TASK_KEYS, TOP_KEYS
from mlcube_conformance.formats.task_files import ROLES
from mlcube_conformance.formats.task_parameters import PARAMETER_KEYS
from mlcube_conformance.schemas.multi_file import PARAMETER, root_file
from mlcube_conformance.schemas.rules import (
    FILLED,
    NOTHING,
    Rule,
    any_of,
    described,
    empty_or,
    exactly,
    in_order,
    mapping,
    words,
)
from mlcube_conformance.schemas.section_rules import docker_section, singularity_section

__all__ = ["main_file"]

#: As `formats.single_file.TASK_NAME`, where \w has the letters of all scripts.
_TASK_NAME = r"^[^\x00-/:-@\[-^`{-\x7f][^\x00-,/:-@\[-^`{-\x7f]{0,99}$"
#: What is text in one YAML is a number in another: `1.10`.
_NAME: Rule = {"type": ["string", "number", "boolean", "null"], "pattern": r"\S"}
#: A path that says that it is of a directory.
_DIRECTORY: Rule = {"type": "string", "pattern": r"^$|[/\\]$|\$\{"}
_PATH: Rule = {"type": ["string", "boolean", "null"]}


def main_file() -> Rule:
    """Return the schema of mlcube.yaml; `schema_type` tells the formats apart."""
    return {
        "description": "An MLCube.",
        "type": "object",
        # What editors offer in a new file.
        "properties": {
            "schema_type": {
                "description": f"{ROOT_TYPES[0]}, for a cube of several files only.",
                "examples": [ROOT_TYPES[0]],
            }
        },
        "if": {"required": ["schema_type"]},
        "then": root_file(),
        "else": _one_file(),
    }


def _one_file() -> Rule:
    rules: dict[str, Rule] = {
        "name": described("Name of the cube.", _NAME),
        "version": described("Version of the cube (default: latest).", _NAME),
        "description": {"description": "What the cube is; for people."},
        "author": {"description": "Who wrote the cube; for people."},
        "authors": {"description": "Who wrote the cube; for people."},
        "platform": {
            "description": "What tasks need.",
            "properties": {
                "accelerator_count": {
                    "description": "GPUs of each task that has no --gpus of its own."
                }
            },
        },
        "docker": any_of(docker_section(), NOTHING),
        "singularity": any_of(singularity_section(), NOTHING),
        "tasks": {
            "description": "What the cube can do: tasks by their names.",
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": _TASK_NAME},
            "additionalProperties": any_of(_task(), NOTHING),
        },
    }
    rules["docker"] = described("The platform docker.", rules["docker"])
    rules["singularity"] = described("The platform singularity.", rules["singularity"])
    file = mapping(
        "A cube of one file.", in_order(TOP_KEYS, rules), ["tasks"], closed=False
    )
    return {**file, "if": _counts_accelerators(), "then": _accelerators()}


def _counts_accelerators() -> Rule:
    """Return the rule for files whose number of accelerators is read."""
    docker = {"type": "object", "properties": {"--gpus": NOTHING}}
    return {"required": ["docker"], "properties": {"docker": docker}}


def _accelerators() -> Rule:
    count = empty_or(
        {"type": "integer", "minimum": -999999999, "maximum": 999999999},
        exactly(r"\s*-?[0-9]{1,9}\s*"),
        FILLED,
    )
    return {"properties": {"platform": {"properties": {"accelerator_count": count}}}}


def _task() -> Rule:
    parameters = mapping(
        "",
        {
            key: described(
                f"The {key} of the task, by their names.",
                any_of(_parameters(role), NOTHING),
            )
            for role, key, _ in ROLES
        },
        closed=False,
    )
    rules = {
        "entrypoint": described(
            "Program and first arguments, instead of the entry point of the image; it "
            "gets every parameter, without the task's name.",
            any_of({"type": "string", "pattern": r"^$|\S"}, NOTHING),
        ),
        "parameters": described("Inputs and outputs.", any_of(parameters, NOTHING)),
        "description": {"description": "What the task does; for people."},
    }
    task = mapping("A task.", in_order(TASK_KEYS, rules), closed=False)
    # They belong below `parameters`.
    task["properties"] |= {key: False for _, key, _ in ROLES}
    return task


def _parameters(role: str) -> Rule:
    own = _PATH if role == "input" else _DIRECTORY
    return {
        "type": "object",
        "propertyNames": {"pattern": PARAMETER},
        "additionalProperties": any_of(own, _parameter(role)),
    }


def _parameter(role: str) -> Rule:
    is_input = role == "input"
    kind = words(KINDS, {"type": "string", "pattern": r"^unknown$|\$\{"}, NOTHING)
    rules = {
        "type": described(
            f"What the {role} is (default: a directory, if its path ends with /).", kind
        ),
        "default": described("Its path, relative to the workspace.", _PATH),
        "opts": described(
            "ro: the task cannot write to it (default); rw: it can."
            if is_input
            else "rw: outputs are writable, with or without it.",
            words(("ro", "rw") if is_input else ("rw",), FILLED, NOTHING),
        ),
        "description": {"description": f"What the {role} is; for people."},
    }
    rule = mapping(f"The {role}.", in_order(PARAMETER_KEYS, rules), closed=False)
    if not is_input:
        known = {"type": {"type": "string", "not": {"const": "unknown"}}}
        rule["anyOf"] = [
            {"required": ["type"], "properties": known},
            {"required": ["default"], "properties": {"default": _DIRECTORY}},
        ]
    return rule
