"""A schema accepts what the reader of a file accepts, and refuses as much as it can.

Each value of sound files is replaced in turn by what people write by mistake.
"""

from __future__ import annotations

import json
import random
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mlcube_conformance.schemas.written import written
from tests.formats.read_files import (
    SEVERAL_FILES,
    editor_errors,
    errors,
    refusals,
    validator,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DESCRIPTIONS = Path(__file__).parents[2] / "conformance_tests/runner/descriptions"
KEY = f"SHA256:{'a' * 43}"
SOUND = {
    "one file": (
        "mlcube",
        """\
name: tiny
version: 1.0
description: x
authors: [{name: a}]
platform: {accelerator_count: 0}
docker:
  image: a/b:1
  docker: docker
  env_args: {A: 1}
  gpu_args: --gpus=all
  build_args: {B: x}
  build_context: .
  build_strategy: auto
  --network: none
  --memory: 1g
  --mount_opts: ro
  --init: true
  --env: A=1
  --volume: /a:/b
singularity:
  image: x.sif
  singularity: apptainer
  build_args: --fakeroot
  run_args: --nv
  --network: none
  --nv: true
tasks:
  make:
    entrypoint: sh /x
    parameters:
      inputs: {a: a.txt, b: {type: directory, default: b, opts: ro}, c: null}
      outputs: {o: out/, p: {type: file, default: p/x, opts: rw}, q: {default: q/}}
""",
    ),
    "GPUs": (
        "mlcube",
        (
            "{docker: {image: a, --gpus: 0}, platform: {accelerator_count: 0},"
            " tasks: {make: {parameters: {}}}}"
        ),
    ),
    "main file": ("mlcube", SEVERAL_FILES["mlcube.yaml"]),
    "old main file": (
        "mlcube",
        SEVERAL_FILES["mlcube.yaml"].replace("mlcube_", "mlbox_"),
    ),
    "task": ("task", SEVERAL_FILES["tasks/make.yaml"]),
    "run": ("run", SEVERAL_FILES["run/make.yaml"]),
    "docker of 2020": (
        "platform",
        (
            "{schema_type: mlcube_docker, schema_version: 1.0.0, image: a,"
            " docker_runtime: docker}"
        ),
    ),
    "docker": (
        "platform",
        (
            "{schema_type: mlcube_platform, schema_version: 1.0.0,"
            " platform: {name: docker, version: '>=1'},"
            " container: {image: x, runtime: a, command: docker, run_args: --init}}"
        ),
    ),
    "local": ("platform", "{platform: {name: local, version: '>=1'}}"),
    "of others": (
        "platform",
        "{platform: {name: toy, version: '>=1'}, container: {image: x}}",
    ),
    "place": (
        "platform",
        (
            "{host: a.b, port: 22, jump: 'a@b:2', known_hosts: x,"
            f" authentication: {{user: me, identity_file: x}}, fingerprint: ['{KEY}'],"
            " platform: docker.yaml, mlcube: {path: x, sync: false},"
            " interpreter: {type: virtualenv, python: python3, requirements: [a, b],"
            " location: x, name: y}, env: {path: ~/x, sync: true, variables: {A: b}}}"
        ),
    ),
    "place of 2020": (
        "platform",
        (
            f"{{host: a.b, user: me, fingerprint: '{KEY}', platform: docker.yaml,"
            " authentication: {user: me, identify_file: x}, mlbox: {path: x, sync: no},"
            " env: {path: x, sync: yes, interpreter: {type: system}}}"
        ),
    ),
    "runner": ("runner", (DESCRIPTIONS / "ssh.yaml").read_text("utf-8")),
    "expected failures": ("expected-failures", "[{clause: EXIT-15, reason: x}]"),
    "profile": ("profile", "clauses: {'*': MUST, EXIT-16: 'off', HERMETIC-*: SHOULD}"),
}
Path_ = tuple[str | int, ...]
#: Values as they are written. YAML of editors has more numbers than ours, such as 1e3
#: and 08: docs/editors.md says so.
VALUES = (
    *("null", '""', '" "', "text", "/", "a/", "3.10", "7", "0", "-1", "true", "yes"),
    *('"yes"', "2024-01-01", "1_000", "[]", "[x]", "{}", "{a: b}", '"${name}"'),
    *('"a\\nb"', "--gpus=all", "~root/x", ".inf", '"{x}"', "1.0.0", "off", "MUST"),
)
KEYS = ("-x", "a b", ".a", "unknown_key", "--unknown", "--volume", "1a", "3.10", "{a}")
#: Variants of each file that are tried, of some hundreds.
MOST = 120
#: The least of those that the reader refuses which the schema refuses as well.
SEEN = 0.6


class Written(str):
    """A value as it is in a file."""

    __slots__ = ()


def dump(value: object) -> str:
    """Return a document as a text in which each value stands as it is written."""
    if isinstance(value, Written):
        return str(value)
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)}: {dump(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(dump, value))}]"
    return json.dumps(value)


