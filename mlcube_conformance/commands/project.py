"""The command line of the project itself: `mlcube-conformance`."""

from __future__ import annotations

from importlib import import_module

import click

from mlcube_conformance import __version__
from mlcube_conformance.base.errors import did_you_mean
from mlcube_conformance.base.interrupts import waiting_requests
from mlcube_conformance.base.streams import replace_closed_streams
from mlcube_conformance.commands.group import Group, take_requests
from mlcube_conformance.commands.output import ending_streams

__all__ = ["COMMANDS", "app", "main"]

#: Module of this folder that has each command, and its name there. Each is imported on
#: its own: no command waits for the others.
COMMANDS = {
    "certify": "certify.certify",
    "clauses": "pages.clauses",
    "clean": "clean.clean",
    "configure": "work.configure",
    "convert": "formats.convert",
    "doctor": "doctor.doctor",
    "explain": "explain.explain",
    "init": "init.init",
    "list": "cube_list.list_cubes",
    "matrix": "matrix.matrix",
    "options": "pages.options",
    "report": "report.report",
    "run": "work.run",
    "schema": "schema.schema",
    "scorecard": "scorecards.scorecard",
    "test": "suite.test",
    "test-jobs": "matrix_jobs.test_jobs",
    "validate": "validate.validate",
    "verify": "certify.verify",
    "zoo": "zoo.zoo",
}


class _Commands(Group):
    """The commands of the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own
        """Return their names."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Return one, from its module."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(".")
        with waiting_requests():  # half a module is of no use
            found = getattr(import_module(f"{__package__}.{module}"), name)
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant; click guesses among imported ones alone.

        Raises:
            click.UsageError: No command has that name.
        """
        word = args[0]
        is_name = word in COMMANDS or word.startswith("-") or ctx.resilient_parsing
        guess = "" if is_name else did_you_mean(word, COMMANDS)
        if guess:
            ctx.fail(f"No such command {word!r}. {guess.capitalize()}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", message="%(prog)s %(version)s")
def app() -> None:
    """Make, run, test and validate cubes, test runners, and report on what was seen."""


def main() -> None:
    """Read the command line, do what it says, and exit."""
    replace_closed_streams()
    take_requests()
    with ending_streams():
        app(prog_name="mlcube-conformance")
