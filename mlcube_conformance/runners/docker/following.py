"""Follows a container: its output goes to files while somebody waits for its end."""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import requests
from docker.errors import APIError

from mlcube_conformance.base.cut_log import CutLog
from mlcube_conformance.base.process import END_WITHIN
from mlcube_conformance.runners.work import (
    HEARTBEAT,
    asked_after,
    log_not_kept,
    waiting_for,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import docker

    from mlcube_conformance.runners.contract import RunRequest

__all__ = ["Follower"]

#: Seconds for the last output to arrive after a container has ended.
_LAST_OUTPUT = 10
#: Seconds within which a container ends that was killed.
_KILLED_WITHIN = 60


class Follower:
    """Writes a container's output to files while somebody waits for its end."""

    def __init__(self, api: docker.APIClient, name: str, request: RunRequest) -> None:
        """Attach to a container that was created and not started yet."""
        self._api = api
        self._name = name
        self._request = request
        self._trouble: Exception | None = None
        # Attached before the start, so nothing said early is lost.
        self._stream = api.attach(
            name, stdout=True, stderr=True, stream=True, demux=True
        )
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        request = self._request
        try:
            with (
                request.stdout.open("wb", buffering=0) as stdout,
                request.stderr.open("wb", buffering=0) as stderr,
            ):
                limit = request.options.max_log_size
                logs = (
                    CutLog(stdout, limit, request.watch.out),
                    CutLog(stderr, limit, request.watch.err),
                )
                try:
                    for pieces in self._stream:
                        self._keep(logs, pieces)
                finally:
                    self._end(logs)
        except (requests.RequestException, OSError, ValueError) as error:
            # A ValueError is how the library says that its stream was cut.
            self._give_up(error)
            with suppress(requests.RequestException, OSError, ValueError):
                for _ in self._stream:
                    pass  # A daemon ends no container whose output waits.

    def _keep(self, logs: Sequence[CutLog], pieces: Sequence[bytes | None]) -> None:
        """Write down a piece of each stream; after a fault, let it go."""
        try:
            for log, piece in zip(logs, pieces, strict=True):
                if piece and self._trouble is None:
                    log.add(piece)
        except OSError as error:
            self._give_up(error)

    def _end(self, logs: Sequence[CutLog]) -> None:
        if self._trouble is None:
            for each in logs:
                each.end()

    def _give_up(self, error: Exception) -> None:
        """End the container: what it says from now on would be lost."""
        self._trouble = error
        threading.Thread(target=self._kill, daemon=True).start()

    def _kill(self) -> None:
        with suppress(APIError, requests.RequestException):
            self._api.kill(self._name)

    def wait(self, timeout: float) -> bool:
        """Wait for the end; kill at the deadline and say so by True."""
        started = time.monotonic()
        deadline = started + timeout
        after = asked_after(self._request)
        ask = math.inf if after is None else started + after
        timed_out = False
        waiting = waiting_for(self._request, self._request.stdout)
        gauge = self._request.gauge
        while True:
            now = time.monotonic()
            if now >= ask:
                ask, deadline = math.inf, now + END_WITHIN
                with suppress(APIError):  # it may have ended by itself just now
                    self._api.kill(self._name, signal="SIGTERM")
            left = min(deadline, ask) - now
            if deadline - now <= 0 and not timed_out:
                timed_out = True
                with suppress(APIError):  # it may have ended by itself just now
                    self._api.kill(self._name)
            try:
                pause = HEARTBEAT if timed_out else min(HEARTBEAT, max(left, 0.01))
                pause = min(pause, gauge.pause) if gauge else pause
                self._api.wait(self._name, timeout=pause)  # type: ignore[arg-type]
                break
            except (requests.ConnectionError, requests.ReadTimeout):
                # So the library says that the time of one wait is over; a daemon
                # that is gone raises out of this look.
                if not self._api.inspect_container(self._name)["State"]["Running"]:
                    break  # A daemon may forget who waits.
                if time.monotonic() > deadline + _KILLED_WITHIN:
                    message = f"the container runs on {_KILLED_WITHIN} s after its kill"
                    raise requests.ReadTimeout(message) from None
                if waiting(time.monotonic() - started):
                    with suppress(APIError):
                        self._api.kill(self._name)
        self._thread.join(_LAST_OUTPUT)
        if self._trouble is not None:
            raise log_not_kept(self._request, str(self._trouble)) from self._trouble
        return timed_out
