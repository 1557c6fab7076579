"""The JSON Schemas for editors: what they are, and what they say of real files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema.validators import validator_for

from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.json_schema import validator_of
from mlcube_conformance.schemas.named import SCHEMAS, modeline, named
from mlcube_conformance.schemas.written import GENERATED, stored, written
from mlcube_conformance.zoo.animals import animals
from mlcube_conformance.zoo.folders import HALVES, files_of
from tests.command import call
from tests.formats.read_files import editor_errors, errors
from tests.formats.test_corpus import ROWS, write_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlcube_conformance.schemas.named import Named
    from mlcube_conformance.zoo.animals import Animal, Half

ROOT = Path(__file__).parents[2]
#: Which schema a file of a cube or of the project has, by its path; the first counts.
KINDS = (
    (r".*/descriptions/[^/]+\.expected\.yaml", "expected-failures"),
    (r".*/descriptions/[^/]+\.yaml", "runner"),
    (r"(.*/)?(mlcube|mlbox)\w*\.yaml", "mlcube"),
    (r"(.*/)?tasks/[^/]+\.yaml", "task"),
    (r"(.*/)?run/.+\.yaml", "run"),
    (r"(.*/)?platforms?/[^/]+\.yaml", "platform"),
    (r"(.*/)?conformance\.yaml", "conformance"),
    (r".*/profiles/[^/]+\.yaml", "profile"),
)
#: Animals whose definitions a schema finds broken.
SEEN = {"section-misspelt", "type-unknown", "no-tasks", "platform-key-unknown"}
#: Those that are broken in a way that no schema can see.
UNSEEN = {
    "yaml-broken": "not YAML, as editors say themselves",
    "tab-for-blanks": "not YAML",
    "tag-makes-an-object": "a tag is not part of a value",
    "aliases-without-end": "the number of values",
    "template-not-filled-in": "not YAML",
    "main-file-missing": "a path that must exist",
    "task-file-missing": "a path that must exist",
    "binding-undeclared": "names that agree with another file",
    "promise-unknown": "names that agree with another file",
    "key-unknown": "a key is refused if it looks like another, and else allowed",
}

#: Those of them that are not read as far as to a value.
UNREADABLE = {
    "yaml-broken",
    "tab-for-blanks",
    "tag-makes-an-object",
    "aliases-without-end",
    "template-not-filled-in",
}
#: Names of files that are not read, since they are of clusters.
CLUSTERS = ("kubernetes", "k8s", "gcp")


def kind_of(path: str) -> str:
    """Return the name of the schema of a file, "" for none."""
    found = (name for pattern, name in KINDS if re.fullmatch(pattern, path))
    return next(found, "")


@pytest.mark.parametrize("each", SCHEMAS, ids=lambda each: each.name)
def test_schema_is_valid_and_stored_as_it_is_written(each: Named) -> None:
    schema = json.loads(written(each.name))

    validator_for(schema).check_schema(schema)
    assert schema["$id"] == each.url
    assert stored(each.name) == written(each.name), (
        f"mlcube-conformance schema {each.name} > mlcube_conformance/{each.path}"
    )


@pytest.mark.parametrize("name", GENERATED)
def test_every_key_has_words_for_editors(name: str) -> None:
    keys = [*keys_of(json.loads(written(name)))]
    shown = {path for path, rule in keys if "description" in rule}

    assert keys
    assert not [path for path, _ in keys if path not in shown]


def keys_of(rule: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each key that a schema names, by its path, with its rule."""
    if isinstance(rule, list):
        for each in rule:
            yield from keys_of(each, path)
    if not isinstance(rule, dict):
        return
    for key, below in rule.get("properties", {}).items():
        if below is not False:  # A key that is refused.
            yield f"{path}.{key}", below
        yield from keys_of(below, f"{path}.{key}")
    for word in ("items", "additionalProperties"):
        yield from keys_of(rule.get(word), f"{path}.*")
    for word in ("anyOf", "allOf", "if", "then", "else"):
        yield from keys_of(rule.get(word), path)


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("animal", animals(), ids=lambda each: each.name)
def test_schemas_agree_with_the_zoo(animal: Animal, half: Half, tmp_path: Path) -> None:
    broken = half == "broken"
    if broken and animal.name in UNREADABLE:
        return
    said = {}
    for path, text in files_of(animal, half).items():
        kind = kind_of(path)
        if kind:
            (tmp_path / "file.yaml").write_text(text, encoding="utf-8")
            said[path] = errors(kind, tmp_path / "file.yaml")
            assert bool(said[path]) == bool(editor_errors(kind, text)), path

    assert any(said.values()) == (broken and animal.name in SEEN), said


