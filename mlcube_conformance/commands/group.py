"""A group of commands that ends as it is asked to, whatever it does."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from mlcube_conformance.base.interrupts import (
    INTERRUPTED,
    Interrupts,
    ignore_requests,
)
from mlcube_conformance.commands.said import say

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Group", "ending_if_interrupted", "interrupted", "take_requests"]


class Group(click.Group):
    """Commands that end with an exit code of its own if one is interrupted."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:  # noqa: ANN401 - click's own
        """Read the command line; help, which has all commands, is shown here.

        Raises:
            SystemExit: It was interrupted.
        """
        with ending_if_interrupted(), _telling_refusals():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own
        """Call the command that the command line names.

        Raises:
            SystemExit: It was interrupted.
        """
        with ending_if_interrupted(), _telling_refusals():
            return super().invoke(ctx)


@contextmanager
def _telling_refusals() -> Iterator[None]:
    """Turn what click refuses into its exit code, though it may not be shown.

    Raises:
        SystemExit: It refused something.
    """
    try:
        yield
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        raise SystemExit(error.exit_code) from error


@contextmanager
def ending_if_interrupted(code: int = INTERRUPTED) -> Iterator[None]:
    """Turn an interrupt into the end of the program, without a traceback.

    Raises:
        SystemExit: It was interrupted.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        raise interrupted(code) from error


def interrupted(code: int = INTERRUPTED) -> SystemExit:
    """Say that the command was interrupted, and return the end of the program."""
    ignore_requests()
    say("interrupted")
    return SystemExit(code)


def take_requests() -> None:
    """Take requests to end from now on, until the process has ended.

    Raises:
        SystemExit: It was interrupted meanwhile.
    """
    with ending_if_interrupted():
        Interrupts(say).take()
