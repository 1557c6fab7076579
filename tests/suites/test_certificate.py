"""What a certificate says, and that one byte more or less does not verify."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.command import call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cube_folders import CubeFolder

    Run = Callable[..., pytest.RunResult]


@pytest.fixture
def place(fake_cube: CubeFolder, run_fake: Run) -> Path:
    """Return a folder with a cube, the record of its run, and its certificate."""
    place = fake_cube.root.parent
    run_fake("--record", "record.json")
    done = call(
        "certify", place / "record.json", "--output", place / "cube.intoto.json"
    )
    assert done.returncode == 0, done.stderr
    return place


def test_certificate_says_what_was_proved_of_what(place: Path) -> None:
    found = json.loads((place / "cube.intoto.json").read_text())

    assert found["_type"] == "https://in-toto.io/Statement/v1"
    assert found["predicate"]["result"] == "PASSED"
    (subject, *_) = found["subject"]
    assert subject["name"] == "tiny"
    assert len(subject["digest"]["sha256"]) == 64
    assert "EXIT-1 tiny make fake" in found["predicate"]["passedTests"]
    states = {each["state"] for each in found["predicate"]["clauses"]}
    assert states == {"passed"}
    (platform,) = found["predicate"]["platforms"]
    assert platform["level"] == "L2"


def test_nothing_changed(place: Path) -> None:
    done = call("verify", place / "cube.intoto.json")

    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert f"holds: record {place}/record.json" in lines
    assert "holds: verdicts" in lines
    assert f"holds: cube tiny in {place}/tiny" in lines


def test_things_are_elsewhere_now(place: Path) -> None:
    (place / "record.json").rename(place / "moved.json")
    (place / "tiny").rename(place / "other")

    lost = call("verify", place / "cube.intoto.json")
    found = call(
        *("verify", place / "cube.intoto.json"),
        *("--record", place / "moved.json", "--cube", place / "other"),
    )

    assert lost.returncode == 1
    assert f"not checked: cube tiny in {place}/tiny: not found here" in lost.stdout
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("record.json", '"passed"', '"failed"', "changed: record"),
        ("record.json", "{", "{ ", "changed: record"),
        ("tiny/build/task.sh", "seed", "sead", "changed: cube tiny"),
        ("cube.intoto.json", "EXIT-1", "EXIT-2", "changed: verdicts"),
        ("cube.intoto.json", '"L2"', '"L4"', "changed: verdicts"),
        ("cube.intoto.json", '"name": "tiny"', '"name": "tinny"', "changed: verdicts"),
    ],
)
def test_one_byte_changed(
    place: Path, file: str, old: str, new: str, says: str
) -> None:
    text = (place / file).read_text()
    assert old in text
    (place / file).write_text(text.replace(old, new, 1))

    done = call("verify", place / "cube.intoto.json")

    assert done.returncode == 1
    assert says in done.stdout


@pytest.mark.parametrize("key", ["subject", "configuration"])
def test_certificate_that_names_nothing_proves_nothing(key: str, place: Path) -> None:
    file = place / "cube.intoto.json"
    found = json.loads(file.read_text())
    (found if key == "subject" else found["predicate"])[key] = []
    file.write_text(json.dumps(found))

    done = call("verify", file)

    assert done.returncode == (1 if key == "subject" else 2)
    assert "has a bug" not in done.stderr


def test_verdicts_without_their_record_prove_nothing(place: Path) -> None:
    (place / "record.json").unlink()

    done = call("verify", place / "cube.intoto.json")

    assert done.returncode == 1
    assert "not checked: verdicts: they stand in the record" in done.stdout
    assert f"holds: cube tiny in {place}/tiny" in done.stdout


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"_type": 1}', '{"subject": {}}'])
def test_what_is_no_certificate_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)

    done = call("verify", file)

    assert done.returncode == 2
    assert "not a certificate" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("where", ["/dev/zero", "/"])
def test_places_of_a_stranger_are_not_read(where: str, place: Path) -> None:
    file = place / "cube.intoto.json"
    found = json.loads(file.read_text())
    found["predicate"]["configuration"][0]["uri"] = where
    found["subject"][0]["annotations"]["place"] = where
    file.write_text(json.dumps(found))

    done = call("verify", file)

    assert done.returncode == 1
    assert done.stdout.count("not checked") == 3
