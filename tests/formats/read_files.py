"""Reads one file as the package does, and by its schema."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

import yaml

from mlcube_conformance.base.errors import Message, UsageError, Violation
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.expected_failures import load_expected_failures
from mlcube_conformance.formats.json_schema import as_json, validator_of
from mlcube_conformance.formats.platforms import load_platform
from mlcube_conformance.formats.profile import load_profile
from mlcube_conformance.formats.runner_description import load_runner_description
from mlcube_conformance.formats.yaml import read_yaml
from mlcube_conformance.model import PlatformFile
from mlcube_conformance.schemas.written import written

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from jsonschema.protocols import Validator

SEVERAL_FILES = {
    "mlcube.yaml": """\
schema_type: mlcube_root
schema_version: 1.0.0
name: tiny
author: Somebody
version: 0.1.0
mlcube_spec_version: 0.1.0
tasks: [tasks/make.yaml]
""",
    "tasks/make.yaml": """\
schema_type: mlcube_task
schema_version: 1.0.0
inputs:
  - {name: seed, type: file}
outputs:
  - {name: out, type: file}
""",
    "run/make.yaml": """\
schema_type: mlcube_invoke
schema_version: 1.0.0
task_name: make
input_binding: {seed: $WORKSPACE/seed.txt}
output_binding: {out: $WORKSPACE/made/out}
""",
}
#: Where a file of each kind is in a cube, of those that a cube has.
PLACES = {
    "mlcube": "mlcube.yaml",
    "task": "tasks/make.yaml",
    "run": "run/make.yaml",
    "platform": "platform/here.yaml",
}


def refusals(kind: str, text: str, root: Path) -> list[Message]:
    """Return what the package says against a file, and it alone is wrong."""
    file = root / PLACES.get(kind, f"{kind}.yaml")
    files = {**SEVERAL_FILES, str(file.relative_to(root)): text}
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, encoding="utf-8")
    try:
        found = list(_refusals(kind, file, root))
    except (UsageError, Violation) as error:
        found = list(error.messages)
    return [each for each in found if _is_about(each, file)]


def _is_about(message: Message, file: Path) -> bool:
    return message.where.startswith(str(file)) or not message.where.startswith("/")


def _refusals(kind: str, file: Path, root: Path) -> Iterable[Message]:
    if kind == "runner":
        load_runner_description(file)
    elif kind == "expected-failures":
        load_expected_failures(file)
    elif kind == "profile":
        load_profile(str(file))
    else:
        found = load_cube(root, "tiny")
        if kind != "platform":
            return found.problems
        return load_platform(PlatformFile(path=file), found.cube)[1]
    return ()


@cache
def validator(kind: str) -> Validator:
    """Return what validates documents by a schema."""
    found: Validator = validator_of(json.loads(written(kind)))
    return found


def errors(kind: str, file: Path) -> list[str]:
    """Return what a schema says against a file, as our reader has its values."""
    document = as_json(read_yaml(file))
    return [each.message for each in validator(kind).iter_errors(document)]


class _Editor(yaml.SafeLoader):
    """Has scalars as YAML 1.2 and editors have them: no dates, and `yes` is text."""


_OTHERWISE = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
_Editor.yaml_implicit_resolvers = {
    first: [each for each in resolvers if each[0] not in _OTHERWISE]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Editor.add_implicit_resolver(
    "tag:yaml.org,2002:bool",
    re.compile("^(?:true|True|TRUE|false|False|FALSE)$"),
    list("tTfF"),
)


def editor_errors(kind: str, text: str) -> list[str]:
    """Return what a schema says against a text, as an editor has its values."""
    document = json.loads(json.dumps(yaml.load(text, _Editor)))  # noqa: S506 - a safe one
    return [each.message for each in validator(kind).iter_errors(document)]
