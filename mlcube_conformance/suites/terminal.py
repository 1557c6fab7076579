"""Writes to the terminal while pytest captures output."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from mlcube_conformance.base.text import LiveText, mask, plain
from mlcube_conformance.runners.contract import Watch
from mlcube_conformance.suites.live_line import LiveLine
from mlcube_conformance.suites.options import shows_tasks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

__all__ = ["Terminal"]


class Terminal:
    """Writes past pytest's capture; a worker of pytest-xdist has stderr alone."""

    def __init__(self, config: pytest.Config) -> None:
        """Remember where to write."""
        self._config = config
        self._live: list[LiveText] = []
        self._tasks = shows_tasks(config)
        self._line_of_work: LiveLine | None = None
        alone = not hasattr(config, "workerinput") and self._tasks
        if alone and LiveLine.is_possible():
            self._line_of_work = LiveLine()

    def watch(self, *, live: bool, keeps_logs: bool = True) -> Watch:
        """Return a watch that writes there; with `live`, output too."""
        return Watch(
            note=self._line,
            out=self._piece() if live else None,
            err=self._piece() if live else None,
            keeps_logs=keeps_logs,
            begun=self._begin if self._tasks else None,
            is_live=self._line_of_work is not None and not live,
        )

    def end(self) -> None:
        """Take back what is said of work that goes on."""
        if self._line_of_work is not None:
            self._line_of_work.end()

    def _begin(self, what: str, log: Path) -> None:
        if self._line_of_work is not None:
            self._line_of_work.begin(what, log)

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
        self.end()
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
