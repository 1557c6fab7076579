"""A group of commands that ends as it is asked to, whatever it does."""

from __future__ import annotations

from typing import Any

import click

from mlcube_conformance.base.interrupts import (
    INTERRUPTED,
    Interrupts,
    ignore_requests,
)
from mlcube_conformance.commands.said import say

__all__ = ["Group", "interrupted", "take_requests"]


class Group(click.Group):
    """Commands that end with an exit code of its own if one is interrupted."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:  # noqa: ANN401 - click's own
        """Read the command line; help, which has all commands, is shown here.

        Raises:
            SystemExit: It was interrupted.
        """
        try:
            return super().make_context(*args, **more)
        except KeyboardInterrupt as error:
            raise interrupted() from error

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own
        """Call the command that the command line names.

        Raises:
            SystemExit: It was interrupted.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise interrupted() from error


def interrupted(code: int = INTERRUPTED) -> SystemExit:
    """Say that the command was interrupted, and return the end of the program."""
    ignore_requests()
    say("interrupted")
    return SystemExit(code)


def take_requests() -> None:
    """Take requests to end from now on, until the process has ended."""
    Interrupts(say).take()