def paths(value: object, path: Path_ = ()) -> Iterator[Path_]:
    """Yield where each value of a document is."""
    yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from paths(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from paths(each, (*path, index))


def changed(value: Any, path: Path_, change: Callable[[Any], object]) -> object:  # noqa: ANN401 - of YAML
    """Return a document with one value changed."""
    if not path:
        return change(value)
    copy = value.copy()
    copy[path[0]] = changed(copy[path[0]], path[1:], change)
    return copy


def replaced(_: object, new: Written) -> Written:
    """Return what takes the place of a value."""
    return new


def renamed(old: dict[str, object], key: str, new: str | None) -> dict[str, object]:
    """Return a mapping with one key renamed, or without it."""
    pairs = {(new if each == key else each): old[each] for each in old}
    return {each: value for each, value in pairs.items() if each is not None}


def variants(document: object) -> Iterator[str]:
    """Yield documents that differ in one value or key."""
    for path in paths(document):
        for value in VALUES:
            new = Written(value)
            yield dump(changed(document, path, partial(replaced, new=new)))
        key = path[-1] if path else None
        if isinstance(key, str):
            for name in (None, *KEYS):
                rename = partial(renamed, key=key, new=name)
                yield dump(changed(document, path[:-1], rename))


@pytest.mark.parametrize("name", SOUND)
def test_schema_accepts_what_the_reader_accepts(name: str, tmp_path: Path) -> None:
    kind, text = SOUND[name]
    texts = [*variants(yaml.safe_load(text))]
    tried = random.Random(name).sample(texts, min(MOST, len(texts)))  # noqa: S311 - of a test
    refused = seen = 0

    assert not refusals(kind, text, tmp_path)
    assert not validate(kind, text, tmp_path)
    for each in tried:
        said = validate(kind, each, tmp_path)
        if refusals(kind, each, tmp_path):
            refused += 1
            seen += bool(said)
        else:
            assert not said, each
            assert not editor_errors(kind, each), each
    assert refused
    assert seen / refused > SEEN


def validate(kind: str, text: str, folder: Path) -> list[str]:
    """Return what a schema says against a text."""
    file = folder / "text.yaml"
    file.write_text(text, encoding="utf-8")
    return errors(kind, file)


@pytest.mark.parametrize(
    ("kind", "text", "refused"),
    [
        ("mlcube", "", True),
        ("mlcube", "[]", True),
        ("mlcube", "docker: {image: a}\ntasks: [make]", True),
        ("mlcube", "docker: {image: a}\ntasks: {make: }", False),
        ("mlcube", "docker:\nsingularity:\ntasks: {make: }", False),
        ("mlcube", "docker: {image: a, build_strategy: []}\ntasks: {make: }", True),
        ("mlcube", "docker: {image: 3.10}\ntasks: {make: }", True),
        ("mlcube", "name: 3.10\nversion: 2024-01-01\ntasks: {make: }", False),
        ("mlcube", "name: yes\nfurther: 1\ntasks: {make: {further: 1}}", False),
        ("mlcube", "tasks: {make: {inputs: {a: b}}}", True),
        ("mlcube", "tasks: {make: {parameters: {inputs: {a: yes}}}}", False),
        ("mlcube", "tasks: {make: {parameters: {inputs: {a: 2024-01-01}}}}", False),
        ("mlcube", "tasks: {make: {parameters: {inputs: [a]}}}", True),
        ("mlcube", "tasks: {make: {parameters: {outputs: {a: b}}}}", True),
        ("mlcube", "tasks: {make: {parameters: {outputs: {a: b/}}}}", False),
        ("mlcube", "tasks: {make: {parameters: {outputs: {a: {type: file}}}}}", False),
        ("mlcube", "tasks: {'a b': }", True),
        ("mlcube", "tasks: {größe: }", False),
        ("task", "", True),
        ("platform", "", True),
        ("platform", "{platform: {name: ssh, version: '1'}}", True),
        ("platform", "{host: a, platform: docker, ssh_port: 1}", True),
        ("platform", "{host: a, platform: docker, env: {sync: off}}", False),
        ("platform", "{host: a, platform: docker, port: 2_222}", False),
        ("expected-failures", "", False),
        ("expected-failures", "{clause: EXIT-15, reason: x}", True),
        ("expected-failures", "[{clause: EXIT-0, reason: x}]", True),
        ("profile", "", True),
        ("profile", "clauses: {TWICE-1: off}", False),
        ("profile", "clauses: {TWICE-1: on}", True),
        ("runner", "", True),
    ],
)
def test_what_people_write(
    kind: str, text: str, *, refused: bool, tmp_path: Path
) -> None:
    assert bool(refusals(kind, text, tmp_path)) == refused
    assert bool(validate(kind, text, tmp_path)) == refused
    assert bool(editor_errors(kind, text)) == refused


def test_a_run_file_of_a_cluster_is_skipped_and_valid(tmp_path: Path) -> None:
    text = "{schema_type: mlcube_invoke, input_binding: {a: {path: b, k8s: {pvc: c}}}}"

    assert not refusals("run", text, tmp_path)
    assert validator("run").is_valid(yaml.safe_load(text))
    assert '"k8s"' in written("run")
