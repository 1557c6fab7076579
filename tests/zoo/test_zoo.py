"""Each broken cube of the zoo trips its clause alone, and each sound one none."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance import zoo
from mlcube_conformance.clauses import CUBE_CLAUSES
from mlcube_conformance.zoo.animals import KINDS, animals
from mlcube_conformance.zoo.difference import difference
from mlcube_conformance.zoo.examples import MESSAGES, example_of, message_of_example
from mlcube_conformance.zoo.folders import BASE, HALVES, files_of, write_animal
from tests.command import call
from tests.cube_folders import BUSYBOX, note_made
from tests.zoo.messages import compare_messages, said_by_run, said_by_validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from _pytest.mark import ParameterSet

    from mlcube_conformance.zoo.animals import Animal, Half
    from tests.conftest import RunSuite

#: Clauses with a test that no cube can break by itself.
NOT_OF_CUBES = {"REMOTE-1"}


def _groups() -> list[ParameterSet]:
    """Return what is run at once: animals of a platform with the same options."""
    found: dict[tuple[str, str, tuple[str, ...]], list[Animal]] = defaultdict(list)
    for animal in animals():
        for kind in animal.on:
            if kind == "local" and animal.clause == "OWNER-1" and os.getuid() != 0:
                continue  # Only root gives a file away.
            found[kind, animal.level, tuple(animal.options)].append(animal)
    return [
        pytest.param(
            kind,
            half,
            (*(("--level", level) if level else ()), *options),
            members if half == "broken" else _unlike(members),
            id="-".join((kind, half, level, *options)),
            marks=[] if kind == "local" else [getattr(pytest.mark, kind)],
        )
        for (kind, level, options), members in found.items()
        for half in HALVES
    ]


def _unlike(members: list[Animal]) -> list[Animal]:
    """Return one of those whose sound cubes have the same files."""
    return list({_sound_files(each): each for each in reversed(members)}.values())


def _sound_files(animal: Animal) -> str:
    links = {key: animal.changes("sound").get(key) for key in ("links", "folders")}
    files = files_of(animal, "sound")
    return f"{files} {links}".replace(animal.name, "")


def _write(members: list[Animal], half: Half, place: Path) -> list[Path]:
    folders = [place / half / each.name for each in members]
    for animal, folder in zip(members, folders, strict=True):
        write_animal(animal, half, folder, BUSYBOX)
    return folders


def _failed(record: Path) -> dict[str, dict[str, str]]:
    """Return, for each cube, the clauses that it breaks, with their messages."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for each in json.loads(record.read_text(encoding="utf-8"))["findings"]:
        if each["verdict"] in {"failed", "error", "unsupported"}:
            text = json.dumps(each, ensure_ascii=False)
            found[each["subject"]["cube"]][each["clause"]] = text
    return found


@pytest.mark.parametrize(("kind", "half", "words", "members"), _groups())
def test_zoo(
    kind: str,
    half: Half,
    words: tuple[str, ...],
    members: list[Animal],
    run_suite: RunSuite,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    record = tmp_path / "record.json"
    cubes = _write(members, half, tmp_path)
    for each in members:
        note_made(f"{each.name}-{half}")

    run = run_suite(
        *(f"--cube={cube}" for cube in cubes),
        "--platform",
        kind,
        "--record",
        record,
        *words,
    )

    found = _failed(record)
    broken = {each: set(clauses) for each, clauses in found.items()}
    wanted = {each.name: {each.clause} for each in members} if half == "broken" else {}
    right = sum(broken.get(each.name) == wanted.get(each.name) for each in members)
    record_property("zoo", (half, right, len(members)))
    assert broken == wanted, run.output
    for each in members if half == "broken" else ():
        message = found[each.name][each.clause]
        assert message, each.name
        for part in each.says:
            assert json.dumps(part, ensure_ascii=False)[1:-1] in message, each.name
    assert "Traceback" not in run.output
    assert not run.verdict("error")
    if half == "broken":
        compare_messages(members, kind, said_by_run(record))


@pytest.mark.parametrize("half", HALVES)
def test_validate_finds_what_needs_no_run(half: Half, tmp_path: Path) -> None:
    members = [
        each
        for each in animals()
        if half == "sound" or each.clause.startswith(("FILE", "RECIPE"))
    ]
    _write(members, half, tmp_path)
    # Where there is no main file, a search finds no cube.
    cubes = {each.name for each in members} - {"main-file-missing"}

    paths = [str(tmp_path / half / each) for each in sorted(cubes)]
    done = call("validate", "--format", "json", *paths, timeout=120)

    document = json.loads(done.stdout)
    found = {
        Path(each["path"]).name: {flaw["clause"] for flaw in each["findings"]}
        for each in document["cubes"]
    }
    clause = {each.name: each.clause for each in members}
    assert found == {
        each: {clause[each]} if half == "broken" else set() for each in cubes
    }
    if half == "broken":
        compare_messages(members, "", said_by_validate(document))


def test_each_clause_of_cubes_that_has_a_test_has_an_animal() -> None:
    tested = {each.id for each in CUBE_CLAUSES if each.test} - NOT_OF_CUBES
    known = {each.id for each in CUBE_CLAUSES}

    assert tested - {each.clause for each in animals()} == set()
    assert {each.clause for each in animals()} <= known
    assert {kind for each in animals() for kind in each.on} == set(KINDS)


def test_each_clause_has_one_example_and_its_message() -> None:
    marked = [each.clause for each in animals() if each.example]
    examples = {each.name: each for each in map(example_of, _clauses()) if each}

    assert len(marked) == len(set(marked))
    stored = json.loads((files(zoo) / MESSAGES).read_text("utf-8"))
    assert stored.keys() == examples.keys()
    for name, animal in examples.items():
        assert message_of_example(animal)[0], name
        assert difference(animal), name


def _clauses() -> set[str]:
    return {each.clause for each in animals()}


def test_each_change_of_an_animal_changes_something() -> None:
    """A text to replace stands in its file, so that no animal is sound by mistake."""
    for animal in animals():
        for half in HALVES:
            files = files_of(animal, half)
            for path, edits in animal.changes(half).get("edits", {}).items():
                for new in edits.values():
                    text = new.replace("NAME", f"{animal.name}-{half}")
                    assert text.replace("BASE", BASE) in files[path], animal.name
        assert files_of(animal, "broken") != files_of(animal, "sound") or (
            animal.broken.keys() & {"folders", "links", "pipes"}
            or animal.sound.keys() & {"runs"}
        ), animal.name
