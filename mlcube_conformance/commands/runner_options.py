"""The options of the table, as click takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlcube_conformance.options import options_of
from mlcube_conformance.plan.values import hide_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlcube_conformance.option import Option, Taker

__all__ = ["Given", "command_of"]

_CUBE, _ARGUMENT = "--mlcube", "CUBE"


class Given:
    """What a command line gave, by the names of the options."""

    def __init__(
        self, taker: Taker, values: dict[str, Any], words: Mapping[str, str]
    ) -> None:
        """Keep the values, by their keys in the table.

        Args:
            taker: Name of the command.
            values: By the keys of the table.
            words: What the command line calls an option that it has another way.
        """
        self._values = {each: values[each.key] for each in options_of(taker)}
        self._words = words

    def word(self, name: str) -> str:
        """Return what the command line calls an option of the table."""
        return self._words.get(name, name)

    def __call__(self, option: Option) -> object:
        """Return what was given for an option; None or nothing where it was not."""
        return self._values[option]

    def value(self, name: str) -> Any:  # noqa: ANN401 - as its row says
        """Return the value of an option.

        Raises:
            UsageError: It cannot be read.
        """
        option = next(each for each in self._values if each.name == name)
        return option.read(self._values[option])

    def secrets(self) -> list[str]:
        """Return the texts that may hold secrets."""
        found = (self._values[each] for each in self._values if each.secret)
        return [text for texts in found for text in texts]


def command_of(
    taker: Taker,
    act: Callable[[Given], None],
    *,
    short: bool = False,
    epilog: str | None = None,
) -> click.Command:
    """Return a command with the options that the table says.

    Args:
        taker: Name of the command.
        act: What it does; its docstring is the command's help.
        short: Whether the cube is an argument, that of the current folder by default,
            and no platform has to be named.
        epilog: The end of the help.
    """

    def command(**values: Any) -> None:  # noqa: ANN401 - as click read them
        given = Given(taker, values, {_CUBE: _ARGUMENT} if short else {})
        hide_values(given.secrets())
        act(given)

    return click.Command(
        taker,
        callback=command,
        params=[_parameter(each, short=short) for each in options_of(taker)],
        help=act.__doc__,
        epilog=epilog,
    )


def _parameter(option: Option, *, short: bool) -> click.Parameter:
    if short and option.name == _CUBE:
        return click.Argument([option.key], metavar=f"[{_ARGUMENT}]", default=".")
    help_text = option.described
    if short and option.required:
        help_text += " (default: the first that works here)"
    return click.Option(
        [option.name, option.key],
        help=f"{help_text[:1].upper()}{help_text[1:]}.",
        metavar=option.metavar or None,
        is_flag=option.is_switch,
        type=click.Choice(option.choices) if option.choices else None,
        multiple=option.repeat,
        required=option.required and not short,
    )
