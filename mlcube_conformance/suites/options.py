"""The options of the table, as pytest takes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mlcube_conformance.options import option, options_of
from mlcube_conformance.plan.values import hide_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pytest

    from mlcube_conformance.option import Option, Taker

__all__ = [
    "add_options",
    "asker",
    "given_words",
    "idle_option",
    "option_of",
    "shows_tasks",
]

#: Variable with the default of `--terminal`.
_TERMINAL = "MLCUBE_CONFORMANCE_TERMINAL"
_SUBJECTS: dict[str, str] = {"cube": "a cube", "runner": "a runner"}


def add_options(add: Callable[..., None], *, asking: bool) -> None:
    """Declare options of the table.

    Args:
        add: Declares one, as argparse does.
        asking: Whether to declare those that ask for a suite, or the others, which
            have everyday names.
    """
    for each in options_of("cube", "runner"):
        if each.asks is asking:
            add(each.name, dest=each.destination, **_settings(each))


def _settings(declared: Option) -> dict[str, Any]:
    settings: dict[str, Any] = {"help": declared.described}
    if declared.is_switch:
        return {**settings, "action": "store_true"}
    if declared.choices:
        return {**settings, "choices": declared.choices}
    settings["metavar"] = declared.metavar
    return {
        **settings,
        **({"action": "append", "default": []} if declared.repeat else {}),
    }


def _value(config: pytest.Config, name: str, suite: Taker) -> Any:  # noqa: ANN401 - as its row says
    """Return the value of an option.

    Raises:
        UsageError: It cannot be read.
    """
    declared = option(name, suite)
    return declared.read(config.getoption(declared.destination))


def shows_tasks(config: pytest.Config) -> bool:
    """Say whether the terminal shows a line for each task of a cube."""
    given = config.getoption("mlcube_terminal", None) or os.environ.get(_TERMINAL)
    shown = given or asker(config, "cube")("--terminal")
    return bool(config.getoption("mlcube_cube", None)) and shown == "tasks"


def asker(config: pytest.Config, suite: Taker) -> Callable[[str], Any]:
    """Return what returns the value of an option of a suite, by its name.

    Values that may be secrets are hidden from now on.
    """
    secret = [each.destination for each in options_of(suite) if each.secret]
    hide_values([text for each in secret for text in config.getoption(each)])
    return lambda name: _value(config, name, suite)


def given_words(config: pytest.Config, declared: Option) -> Iterator[str | None]:
    """Yield the values that were given for an option; None for a switch."""
    given = config.getoption(declared.destination, None)
    if given is True:
        yield None
    elif isinstance(given, (str, list)):
        for each in [given] if isinstance(given, str) else given:
            yield each.partition("=")[0] if declared.secret else each


def option_of(word: str) -> str:
    """Return the option of the table that a word of a command line gives, or ""."""
    name = word.partition("=")[0]
    known = (each.name for each in options_of("cube", "runner") if not each.asks)
    return name if name in known else ""


def idle_option(given: Callable[[Option], object], asked: Iterable[str] = ()) -> str:
    """Say which option that is given would do nothing, and why; "" where all do.

    Args:
        given: Returns the value of an option.
        asked: What asks for a suite: `--cube`, `--runner`, or neither.
    """
    asking = [each for each in options_of("cube", "runner") if each.asks]
    present = [each for each in asking if each.name in asked]
    for each in options_of("cube", "runner"):
        suites = {*each.takers} & {*_SUBJECTS}
        idle = not any(suites & {*one.takers} for one in present)
        if each.asks or not idle or given(each) in (None, False, []):
            continue
        by = [one for one in asking if suites & {*one.takers}]
        needed = " or ".join(_SUBJECTS[one.takers[0]] for one in by)
        if present:
            other = f"{present[0].name} names none: leave it out"
            return f"{each.name} needs {needed}, and {other}"
        how = " or ".join(f"{one.name} {one.metavar}" for one in by)
        return f"{each.name} needs {needed}: give {how}"
    return ""
