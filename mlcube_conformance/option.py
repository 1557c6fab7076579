"""What one option is, for all command lines that take it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Forward", "Option", "Taker"]

Taker = Literal["cube", "runner", "configure", "run", "clean"]
"""What takes an option: a suite of tests, or a command of a runner."""
Forward = Literal["", "words", "variables"]
"""How an option reaches a runner on another host.

Not at all, or by a way of its own; as words of its command line; as variables of its
process, since others on that host see command lines.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option, for all that take it."""

    name: str
    """As it is written: `--env`."""
    takers: tuple[Taker, ...]
    help: str
    """A noun phrase, or for a switch what it does."""
    metavar: str = ""
    """What its value is called; "" for a switch, or where there are choices."""
    choices: tuple[str, ...] = ()
    repeat: bool = False
    """Whether it may be given several times."""
    required: bool = False
    default: str | None = None
    """Text that stands for an option that is not given; None where there is none."""
    variable: str = ""
    """Variable of this process that stands before `default`."""
    without: str = ""
    """What happens without the option, where `default` does not say it."""
    asks: bool = False
    """Whether it asks for a suite, rather than changing how one runs."""
    again: bool = True
    """Whether findings may depend on it: if so, `again:` repeats it."""
    secret: bool = False
    """Whether its values may be secrets: what follows the first `=`."""
    parse: Callable[[str, Any], object] | None = None
    """Reads a value that is given; takes the option's name and the text or texts."""
    goes_to: str = ""
    """Field of `runners.contract.Options` that it sets."""
    forward: Forward = ""

    @property
    def destination(self) -> str:
        """What pytest calls the value."""
        return f"mlcube_{self.key}"

    @property
    def key(self) -> str:
        """The name as an identifier: `build_arg`."""
        return self.name[2:].replace("-", "_")

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value."""
        return not self.metavar and not self.choices

    @property
    def described(self) -> str:
        """The help text, with whether it can be repeated and what it defaults to."""
        default = self.without or self.default
        if self.variable:
            default = f"${{{self.variable}}}, else {default}"
        notes = ["repeatable"] if self.repeat else []
        notes += [f"default: {default}"] if default else []
        return f"{self.help} ({'; '.join(notes)})" if notes else self.help

    def read(self, given: Any) -> object:  # noqa: ANN401 - as the command line has it
        """Return the value of what was given, or of the default.

        Raises:
            UsageError: It cannot be read.
        """
        text = given
        if text is None:
            text = os.environ.get(self.variable) or self.default
        if self.parse is None or text is None:
            return text
        return self.parse(self.name, text)
