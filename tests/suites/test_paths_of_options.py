"""A path of the command line means the same wherever it is given, and is read once."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from mlcube_conformance.results.judgements import Judgement, Scorecard
from tests import warm
from tests.cube_folders import make_cube
from tests.single_file_cubes import make_hello_world

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str]]

#: Ways to write the path of the home, from a folder beside it.
HOMES: Final = ("~", "../place/../home/.")

#: A runner whose `configure` succeeds where its platform file is there.
_RUNNER: Final = """\
name: looker
version: [echo, "0.1"]
formats: [single-file]
configure: [test, -f, "{platform}"]
run: ["false", "{cube}", "{platform}"]
options: {task: "{task}"}
features: [remote]
platform: there
"""
_HAND: Final = (
    "from mlcube_conformance.commands.runner import run_command_line as run; "
    "run('fake', 'x')"
)


def _beside_runs(place: Path) -> list[Path]:
    """Return all that is in a folder, but for the records of runs."""
    records = place / ".mlcube-conformance"
    return sorted(each for each in place.rglob("*") if not each.is_relative_to(records))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home with all that options can name."""
    home = tmp_path / "home"
    make_cube(home / "tiny").fake_platform("pass")
    make_cube(home / "other").fake_platform("pass")
    (home / "ca.pem").write_text("BEGIN CERTIFICATE")
    (home / "seed.txt").write_text("mine")
    (home / "looker.yaml").write_text(_RUNNER)
    (home / "there.yaml").write_text("host: nowhere.invalid\nplatform: docker.yaml\n")
    (home / "known.yaml").write_text("- {clause: EXIT-2, reason: it is known}\n")
    card = Scorecard("one", "1", "2026-11-24", "0", (Judgement("EXIT-2", "passed"),))
    (home / "card.json").write_text(card.to_json())
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return the folder that commands run in, beside the home."""
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


@pytest.fixture
def run(place: Path, home: Path) -> Run:
    """Return what runs a command, and leaves the folder that it runs in as it is."""

    def run(at: str, *words: str) -> tuple[int, str]:
        before = _beside_runs(place)
        module, *more = words[1:] if words[0] == "-m" else words
        done = subprocess.run(
            [*warm.python(module), *(word.replace("@", at) for word in more)],
            cwd=place,
            env={**os.environ, "TMPDIR": str(home.parent)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = done.stdout + done.stderr
        assert "Traceback" not in said
        assert _beside_runs(place) == before, said
        return done.returncode, said

    return run


@pytest.mark.parametrize("at", HOMES)
def test_paths_of_a_test_of_cubes(at: str, run: Run, home: Path) -> None:
    code, said = run(
        at,
        *("-m", "mlcube_conformance", "test", "@/tiny", "--cube", "@/tiny/mlcube.yaml"),
        *("--platform", "@/tiny/platform/fake.yaml", "--task", "@/tiny/run/make.yaml"),
        *("--parameter", "make.seed=@/seed.txt", "--workspace", "@/workspace"),
        *("--ca-bundle", "@/ca.pem", "-p", "no:cacheprovider"),
    )

    assert (code, "10 passed" in said) == (0, True), said
    assert (home / "workspace/data/made").is_file()


@pytest.mark.parametrize("at", HOMES)
def test_paths_of_a_test_of_a_runner(at: str, run: Run, home: Path) -> None:
    _, said = run(
        at,
        *("-m", "mlcube_conformance", "test", "--runner", "@/looker.yaml"),
        *("--runner-platform", "@/there.yaml", "--expected-failures", "@/known.yaml"),
        *("--scorecard", "@/cards/out.json", "-k", "exit_code_of_task"),
        *("-p", "no:cacheprovider", "--keep", "none"),
    )

    card = Scorecard.from_json((home / "cards/out.json").read_text())
    judged = {each.clause: replace(each, seen="") for each in card.judgements}
    assert judged["EXIT-2"] == Judgement(
        "EXIT-2", "failed", "it is known", expected=True
    ), said


@pytest.mark.parametrize("at", HOMES)
def test_paths_of_the_command_line_of_a_runner(at: str, run: Run, home: Path) -> None:
    common = ("--mlcube", "@/tiny", "--platform=@/tiny/platform/fake.yaml")
    more = ("--build-context=@/tiny/build", "--ca-bundle=@/ca.pem")

    made = run(at, "-c", _HAND, "configure", *common, *more, "--logs=@/made")
    ran = run(
        at,
        *("-c", _HAND, "run", *common, *more, "--task=@/other/run/make.yaml"),
        *("--parameter=make.seed=@/seed.txt", "--workspace=@/workspace"),
        "--logs=@/ran",
    )

    assert (made[0], ran[0]) == (0, 0), made[1] + ran[1]
    assert (home / "workspace/data/made").is_file()
    for folder, log in (("made", "configure.log"), ("ran", "stdout.log")):
        found = {each.name for each in (home / folder).iterdir()}
        assert {log, "outcome.json"} <= found


@pytest.mark.parametrize("at", HOMES)
def test_paths_of_the_other_commands(at: str, run: Run, home: Path) -> None:
    make_hello_world(home / "single")

    cards = run(
        at,
        *("-m", "mlcube_conformance", "scorecard", "@/card.json"),
        *("--output", "@/page.md"),
    )
    converted = run(at, "-m", "mlcube_conformance", "convert", "@/single", "@/new")
    cleaned = run(
        at, "-m", "mlcube_ssh_run", "clean", "--platform", "@/tiny/platform/fake.yaml"
    )

    assert cards == (0, "")
    assert converted[0] == 0, converted[1]
    assert f"written: {home}/new" in converted[1]
    assert (home / "page.md").is_file()
    assert (home / "new/mlcube.yaml").is_file()
    # It was read, and names no host.
    assert f"{home}/tiny/platform/fake.yaml, line 1" in cleaned[1]


_TEST: Final = ("-m", "mlcube_conformance", "test")
_CUBE: Final = ("--mlcube=@/tiny", "--platform=fake", "--task=make")


@pytest.mark.parametrize(
    "words",
    [
        (*_TEST, "--cube="),
        (*_TEST, "@/tiny", "--platform=fake", "--workspace="),
        (*_TEST, "@/tiny", "--platform=fake", "--ca-bundle="),
        (*_TEST, "--runner=local", "--expected-failures="),
        (*_TEST, "--runner=local", "--scorecard="),
        ("-m", "mlcube_conformance", "scorecard", ""),
        ("-m", "mlcube_conformance", "convert", "@/tiny", ""),
        ("-c", _HAND, "configure", "--mlcube=", "--platform=fake"),
        ("-c", _HAND, "run", *_CUBE, "--logs="),
        ("-c", _HAND, "run", *_CUBE, "--workspace="),
    ],
    ids=" ".join,
)
def test_nothing_is_no_path(words: tuple[str, ...], run: Run) -> None:
    code, said = run("~", *words)

    assert code in {2, 4}
    assert "a path on the command line is invalid" in said
    assert "found:    nothing" in said


_NAMES: Final = ("make", "use", "fake", "local", "docker", "tiny", "seed", "run")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_name_wins_over_a_file_of_that_name(
    kind: str, run: Run, place: Path, home: Path
) -> None:
    for name in _NAMES:
        (place / name).mkdir() if kind == "folder" else (place / name).write_text("- x")
    here = ("--mlcube=@/tiny", "--platform=fake", "--workspace=@/workspace")

    ran = run("~", "-c", _HAND, "run", *here, "--task=make")
    tested = run(
        "~",
        *(*_TEST, "@/tiny", "--platform=fake", "--task=make"),
        *("-p", "no:cacheprovider"),
    )
    held = run("~", *_TEST, "--runner=local", "--collect-only", "-qq")

    assert ran[0] == 0, ran[1]
    assert (home / "workspace/data/made").is_file()
    assert (tested[0], "10 passed" in tested[1]) == (0, True), tested[1]
    assert held[0] == 0, held[1]


@pytest.mark.parametrize("word", ["./make", "mine.yaml", "../place/make"])
def test_file_is_named_by_a_word_that_is_written_as_a_path(
    word: str, run: Run, place: Path, home: Path
) -> None:
    text = (home / "tiny/run/make.yaml").read_text()
    for name in ("make", "mine.yaml"):
        (place / name).write_text(text.replace("/data", "/elsewhere"))

    code, said = run(
        "~",
        *("-c", _HAND, "run", "--mlcube=@/tiny", "--platform=fake"),
        *("--workspace=@/workspace", f"--task={word}"),
    )

    assert code == 0, said
    assert (home / "workspace/elsewhere/made").is_file()


def test_file_whose_name_is_no_task_is_told_how_to_be_named(
    run: Run, place: Path
) -> None:
    (place / "mine").write_text("")

    code, said = run(
        "~", "-c", _HAND, "run", "--mlcube=@/tiny", "--platform=fake", "--task=mine"
    )

    assert code == 2
    assert "write ./mine to name the file in the current folder" in said
