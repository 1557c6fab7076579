"""A line at the end of a terminal that says what runs now, and goes when it ends."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from mlcube_conformance.base.text import mask, tail, visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["LiveLine"]

_STDOUT, _PER_SECOND = 1, 2


class LiveLine:
    """What runs now, for how long, and the last line of its log."""

    def __init__(self) -> None:
        """Keep a way to the terminal: pytest takes the output of tests away."""
        self._terminal = os.dup(_STDOUT)
        self._end: Callable[[], None] | None = None

    @staticmethod
    def is_possible() -> bool:
        """Say whether the output goes to a terminal that can take a line back."""
        with suppress(OSError):
            return os.isatty(_STDOUT) and os.environ.get("TERM", "dumb") != "dumb"
        return False

    def begin(self, what: str, log: Path) -> None:
        """Show that work has begun."""
        from rich.console import Console  # noqa: PLC0415 - a tenth of a second
        from rich.live import Live  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        self.end()
        began = time.monotonic()

        def text() -> Text:
            seconds = time.monotonic() - began
            last = "".join(f"   {visible(mask(line))}" for line in tail(log, 1))
            told = f"  {visible(what)} {seconds:.0f} s{last}"
            return Text(told, style="dim", no_wrap=True, overflow="ellipsis")

        file = os.fdopen(os.dup(self._terminal), "w", encoding="utf-8")
        live = Live(
            console=Console(file=file, force_terminal=True, highlight=False),
            get_renderable=text,
            refresh_per_second=_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

        def end() -> None:
            with suppress(OSError):  # the terminal may be gone
                live.stop()
            with suppress(OSError):
                file.close()

        self._end = end
        with suppress(OSError):
            live.start(refresh=True)

    def end(self) -> None:
        """Take the line back, if there is one."""
        end, self._end = self._end, None
        if end is not None:
            end()
