"""Writes to the terminal while pytest captures output."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from mlcube_conformance.base.text import LiveText, mask, plain
from mlcube_conformance.runners.contract import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

__all__ = ["Terminal"]


class Terminal:
    """Writes past pytest's capture; a worker of pytest-xdist has stderr alone."""

    def __init__(self, config: pytest.Config) -> None:
        """Remember where to write."""
        self._config = config
        self._live: list[LiveText] = []

    def watch(self, *, live: bool, keeps_logs: bool = True) -> Watch:
        """Return a watch that writes there; with `live`, output too."""
        return Watch(
            note=self._line,
            out=self._piece() if live else None,
            err=self._piece() if live else None,
            keeps_logs=keeps_logs,
        )

    def _line(self, text: str) -> None:
        waiting = "".join(each.end() for each in self._live)
        if waiting:
            self._write(waiting, fresh=False)
        self._write(f"mlcube: {plain(mask(text))}\n", fresh=True)

    def _piece(self) -> Callable[[bytes], None]:
        live = LiveText()
        self._live.append(live)
        return lambda piece: self._write(live.add(piece), fresh=False)

    def _write(self, text: str, *, fresh: bool) -> None:
        with suppress(OSError):  # the terminal may be gone
            self._write_past_capture(text, fresh=fresh)

    def _write_past_capture(self, text: str, *, fresh: bool) -> None:
        capture = self._config.pluginmanager.getplugin("capturemanager")
        if capture is None:
            self._print(text, fresh=fresh)
            return
        with capture.global_and_fixture_disabled():
            self._print(text, fresh=fresh)

    def _print(self, text: str, *, fresh: bool) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is None or hasattr(self._config, "workerinput"):
            sys.stderr.write(text)
            sys.stderr.flush()
            return
        if fresh:
            reporter.ensure_newline()
            writer = self._config.get_terminal_writer()
            if writer.width_of_current_line:
                writer.line()  # behind the dots of a quiet run
        reporter.write(text, flush=True)
