"""The schemas of the files of cubes that are laid out in several files."""

from __future__ import annotations

from mlcube_conformance.formats.loaded import KINDS, PARAMETER_NAME
from mlcube_conformance.formats.multi_file import OLD_SPEC, ROOT_KEYS, ROOT_TYPES
from mlcube_conformance.formats.run_files import CLUSTERS, RUN_KEYS, RUN_TYPES
from mlcube_conformance.formats.task_files import ROLES, TASK_KEYS, TASK_TYPES
from mlcube_conformance.schemas.rules import (
    VERSION,
    Rule,
    described,
    in_order,
    mapping,
    named_by,
    schema_type,
    text,
)

__all__ = ["PARAMETER", "root_file", "run_file", "task_file"]

PARAMETER = f"^{PARAMETER_NAME.pattern}$"
_SPEC = "mlcube_spec_version"


def root_file() -> Rule:
    """Return the schema of a main file that lists task files."""
    rules = {
        **schema_type(ROOT_TYPES, "The main file of a cube of several files."),
        "name": text("Name of the cube.", "wordcount"),
        "author": text("Who wrote the cube."),
        "version": described("Version of the cube, as MAJOR.MINOR.PATCH.", VERSION),
        _SPEC: {"description": "Version of MLCube that the cube follows: 0.1.0."},
        "tasks": {
            "description": "Paths of the task files, relative to the cube.",
            "type": "array",
            "items": {
                "type": "string",
                "minLength": 1,
                "examples": ["tasks/train.yaml"],
            },
        },
    }
    old = {OLD_SPEC: {"description": f"The same as {_SPEC}, as written in 2020."}}
    file = mapping(
        "A cube of several files.",
        {**in_order(ROOT_KEYS, rules), **old},
        [key for key in ROOT_KEYS if key != _SPEC],
    )
    # Of both spellings, the older one counts.
    return {
        **file,
        "if": {"required": [OLD_SPEC]},
        "then": {"properties": {OLD_SPEC: VERSION}},
        "else": {"properties": {_SPEC: VERSION}, "required": [_SPEC]},
    }


def task_file() -> Rule:
    """Return the schema of a task file."""
    rules = schema_type(TASK_TYPES, "A task file.")
    for role, key, _ in ROLES:
        parameter = mapping(
            f"One {role} of the task.",
            {
                "name": {
                    "description": f"Name of the {role}: the task gets --NAME=PATH.",
                    "type": "string",
                    "pattern": PARAMETER,
                },
                "type": {"description": f"What the {role} is.", "enum": list(KINDS)},
                "description": {"description": "What it is for; nothing reads it."},
            },
            ("name", "type"),
            closed=False,
        )
        rules[key] = {
            "description": f"The {key} of the task; [] for none.",
            "type": "array",
            "items": parameter,
        }
    return mapping(
        "A task of a cube: its inputs and outputs.",
        in_order(TASK_KEYS, rules),
        TASK_KEYS,
    )


def run_file() -> Rule:
    """Return the schema of a run file."""
    rules = {
        **schema_type(RUN_TYPES, "A run file."),
        "task_name": text("Name of a task file, without .yaml.", "train"),
    }
    for _, key, binding in ROLES:
        rules[binding] = named_by(
            f"The path of each of the task's {key}; {{}} for none. A relative path is "
            "below the workspace, and so is $WORKSPACE.",
            PARAMETER,
            {
                "type": "string",
                "minLength": 1,
                "examples": ["$WORKSPACE/data"],
            },
        )
    ours = mapping("", in_order(RUN_KEYS, rules), RUN_KEYS)
    return {
        "description": "A task with a value for each of its inputs and outputs.",
        "if": {"anyOf": [_of_cluster(binding) for _, _, binding in ROLES]},
        "then": {"type": "object"},
        "else": ours,
    }


def _of_cluster(binding: str) -> Rule:
    """Return the rule for values of a cluster, such as `{k8s: {pvc: claim}}`.

    Such a file is skipped: nothing here runs it.
    """
    keys = [{"required": [each]} for each in CLUSTERS]
    value = {"type": "object", "anyOf": keys}
    one = {"type": "object", "not": {"additionalProperties": {"not": value}}}
    return {
        "type": "object",
        "required": [binding],
        "properties": {binding: one},
    }
