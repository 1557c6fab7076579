"""The command line `mlcube-conformance`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner

from mlcube_conformance.clauses import CLAUSES
from mlcube_conformance.clauses.page import clauses_markdown, runner_clauses_markdown
from mlcube_conformance.commands.clause_pages import clause_pages
from mlcube_conformance.commands.explain import explain
from mlcube_conformance.commands.project import COMMANDS
from mlcube_conformance.results.judgements import Judgement, Scorecard
from mlcube_conformance.results.scorecard import markdown
from tests.cube_folders import make_cube

if TYPE_CHECKING:
    from mlcube_conformance.clauses import Clause

CARDS = [
    Scorecard(name, "1", "2026-11-24", "0.3.0", (Judgement("EXIT-2", "passed"),))
    for name in ("docker", "mlcube")
]


def _run(*words: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "mlcube_conformance", *words],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        timeout=60,
        check=False,
    )


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    written = [tmp_path / f"{card.runner}.json" for card in CARDS]
    for file, card in zip(written, CARDS, strict=True):
        file.write_text(card.to_json(), encoding="utf-8")
    return written


def test_options_prints_the_page_of_the_documents() -> None:
    done = _run("options")

    assert (done.returncode, done.stderr) == (0, b"")
    page = Path(__file__).parents[1] / "docs/options.md"
    assert done.stdout.decode() == page.read_text(encoding="utf-8"), (
        "run: mlcube-conformance options > docs/options.md"
    )


def test_clauses_prints_the_page() -> None:
    done = _run("clauses")

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == f"{clauses_markdown()}\n{runner_clauses_markdown()}"


def test_clauses_writes_a_page_on_each(tmp_path: Path) -> None:
    done = _run("clauses", "--pages", tmp_path / "docs")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    pages = {
        file.relative_to(tmp_path / "docs").as_posix(): file.read_text("utf-8")
        for file in (tmp_path / "docs").rglob("*.md")
    }
    assert pages == clause_pages()


def test_scorecard_prints_cards_side_by_side(files: list[Path]) -> None:
    done = _run("scorecard", *files)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == markdown(CARDS)


def test_scorecard_writes_a_file(files: list[Path], tmp_path: Path) -> None:
    done = _run("scorecard", files[0], "--output", tmp_path / "page.md")

    assert (done.returncode, done.stdout) == (0, b"")
    assert (tmp_path / "page.md").read_text("utf-8") == markdown(CARDS[:1])


def test_a_file_that_is_read_is_not_replaced(files: list[Path], tmp_path: Path) -> None:
    before = files[0].read_bytes()
    link = tmp_path / "page.md"
    link.symlink_to(files[0])

    for output in (files[0], link):
        done = _run("scorecard", files[0], "--output", output)
        assert done.returncode == 2
        assert b"would replace" in done.stderr
    assert files[0].read_bytes() == before


def test_file_that_cannot_be_written_is_told(files: list[Path]) -> None:
    done = _run("scorecard", files[0], "--output", files[1] / "page.md")

    assert done.returncode == 2
    assert done.stderr.startswith(b"page.md cannot be written\n")


def test_the_folder_of_a_file_that_is_named_is_made(
    files: list[Path], tmp_path: Path
) -> None:
    page = tmp_path / "new" / "pages" / "page.md"

    assert _run("scorecard", files[0], "--output", page).returncode == 0
    assert page.read_text("utf-8") == markdown(CARDS[:1])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "card.json cannot be read"),
        (None, "do:       fix the path"),
        (b"{", "not JSON"),
        (b"\xff", "byte 0 is not UTF-8"),
        (b"{}", "schema_version"),
    ],
)
def test_file_that_is_no_card_is_refused(
    content: bytes | None, says: str, files: list[Path], tmp_path: Path
) -> None:
    bad = tmp_path / "card.json"
    if content is not None:
        bad.write_bytes(content)

    done = _run("scorecard", *files, bad)

    assert (done.returncode, done.stdout) == (2, b"")
    assert says in done.stderr.decode()
    assert str(bad) in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("scorecard",), ("clauses", "x"), ("score",)])
def test_wrong_words_are_a_usage_error(words: tuple[str, ...]) -> None:
    assert _run(*words).returncode == 2


def _shell(script: str, place: Path, **variables: str) -> tuple[int, str]:
    """Run a line of shell in which `$PY` is this Python; return code and stderr."""
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=place,
        env={**os.environ, "PY": sys.executable, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr


_COMMANDS: Final = (
    '"$PY" -m mlcube_conformance test cube --platform fake',
    '"$PY" -m mlcube_conformance clauses',
    '"$PY" -m mlcube_conformance convert cube converted',
    '"$PY" -m mlcube_local_run configure --mlcube=cube --platform=local',
)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
@pytest.mark.parametrize("command", _COMMANDS)
def test_streams_may_be_closed(command: str, closed: str, tmp_path: Path) -> None:
    make_cube(tmp_path / "cube").fake_platform("pass")

    code, said = _shell(f"{command} {closed}", tmp_path)

    assert code == 0, said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "command", [*_COMMANDS[:2], '"$PY" -m mlcube_conformance clean']
)
def test_full_disk_below_the_output_is_told(command: str, tmp_path: Path) -> None:
    make_cube(tmp_path / "cube").fake_platform("pass")

    code, said = _shell(f"{command} >/dev/full", tmp_path)

    assert code == 125, said
    assert "the output cannot be written" in said
    assert "Traceback" not in said
    assert "Exception ignored" not in said


def test_a_file_that_pytest_cannot_write_is_not_called_a_full_disk(
    tmp_path: Path,
) -> None:
    make_cube(tmp_path / "cube").fake_platform("pass")
    (tmp_path / "loop.xml").symlink_to("loop.xml")

    code, said = _shell(f"{_COMMANDS[0]} --junitxml=loop.xml", tmp_path)

    assert code == 125, said
    assert f"where:    {tmp_path}/loop.xml\n" in said
    assert "do:       fix the path, then run again" in said


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_with_room_for_a_part_of_the_output_is_full(
    unbuffered: str, tmp_path: Path
) -> None:
    limited = 'ulimit -f 8; "$PY" -m mlcube_conformance clauses >list'

    code, said = _shell(limited, tmp_path, PYTHONUNBUFFERED=unbuffered)

    assert code == 125, said
    assert "the output cannot be written" in said


@pytest.mark.parametrize(
    ("words", "code", "broken", "unbuffered"),
    [
        ("explain no-such-clause", 2, "2>unread", ""),
        ("explain --no-such-option", 2, "2>unread", "1"),
        ("no-such-command", 2, "2>/dev/full", ""),
        ("run cube --platform=local --task=none", 2, "2>unread", ""),
        ("run cube --platform=fails --task=use", 3, "2>/dev/full", ""),
        ("convert cube converted", 0, "2>/dev/full", "1"),
    ],
)
def test_what_nobody_can_read_changes_no_exit_code(
    words: str, code: int, broken: str, unbuffered: str, tmp_path: Path
) -> None:
    cube = make_cube(tmp_path / "cube")
    cube.fake_platform("fail", name="fails")
    cube.write("workspace/data/part", "x")
    os.mkfifo(tmp_path / "unread")
    # Held open to read until the command has it, then by nobody.
    script = f"exec 3<>unread; exec {broken}; exec 3>&-; "
    call = f'"$PY" -m mlcube_conformance {words} >/dev/null'

    ended, _ = _shell(script + call, tmp_path, PYTHONUNBUFFERED=unbuffered)

    assert ended == code


@pytest.mark.parametrize("command", [*_COMMANDS[:1], *_COMMANDS[2:]])
def test_folder_that_is_gone_is_told(command: str, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()

    code, said = _shell(f"cd gone; rmdir ../gone; {command}", tmp_path)

    assert code in {2, 4}
    assert "the current folder no longer exists" in said
    assert "Traceback" not in said


def test_zoo_lists_shows_and_writes_its_animals(tmp_path: Path) -> None:
    place = tmp_path / "lesson"

    listed = _run("zoo").stdout.decode()
    data = json.loads(_run("zoo", "--json").stdout)
    shown = _run("zoo", "pipe-for-file").stdout.decode()
    written = _run("zoo", "pipe-for-file", "--to", place)

    assert len(data) >= 60
    for each in data:
        assert each["name"] in listed
    assert 'mkfifo "$out"\n+cat "$seed" > "$out"' in shown
    assert written.returncode == 0
    assert {each.name for each in place.iterdir()} == {"broken", "sound"}
    assert f"next: mlcube-conformance test {place}/broken" in written.stdout.decode()


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("doctr", "No such command 'doctr'. Did you mean 'doctor'?\n"),
        ("test_jobs", "No such command 'test_jobs'. Did you mean 'test-jobs'?\n"),
        ("qqq", "No such command 'qqq'.\n"),
    ],
)
def test_a_command_that_is_not_known_is_guessed(word: str, says: str) -> None:
    done = _run(word)

    assert done.returncode == 2
    assert done.stderr.decode().endswith(says)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["pipe-for-fil"], "did you mean 'pipe-for-file'"),
        (["--to", "here"], "--to needs the name of an animal"),
        (["pipe-for-file", "--to", "."], "--to must be a new folder"),
    ],
)
def test_zoo_refuses_wrong_use(words: list[str], says: str) -> None:
    done = _run("zoo", *words)

    assert done.returncode == 2
    assert says in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_each_clause_is_explained() -> None:
    text = _run("explain", "output-1").stdout.decode()
    of_runner = _run("explain", "PATH-4").stdout.decode()
    data = json.loads(_run("explain", "OUTPUT-1", "--json").stdout)
    unknown = _run("explain", "OUTPUT-11")

    assert text.startswith("OUTPUT-1 (MUST of a cube, for L2): each declared output")
    assert "try: mlcube-conformance zoo output-missing --to lesson" in text
    assert "    - clause: OUTPUT-1" in text
    assert "applies: where values can be given on the command line" in of_runner
    assert "\n  the output 'out' did not appear\n    where:    cubes/" in text
    assert '\n  -:\n  +cat "$seed" > "$out"\n' in text
    assert "broken:  by mlcube 0.0.9 with Docker: it cuts a value" in of_runner
    assert data["animals"][0]["name"] == "output-missing"
    assert data["example"]["message"][0] == "the output 'out' did not appear"
    assert data["waiver"]["lines"][1] == "  - clause: OUTPUT-1"
    assert unknown.returncode == 2
    assert "did you mean 'OUTPUT-1'" in unknown.stderr.decode()


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda each: each.id)
def test_explanation_fits_a_terminal(clause: Clause) -> None:
    done = CliRunner().invoke(explain, [clause.id])

    assert done.exit_code == 0, done.output
    assert max(map(len, done.output.splitlines())) <= 80
    assert " ".join(clause.evidence.split()) in " ".join(done.output.split())


@pytest.mark.parametrize("command", [*COMMANDS])
def test_help_of_each_command_has_an_example_at_80_columns(command: str) -> None:
    shown = _run(command, "--help").stdout.decode()

    assert f"Example: mlcube-conformance {command}" in " ".join(shown.split())
    assert all(len(line) <= 80 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("va", "validate"),
        ("test --base", "--baseline"),
        ("explain output-", "OUTPUT-1"),
        ("schema ru", "runner"),
        ("zoo exits-with", "exits-with-3"),
        ("init --template s", "shell"),
    ],
)
def test_a_shell_completes(
    words: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_MLCUBE_CONFORMANCE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"mlcube-conformance {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))

    assert f"plain,{found}\n" in _run().stdout.decode()


def test_help_of_each_command_fits_a_line() -> None:
    shown = _run("-h").stdout.decode()

    assert "..." not in shown.partition("Commands:")[2]
    assert _run("--version").stdout.decode().startswith("mlcube-conformance ")
    assert "--cube" in _run("test", "-h").stdout.decode()
