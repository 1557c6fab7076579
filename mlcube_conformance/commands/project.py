"""The command line of the project itself: `mlcube-conformance`."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from mlcube_conformance.base.errors import (
    ConformanceError,
    MachineError,
    Message,
    UsageError,
    Violation,
)
from mlcube_conformance.base.faults import telling_faults
from mlcube_conformance.base.files import read_text
from mlcube_conformance.base.homes import current_folder, given_path
from mlcube_conformance.base.streams import drop_streams, replace_closed_streams
from mlcube_conformance.base.text import plain, visible
from mlcube_conformance.clauses.page import clauses_markdown
from mlcube_conformance.commands.options_page import options_markdown
from mlcube_conformance.convert.conversion import convert_cube
from mlcube_conformance.results.judgements import Scorecard
from mlcube_conformance.results.scorecard import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["app", "clauses", "convert", "main", "options", "scorecard", "test"]

_USAGE = 2
_NOT_RUN = 125
#: Bytes of a scorecard: a hundred times those of one.
_LARGEST_CARD = 16 * 1024 * 1024


@click.group()
def app() -> None:
    """Test cubes and runners, show the clauses, and convert cubes."""


@app.command(
    context_settings={
        "allow_extra_args": True,
        "allow_interspersed_args": False,
        "ignore_unknown_options": True,
    },
    options_metavar="[CUBE...] [OPTIONS OF PYTEST]",
)
@click.pass_context
def test(context: click.Context) -> None:
    """Test cubes, or a runner by --runner; -h lists all options.

    Runs pytest in the current folder and by its settings: nothing beside a cube can
    change how it is tested. Without a cube, that of the current folder is tested. A
    word that ends in .py is a file of your own tests.
    """
    import pytest  # noqa: PLC0415 - only here, since others need none

    from mlcube_conformance.suites.starting import start_words  # noqa: PLC0415 - as above

    with _refusing(pytest.ExitCode.USAGE_ERROR):
        folder = current_folder()
    raise SystemExit(int(pytest.main(start_words(context.args, folder))))


@app.command()
def clauses() -> None:
    """Print the page of all clauses, as Markdown."""
    _show(clauses_markdown())


@app.command()
def options() -> None:
    """Print the page of all options, as Markdown."""
    _show(options_markdown())


@app.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--output", metavar="FILE", help="Output file (default: the terminal).")
def scorecard(files: tuple[str, ...], output: str | None) -> None:
    """Print scorecards, several side by side, as Markdown."""
    with _refusing():
        page = markdown([_read_card(given_path(file, "FILE")) for file in files])
        if output is None:
            _show(page)
        else:
            _write(given_path(output, "--output"), page)


@app.command()
@click.argument("cube", metavar="CUBE")
@click.argument("target", metavar="TARGET")
def convert(cube: str, target: str) -> None:
    """Write a cube of one file as one of several files, or the other way round."""
    with _refusing():
        place = given_path(target, "TARGET")
        for note in convert_cube(given_path(cube, "CUBE"), place):
            sys.stderr.write(f"note: {plain(note)}\n")
        sys.stderr.write(f"written: {visible(str(place))}\n")


def main() -> None:
    """Read the command line, do what it says, and exit."""
    replace_closed_streams()
    try:
        try:
            app(prog_name="mlcube-conformance")
        finally:
            sys.stdout.flush()  # here, where a fault can still be shown
    except OSError as error:
        # From pytest or from this program: what was found cannot be written.
        with suppress(OSError):
            sys.stderr.write(f"{_unwritable(error)}\n")
            sys.stderr.flush()
        drop_streams()
        raise SystemExit(_NOT_RUN) from error


def _unwritable(error: OSError) -> MachineError:
    return MachineError(
        Message(
            what="the output cannot be written",
            where=str(error.filename or "standard output"),
            found=error.strerror or str(error),
            expected="a terminal or a disk with room",
            do="free some space, then run again",
        )
    )


@contextmanager
def _refusing(code: int = _USAGE) -> Iterator[None]:
    """Turn an error into its message and its exit code, never a traceback."""
    try:
        with telling_faults():
            yield
    except (ConformanceError, Violation) as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(code) from error


def _show(text: str) -> None:
    # The page is UTF-8, whatever the terminal is set to.
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _read_card(file: Path) -> Scorecard:
    try:
        text = read_text(file, limit=_LARGEST_CARD)
    except Violation as violation:
        raise UsageError(*violation.messages) from violation
    return Scorecard.from_json(text, where=str(file))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unusable(file, "written", error) from error


def _unusable(file: Path, done: str, error: OSError) -> UsageError:
    return UsageError(
        Message(
            what=f"{file.name} cannot be {done}",
            where=str(file),
            found=error.strerror or str(error),
            expected=f"a file that can be {done}",
            do="fix the path",
        )
    )