def test_each_broken_definition_is_seen_by_a_schema_or_cannot_be() -> None:
    names = {each.name for each in animals() if each.clause.startswith("FILE-")}

    assert names == SEEN | {*UNSEEN}


READABLE = [row for row in ROWS if "refused" not in row]


@pytest.mark.parametrize("row", READABLE, ids=lambda row: row["shape"])
def test_what_is_readable_is_valid(row: dict[str, Any], tmp_path: Path) -> None:
    place = write_row(row, tmp_path / "tiny")
    if not load_cube(place, "tiny").is_cube:
        return  # It is of another format.

    for file in (tmp_path / "tiny").rglob("*.yaml"):
        if file.stem in CLUSTERS:
            continue  # Such a file is not read.
        kind = kind_of(str(file.relative_to(tmp_path / "tiny")))
        if kind:
            assert not errors(kind, file)
            assert not editor_errors(kind, file.read_text())


def own_files() -> list[Path]:
    """Return the files of this project that have a schema."""
    folders = ("cubes", "platforms", "conformance_tests", "mlcube_conformance")
    found = [each for name in folders for each in (ROOT / name).rglob("*.yaml")]
    return [each for each in found if kind_of(str(each.relative_to(ROOT)))]


@pytest.mark.parametrize("file", own_files(), ids=lambda each: each.name)
def test_our_own_files_are_valid_and_name_their_schema(file: Path) -> None:
    kind = kind_of(str(file.relative_to(ROOT)))
    text = file.read_text(encoding="utf-8")

    assert not errors(kind, file)
    assert not editor_errors(kind, text)
    assert text.splitlines()[0] == modeline(kind)


def whole_files() -> Iterator[Any]:
    """Yield the blocks of the documents that are whole files."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        blocks = re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        for number, text in enumerate(blocks):
            kind = kind_of_text(yaml.safe_load(text.replace("…", "x" * 43)))
            if kind:
                yield pytest.param(kind, text, id=f"{page.stem}-{number}-{kind}")


def kind_of_text(document: object) -> str:
    """Return the schema of a whole file, "" where it is a part of one."""
    if not isinstance(document, dict):
        return ""
    types = {"root": "mlcube", "task": "task", "invoke": "run", "platform": "platform"}
    if "schema_type" in document:
        return types.get(document["schema_type"].rpartition("_")[2], "platform")
    if "tasks" in document:
        return "mlcube" if {"docker", "singularity"} & {*document} else "conformance"
    if "host" in document or {"platform", "container"} <= {*document}:
        return "platform"
    if "clauses" in document:
        return "profile"
    return "runner" if "formats" in document else ""


@pytest.mark.parametrize(("kind", "text"), [*whole_files()])
def test_files_of_the_documents_are_valid(kind: str, text: str, tmp_path: Path) -> None:
    text = text.replace("SHA256:…", f"SHA256:{'x' * 43}")
    (tmp_path / "file.yaml").write_text(text, encoding="utf-8")

    assert not errors(kind, tmp_path / "file.yaml")
    assert not editor_errors(kind, text)


def test_the_command_prints_a_schema_and_lists_all(tmp_path: Path) -> None:
    listed = call("schema", place=tmp_path)
    printed = call("schema", "task", place=tmp_path)

    assert [each.name for each in SCHEMAS] == re.findall(
        r"^(\S+)  ", listed.stdout, re.MULTILINE
    )
    assert printed.stdout == stored("task")
    assert not validator_of(json.loads(printed.stdout)).is_valid({"inputs": []})


def test_an_unknown_schema_is_refused(tmp_path: Path) -> None:
    done = call("schema", "taks", place=tmp_path)

    assert done.returncode == 2
    assert "unknown schema 'taks'" in done.stderr
    assert "did you mean 'task'?" in done.stderr


def test_modeline_is_a_comment_with_the_address() -> None:
    assert modeline("run") == f"# yaml-language-server: $schema={named('run').url}"
    assert yaml.safe_load(modeline("run")) is None
