"""`mlcube-conformance clauses` and `options`: pages of the docs, as Markdown."""

from __future__ import annotations

import click

from mlcube_conformance.base.homes import given_path
from mlcube_conformance.clauses.others import clauses_of_others
from mlcube_conformance.clauses.page import clauses_markdown, runner_clauses_markdown
from mlcube_conformance.commands.clause_pages import clause_pages
from mlcube_conformance.commands.options_page import options_markdown
from mlcube_conformance.commands.output import refusing, show, write_file

__all__ = ["clauses", "options"]


@click.command(short_help="Print the lists of all clauses, as Markdown.")
@click.option(
    "--pages",
    metavar="DIR",
    help="Folder of documents for these lists and a page on each clause.",
)
def clauses(pages: str | None) -> None:
    """Print the lists of all clauses, those of installed packages too, as Markdown.

    With --pages, the lists of our own clauses are written to DIR, and a page on each
    of these to DIR/clauses: why, an example with its message, how to fix and waive it.

    Example: mlcube-conformance clauses > clauses.md
    """
    with refusing():
        if pages is not None:
            folder = given_path(pages, "--pages")
            for path, text in clause_pages().items():
                write_file(folder / path, text)
            return
        others = clauses_of_others()
        show(f"{clauses_markdown(others)}\n{runner_clauses_markdown(others)}")


@click.command()
def options() -> None:
    """Print the page of all options, as Markdown.

    Example: mlcube-conformance options > options.md
    """
    show(options_markdown())
