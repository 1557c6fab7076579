"""Every option of every command line, each once: adding one is adding a row.

From this table come the options of pytest and of the runners' command lines, the
values that runners take, the line `again:`, the words that are sent to a host, the
refusal of options that would do nothing, and the page `docs/options.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.options.subjects import SUBJECTS
from mlcube_conformance.options.suites import SUITES
from mlcube_conformance.options.work import WORK
from mlcube_conformance.runners.contract import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlcube_conformance.option import Option, Taker

__all__ = [
    "OPTIONS",
    "option",
    "options_of",
    "runner_options",
]

OPTIONS: tuple[Option, ...] = (*SUBJECTS, *WORK, *SUITES)


def options_of(*takers: Taker) -> Iterator[Option]:
    """Yield the options that any of these takes, in the order of the table."""
    return (each for each in OPTIONS if {*takers} & {*each.takers})


def option(name: str, taker: Taker) -> Option:
    """Return an option of a suite or a command, by its name."""
    return next(each for each in options_of(taker) if each.name == name)


def runner_options(
    taker: Taker, given: Callable[[Option], object], *, names_image: bool = False
) -> Options:
    """Return what the command line asks of a runner.

    Args:
        taker: The suite or the command.
        given: Returns what was given for an option; None or nothing where it was not.
        names_image: See `Options`.

    Raises:
        UsageError: A value is invalid.
    """
    found = {
        each.goes_to: each.read(given(each))
        for each in options_of(taker)
        if each.goes_to
    }
    return Options(names_image=names_image, **found)  # type: ignore[arg-type]
