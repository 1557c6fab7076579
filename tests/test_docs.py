"""Every command line in the documentation is one: no typo in it survives.

`scripts/follow_docs.py` runs those of the first page and compares what they print.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import pytest
from click.testing import CliRunner

from mlcube_conformance.commands.project import app
from mlcube_conformance.commands.runner_options import command_of
from mlcube_conformance.suites.starting import start_words

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGES = (
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "cubes").rglob("*.md")),
    *sorted((ROOT / "changelog.d").glob("*.md")),
)
PROGRAM = "mlcube-conformance"
RUNNERS_COMMANDS = {
    "configure": command_of("configure", lambda _: None),
    "run": command_of("run", lambda _: None),
    "clean": command_of("clean", lambda _: None),
}
RUNNER = re.compile(r"mlcube_(docker|local|singularity|ssh)_run")
_BLOCK = re.compile(
    r"^ *(?P<fence>```+)(?P<kind>\w*)\n(?P<text>.*?)^ *(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_SPAN = re.compile(r"(?<!`)`(?!`)([^`]+)`(?!`)")
#: Kinds of blocks in which each line is a command; in others, one after "$ " is.
_SHELL = {"bash", "sh", "shell"}
_OTHERS = {"console", "text"}
#: Commands that read files at most, or write what a test may write.
_CHEAP = {
    *("clauses", "convert", "doctor", "explain", "init", "list", "matrix"),
    *("options", "schema", "validate", "zoo"),
}
#: Folders of the repository that a command may name.
_FOLDERS = ("cubes/mnist", "docs", "examples", "platforms", "scripts", "tests")


class Line(NamedTuple):
    """A command of a page, without what a shell does around it."""

    page: str
    words: tuple[str, ...]
    is_whole: bool
    """Whether it stands in a block; a page may name the beginning of one in a text."""

    def __str__(self) -> str:
        """Return the page and the command."""
        return f"{self.page}: {shlex.join(self.words)}"


def commands_of_blocks(text: str) -> Iterator[str]:
    """Yield each command in the blocks of a page, lines that go on joined."""
    for block in _BLOCK.finditer(text):
        for line in re.sub(r"\\\n\s*", " ", block["text"]).splitlines():
            if block["kind"] in _SHELL:
                yield line
            elif block["kind"] in _OTHERS and line.startswith("$ "):
                yield line.removeprefix("$ ")


def split(command: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of each program that a line of a shell starts."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    is_target = False
    for each in lexer:
        if set(each) <= set("|&;()"):
            yield tuple(words)
            words = []
        elif set(each) <= set("<>"):
            is_target = True
        elif is_target:
            is_target = False
        elif each != "…" and (words or not re.match(r"\w+=", each)):
            words.append(each)
    yield tuple(words)


def lines_of(file: Path) -> Iterator[Line]:
    """Yield the commands of a page."""
    text = file.read_text(encoding="utf-8")
    name = str(file.relative_to(ROOT))
    for command in commands_of_blocks(text):
        yield from (Line(name, each, is_whole=True) for each in split(command) if each)
    for span in _SPAN.findall(_BLOCK.sub("", text)):
        joined = " ".join(span.split())
        if joined.startswith((f"{PROGRAM} ", "python -m mlcube_", "pytest --cube")):
            for each in split(joined):
                yield Line(name, each, is_whole=False)


def ours(line: Line) -> tuple[str, ...]:
    """Return the words of a command from our program on, none for another program."""
    words = line.words
    if words[:2] == ("docker", "run") and PROGRAM in words:
        return words[words.index(PROGRAM) :]
    if words[:2] == ("python", "-m") and RUNNER.fullmatch(words[2]):
        return words[2:] if words[3:] else ()
    return words if words[0] in {PROGRAM, "pytest"} else ()


ALL = [line for file in PAGES for line in lines_of(file)]
OURS = {(ours(line), line.is_whole): line for line in ALL if ours(line)}


def parse(words: tuple[str, ...], pytester: pytest.Pytester) -> None:
    """Read a command line as the program does, and do nothing.

    Raises:
        click.UsageError: It is wrong.
        pytest.UsageError: So are the words for pytest.
    """
    program, *rest = words
    if program == "pytest":
        pytester.parseconfig(*rest)
    elif rest[0] == "test" and "--help" not in rest:
        pytester.parseconfig(*start_words(rest[1:], pytester.path))
    elif rest[0] == "test-jobs":
        # Its options are those of `test`, after the file.
        options = [each for each in rest[2:] if not each.startswith("--results")]
        pytester.parseconfig(*start_words(options, pytester.path))
    elif program == PROGRAM:
        with app.make_context(PROGRAM, rest) as context:
            name, command, rest = app.resolve_command(context, rest)
            assert command is not None
            with command.make_context(name, rest, parent=context):
                pass
    else:
        command = RUNNERS_COMMANDS[rest[0]]
        with command.make_context(program, rest[1:]):
            pass


def is_right(words: tuple[str, ...], pytester: pytest.Pytester, *, whole: bool) -> bool:
    """Say whether a command line is one; a part of one may lack an argument."""
    try:
        parse(words, pytester)
    except click.exceptions.Exit as ended:  # of --help and --version
        return ended.exit_code == 0
    except click.MissingParameter:
        return not whole
    except (click.ClickException, pytest.UsageError, KeyError):
        return False
    return True


def test_the_pages_have_many_commands() -> None:
    assert len(ALL) > 200
    assert len(OURS) > 120
    programs = {words[0] for words, _ in OURS}
    assert programs > {PROGRAM, "pytest", "mlcube_docker_run", "mlcube_ssh_run"}


@pytest.mark.parametrize("line", OURS.values(), ids=str)
def test_each_command_of_ours_is_one(line: Line, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(size_limit="")  # of docs/hooks.md
    pytester.syspathinsert()
    assert is_right(ours(line), pytester, whole=line.is_whole)


@pytest.mark.parametrize(
    "command",
    [
        "mlcube-conformance tset cube",
        "mlcube-conformance test cube --platfrom docker",
        "mlcube-conformance test cube --level L9",
        "mlcube-conformance test-jobs jobs.json --platfrom docker",
        "mlcube-conformance validate cube --fromat json",
        "mlcube-conformance certify",
        "mlcube-conformance init hello --template perl",
        "pytest --cube=cube --platfrom docker",
        "mlcube_docker_run run --mlcbue=cube",
    ],
)
def test_a_typo_is_noticed(command: str, pytester: pytest.Pytester) -> None:
    assert not is_right(tuple(command.split()), pytester, whole=True)


def named_files(line: Line) -> Iterator[str]:
    """Yield the files of the repository that a command names."""
    for word in line.words:
        path = word.rpartition("=")[2].partition(" ")[0].partition("::")[0]
        if path.startswith(tuple(f"{each}/" for each in _FOLDERS)) or path in _FOLDERS:
            yield path


def test_files_of_the_repository_that_commands_name_exist() -> None:
    named = {(str(line), path) for line in ALL for path in named_files(line)}

    assert len(named) > 10
    assert [each for each in named if not (ROOT / each[1]).exists()] == []


def test_what_make_is_asked_for_is_a_target() -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    asked = {
        word
        for line in ALL
        if line.words[0] == "make"
        for word in line.words[1:]
        if "=" not in word
    }

    assert asked >= {"demo", "lint", "test"}
    assert asked <= set(targets)


def cheap() -> Iterator[Line]:
    """Yield the commands that need no engine and whose files are in the repository."""
    for (words, whole), line in OURS.items():
        if whole and words[0] == PROGRAM and words[1] in _CHEAP:
            reads = words[1] in {"convert", "list", "matrix", "validate"}
            if not reads or list(named_files(line)):
                yield line


@pytest.mark.parametrize("line", list(cheap()), ids=str)
def test_a_cheap_command_works(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    words = ours(line)[1:]

    done = CliRunner().invoke(app, words)

    # What works on a machine is not for a page to say.
    assert done.exit_code in ({0, 1} if words[0] == "doctor" else {0}), done.output
