"""The options of the table, as typer takes them."""

from __future__ import annotations

import inspect
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlcube_conformance.options import options_of
from mlcube_conformance.plan.values import hide_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlcube_conformance.option import Option, Taker

__all__ = ["Given", "command_of"]


class Given:
    """What a command line gave, by the names of the options."""

    def __init__(self, taker: Taker, values: dict[str, Any]) -> None:
        """Keep the values, by their keys in the table."""
        self._values = {each: _text(values[each.key]) for each in options_of(taker)}

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


def command_of(taker: Taker, act: Callable[[Given], None]) -> Callable[..., None]:
    """Return a command for typer, with the options that the table says.

    Args:
        taker: Name of the command.
        act: What it does; its docstring is the command's help.
    """

    def command(**values: Any) -> None:  # noqa: ANN401 - as typer read them
        given = Given(taker, values)
        hide_values(given.secrets())
        act(given)

    parameters = [_parameter(each) for each in options_of(taker)]
    command.__name__ = taker
    command.__doc__ = act.__doc__
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


def _text(value: Any) -> Any:  # noqa: ANN401 - as typer read it
    return value.value if isinstance(value, StrEnum) else value


def _parameter(option: Option) -> inspect.Parameter:
    """Return a parameter as typer reads it from a signature."""
    help_text = option.described
    settings: dict[str, Any] = {"help": f"{help_text[:1].upper()}{help_text[1:]}."}
    kind: Any = str | None
    default: Any = None
    if option.is_switch:
        kind, default = bool, False
    elif option.choices:
        names = {each.replace("-", "_"): each for each in option.choices}
        kind = StrEnum(option.key, names) | None  # type: ignore[operator]
    else:
        settings["metavar"] = option.metavar
    if option.repeat:
        kind, default = list[str], []
    if option.required:
        kind, default = str, inspect.Parameter.empty
    return inspect.Parameter(
        option.key,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind, typer.Option(option.name, **settings)],
    )
