"""The command line of the project itself: `mlcube-conformance`."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from mlcube_conformance import __version__
from mlcube_conformance.base.errors import UsageError, Violation
from mlcube_conformance.base.files import read_text
from mlcube_conformance.base.homes import current_folder, given_path
from mlcube_conformance.base.streams import replace_closed_streams
from mlcube_conformance.base.text import plain, visible
from mlcube_conformance.clauses.others import clauses_of_others
from mlcube_conformance.clauses.page import clauses_markdown, runner_clauses_markdown
from mlcube_conformance.commands.certify import certify, verify
from mlcube_conformance.commands.clause_pages import clause_pages
from mlcube_conformance.commands.clean import clean
from mlcube_conformance.commands.cube_list import list_cubes
from mlcube_conformance.commands.doctor import doctor
from mlcube_conformance.commands.explain import explain
from mlcube_conformance.commands.init import init
from mlcube_conformance.commands.matrix import matrix
from mlcube_conformance.commands.matrix_jobs import test_jobs
from mlcube_conformance.commands.options_page import options_markdown
from mlcube_conformance.commands.output import (
    cannot_write,
    refusing,
    show,
    show_or_write,
    write_file,
)
from mlcube_conformance.commands.report import report
from mlcube_conformance.commands.schema import schema
from mlcube_conformance.commands.validate import validate
from mlcube_conformance.commands.work import configure, run
from mlcube_conformance.commands.zoo import zoo
from mlcube_conformance.convert.conversion import convert_cube
from mlcube_conformance.results.judgements import Scorecard, scorecards_of
from mlcube_conformance.results.reading import read_record
from mlcube_conformance.results.scorecard import markdown

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["app", "clauses", "convert", "main", "options", "scorecard", "test"]

#: Bytes of a scorecard: a hundred times those of one.
_LARGEST_CARD = 16 * 1024 * 1024


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", message="%(prog)s %(version)s")
def app() -> None:
    """Test and validate cubes, test runners, show the clauses, and convert cubes."""


app.add_command(init)
app.add_command(validate)
app.add_command(clean)
app.add_command(configure)
app.add_command(run)
app.add_command(doctor)
app.add_command(list_cubes)
app.add_command(matrix)
app.add_command(test_jobs)
app.add_command(report)
app.add_command(zoo)
app.add_command(schema)
app.add_command(explain)
app.add_command(certify)
app.add_command(verify)


@app.command(
    context_settings={
        "allow_extra_args": True,
        "allow_interspersed_args": False,
        "help_option_names": ["--help"],
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

    with refusing(pytest.ExitCode.USAGE_ERROR):
        folder = current_folder()
    raise SystemExit(int(pytest.main(start_words(context.args, folder))))


@app.command(short_help="Print the lists of all clauses, as Markdown.")
@click.option(
    "--pages",
    metavar="DIR",
    help="Folder of documents for these lists and a page on each clause.",
)
def clauses(pages: str | None) -> None:
    """Print the lists of all clauses, those of installed packages too, as Markdown.

    With --pages, the lists of our own clauses are written to DIR, and a page on each
    of these to DIR/clauses: why, an example with its message, how to fix and waive it.
    """
    with refusing():
        if pages is not None:
            folder = given_path(pages, "--pages")
            for path, text in clause_pages().items():
                write_file(folder / path, text, makes_folders=True)
            return
        others = clauses_of_others()
        show(f"{clauses_markdown(others)}\n{runner_clauses_markdown(others)}")


@app.command()
def options() -> None:
    """Print the page of all options, as Markdown."""
    show(options_markdown())


@app.command(short_help="Print scorecards, several side by side, as Markdown.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--output", metavar="FILE", help="Output file (default: the terminal).")
def scorecard(files: tuple[str, ...], output: str | None) -> None:
    """Print scorecards, several side by side, as Markdown.

    A FILE is a scorecard in JSON, or the record.json of a test of a runner.
    """
    with refusing():
        places = [given_path(each, "FILE") for each in files]
        page = markdown([card for each in places for card in _read_cards(each)])
        show_or_write(page, output)


@app.command(short_help="Write a cube in the other format.")
@click.argument("cube", metavar="CUBE")
@click.argument("target", metavar="TARGET")
def convert(cube: str, target: str) -> None:
    """Write a cube of one file as one of several files, or the other way round."""
    with refusing():
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
        raise cannot_write(error) from error


def _read_cards(file: Path) -> list[Scorecard]:
    try:
        text = read_text(file, limit=_LARGEST_CARD)
    except Violation as violation:
        raise UsageError(*violation.messages) from violation
    with suppress(ValueError, RecursionError):
        document = json.loads(text)
        if isinstance(document, dict) and document.get("suite") == "runner":
            return scorecards_of(read_record(file))
    return [Scorecard.from_json(text, where=str(file))]
