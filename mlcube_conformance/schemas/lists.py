"""The schemas of files that list clauses, and of descriptions of runners."""

from __future__ import annotations

from mlcube_conformance.clauses import CLAUSES, CUBE_CLAUSES, FEATURES
from mlcube_conformance.formats.expected_failures import EXPECTED, EXPECTED_KEYS
from mlcube_conformance.formats.profile import LEVELS, PROFILE_KEYS
from mlcube_conformance.formats.runner_description import (
    BROUGHT,
    COMMANDS,
    DESCRIPTION_KEYS,
    FORMATS,
    NEEDS_A_KEY,
    OPTIONS,
)
from mlcube_conformance.schemas.rules import (
    NOTHING,
    Rule,
    any_of,
    described,
    in_order,
    mapping,
    text,
    words,
)

__all__ = ["expected_failures_file", "profile_file", "runner_file"]

_PYTHON = "python"
_COMMANDS = {
    "version": "Command that prints the version, on one line.",
    "configure": "Command that makes the image; {cube} is the folder of a cube.",
    "run": "Command that runs a task; {cube} is the folder of a cube.",
    "left_behind": "Command that lists the containers of {image}, a word for each.",
    "remove": "Command that removes the container {left}.",
    "remove_image": "Command that removes {image}.",
}
_OPTIONS = {
    "task": "Words that name the task.",
    "workspace": "Words that name another workspace.",
    "parameter": "Words that give another value for a parameter.",
    "network": "Words that choose the network.",
    "gpus": "Words that ask for GPUs.",
    "environment": "Words that set a variable.",
}
#: Features, with the key that says how a runner has them.
_KEY_OF = {"engine": "engine_absent", "leftovers": "left_behind"}


def expected_failures_file() -> Rule:
    """Return the schema of a file for `--expected-failures`."""
    rules = {
        "clause": described("Id of the clause.", words(EXPECTED)),
        "reason": text("Why the runner breaks it."),
    }
    item = mapping("", in_order(EXPECTED_KEYS, rules), EXPECTED_KEYS)
    return {
        "description": "Clauses that a runner is known to break. One that it meets "
        "fails the run.",
        **any_of({"type": "array", "items": item}, NOTHING),
    }


def profile_file() -> Rule:
    """Return the schema of a file for `--profile`."""
    # YAML 1.1 knows `off` as false.
    level = words((*LEVELS, False))
    clauses = {
        "description": "Levels of clauses, by their ids or patterns such as EXIT-*.",
        "type": "object",
        "properties": {
            each.id: described(f"{each.sentence} ({each.level}).", level)
            for each in CUBE_CLAUSES
        },
        "additionalProperties": level,
    }
    return mapping(
        "Which clauses of cubes count, and how much.",
        in_order(PROFILE_KEYS, {"clauses": clauses}),
        PROFILE_KEYS,
    )


def runner_file() -> Rule:
    """Return the schema of a description of a runner, for `--runner`."""
    should = [each.id for each in CLAUSES if each.level == "SHOULD"]
    reason = mapping(
        "",
        {
            "clause": described("Id of a SHOULD clause.", words(should)),
            "reason": text("Why the runner leaves it out."),
        },
        ("clause", "reason"),
    )
    rules: dict[str, Rule] = {
        "name": text("Name of the runner."),
        "formats": {
            "description": "Formats of cubes that it reads; the first is used.",
            "type": "array",
            "minItems": 1,
            "items": words(FORMATS),
        },
        "options": mapping(
            "Words that are added to `run`; leave out what the runner does not have.",
            in_order(
                OPTIONS,
                {key: _words(_OPTIONS[key], known) for key, known in OPTIONS.items()},
            ),
        ),
        "features": {
            "description": "Its other features.",
            "type": "array",
            "items": words(FEATURES),
        },
        "without": {
            "description": "Reasons for features that it lacks.",
            "type": "object",
            "propertyNames": words(FEATURES),
            "additionalProperties": {"type": "string", "pattern": r"\S"},
        },
        "platform": _path("Value of {platform}, such as a platform file."),
        "place": _path("Platform file of another host."),
        "place_singularity": _path("Platform file of another host with Singularity."),
        "engine_absent": {
            "description": "Variables with which its engine cannot be reached.",
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": r"\S"},
        },
        "unsupported": {
            "description": "SHOULD clauses that it does not meet, with reasons.",
            "type": "array",
            "items": reason,
        },
        **{key: _words(_COMMANDS[key], known) for key, (_, known) in COMMANDS.items()},
    }
    required = [key for key, (required, _) in COMMANDS.items() if required]
    file = mapping(
        "How the command line of a runner is called, and what the runner offers.",
        in_order(DESCRIPTION_KEYS, rules),
        ("name", *required, "formats"),
    )
    file["allOf"] = [_brought(each) for each in sorted(NEEDS_A_KEY)]
    return file


def _brought(feature: str) -> Rule:
    """Return the rule that a feature needs a key that says how a runner has it."""
    options = [each for each, brought in BROUGHT.items() if brought == feature]
    key = _KEY_OF.get(feature, "")
    below: Rule = {"options": {"required": options}}
    if key:
        below = {key: {"type": ["array", "object", "string"], "minProperties": 1}}
    return {
        "if": {
            "required": ["features"],
            "properties": {"features": {"contains": {"const": feature}}},
        },
        "then": {"required": [key or "options"], "properties": below},
    }


def _path(description: str) -> Rule:
    rule = text(description)
    return {**rule, "not": _other_placeholder(set())}


def _words(description: str, known: set[str]) -> Rule:
    """Return the rule for the words of a command."""
    word = {"type": "string", "minLength": 1, "not": _other_placeholder(known)}
    return described(
        description, any_of({"type": "array", "minItems": 1, "items": word}, word)
    )


def _other_placeholder(known: set[str]) -> Rule:
    names = "|".join(sorted(known | {_PYTHON}))
    return {"pattern": rf"(?:^|[^$])\{{(?!(?:{names})\}})[A-Za-z0-9_]+\}}"}
