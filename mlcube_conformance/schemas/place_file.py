"""The schema of a platform file that names another host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.formats.places import (
    AUTHENTICATION_KEYS,
    CUBE_KEYS,
    ENV_KEYS,
    FINGERPRINT,
    HOST,
    IDENTITY_KEYS,
    INTERPRETER_KEYS,
    INTERPRETERS,
    JUMP,
    PLACE_KEYS,
    PORTS,
    USER,
    VARIABLE,
)
from mlcube_conformance.schemas.rules import (
    NO_TEXT,
    NOTHING,
    TRUTH,
    Rule,
    any_of,
    described,
    exactly,
    in_order,
    mapping,
    pattern_of,
    text,
    words,
)

if TYPE_CHECKING:
    import re

__all__ = ["place_file"]

#: One line, not empty.
_LINE: Rule = {"type": "string", "pattern": r"^[^\n]+$", "minLength": 1}
#: A path of this machine, where ~NAME is not the home of somebody.
_FILE: Rule = {"type": "string", "pattern": r"^(?!~[^/])[^\n]+$"}
#: A path of the other host, in which ~/ and $HOME/ stand for the home.
_THERE = exactly(
    r"(?![+@-])[A-Za-z0-9_./+@-]*(?:(?:~|\$HOME|\$\{HOME\})/)?[A-Za-z0-9_./+@-]*"
)
_THERE["minLength"] = 1


def place_file() -> Rule:
    """Return the schema of a file that names a host, and the platform file there."""
    interpreter = _interpreter()
    user = described("Name of the user there.", _maybe(_matching(USER)))
    rules: dict[str, Rule] = {
        "schema_type": {"description": "What the file is; it may be left out."},
        "schema_version": {"description": "Version of the format; it may be left out."},
        "host": {
            "description": "Name or address of the host, or a Host of ~/.ssh/config.",
            **_matching(HOST),
            "examples": ["gpu1.example.org"],
        },
        "user": user,
        "port": described("Port of ssh.", _port()),
        "jump": described(
            "Hosts to go through, as [user@]host[:port],…", _maybe(_matching(JUMP))
        ),
        "authentication": described(
            "Who connects, and with which key.",
            any_of(
                mapping("", {key: _shown(key) for key in AUTHENTICATION_KEYS}), NOTHING
            ),
        ),
        "known_hosts": _file("File with host keys to trust beside those of the user."),
        "fingerprint": described(
            "Fingerprint of the host's key, as `ssh-keygen -lf` prints it, or several; "
            "then no other key counts.",
            any_of(
                _maybe(_matching(FINGERPRINT)),
                {"type": "array", "items": _maybe(_matching(FINGERPRINT))},
            ),
        ),
        "ssh_config": _file(
            "File that ssh reads instead of ~/.ssh/config; a platform file in a cube "
            "must not name one."
        ),
        "platform": text(
            "The platform file to use there: in the cube, beside this file, or one "
            "that comes with the package.",
            "docker.yaml",
            "singularity.yaml",
        ),
        "interpreter": described("The Python there.", any_of(interpreter, NOTHING)),
        "env": described("What is put there.", any_of(_env(), NOTHING)),
        "mlcube": {"description": "The cube there."},
        "mlbox": {"description": "The same as mlcube, as written in 2020."},
    }
    file = mapping(
        "Another host, and the platform file to use there.",
        in_order(PLACE_KEYS, rules),
        ("host", "platform"),
    )
    first, second = IDENTITY_KEYS
    cube = any_of(_cube(), NOTHING)
    # Of two ways to say the same, the second one is not read, whatever it is.
    file["allOf"] = [
        _unless("user", _below("authentication", "user", user)),
        _below("authentication", first, _file("")),
        _below("authentication", second, _file(""), first),
        _unless("interpreter", _below("env", "interpreter", _maybe(interpreter))),
        {"properties": {"mlcube": _silent(cube)}},
        {
            "if": {
                "properties": {"mlcube": {"type": "object"}},
                "required": ["mlcube"],
            },
            "else": {"properties": {"mlbox": _silent(cube)}},
        },
    ]
    return file


def _matching(regex: re.Pattern[str]) -> Rule:
    return exactly(pattern_of(regex))


def _maybe(rule: Rule) -> Rule:
    return any_of(rule, NOTHING)


def _file(description: str) -> Rule:
    rule = _maybe(_FILE)
    return described(description, rule) if description else rule


def _shown(key: str) -> Rule:
    if key in IDENTITY_KEYS:
        return {"description": "Path of the private key; ~ is the home."}
    return {"description": "Name of the user there."}


def _unless(key: str, rule: Rule) -> Rule:
    return {"if": {"required": [key]}, "else": rule}


def _below(parent: str, key: str, rule: Rule, other: str = "") -> Rule:
    """Return the rule of a key of a mapping that has no other key for the same."""
    rule = {"properties": {key: _silent(rule)}}
    return {"properties": {parent: _silent(_unless(other, rule) if other else rule)}}


def _silent(rule: Rule) -> Rule:
    """Return a rule of a key that editors offer already, by another rule."""
    return {**rule, "doNotSuggest": True}


def _port() -> Rule:
    # YAML 1.1 knows 2_222 as a number; editors have it as text.
    return any_of(
        {"type": "integer", "minimum": 1, "maximum": PORTS},
        exactly("[1-9][0-9]*(_[0-9]+)+"),
        NOTHING,
    )


def _interpreter() -> Rule:
    line = any_of(_LINE, NOTHING)
    rules = {
        "type": described(
            "virtualenv: an environment of its own; system: the Python as it is.",
            words((*INTERPRETERS, None)),
        ),
        "python": described("The program.", _maybe(_THERE)),
        "requirements": described(
            "Packages to install instead of the one that is sent.",
            any_of(NO_TEXT, _LINE, {"type": "array", "items": line}),
        ),
        "location": described("Folder of the environment.", _maybe(_THERE)),
        "name": described("Name of the environment.", _maybe(_THERE)),
    }
    return mapping("", in_order(INTERPRETER_KEYS, rules))


def _env() -> Rule:
    variables = {
        "type": "object",
        "propertyNames": {"pattern": f"^{VARIABLE.pattern}$"},
        "additionalProperties": {"type": ["string", "number", "boolean"]},
    }
    rules = {
        "path": described("Folder for everything there.", _maybe(_THERE)),
        "sync": described("false: the package is there already.", _maybe(TRUTH)),
        "interpreter": {"description": "The Python there."},
        "variables": described(
            "Environment of the runner and of tasks there.", any_of(variables, NOTHING)
        ),
    }
    return mapping("", in_order(ENV_KEYS, rules))


def _cube() -> Rule:
    rules = {
        "path": described("Folder of the cube there: an empty one.", _maybe(_LINE)),
        "sync": described("false: the cube is there already.", _maybe(TRUTH)),
    }
    return mapping("", in_order(CUBE_KEYS, rules))
