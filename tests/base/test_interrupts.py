"""A request to end, and another one while the end is under way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from mlcube_conformance.base import process
from mlcube_conformance.base.interrupts import Interrupts, waiting_requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUESTS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def taken() -> Iterator[None]:
    """Handle requests as a run does."""
    interrupts = Interrupts(lambda _: None)
    interrupts.take()
    yield
    interrupts.give_back()


@pytest.mark.usefixtures("taken")
@pytest.mark.parametrize("number", REQUESTS)
def test_a_process_that_starts_when_a_request_comes_is_ended(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    class Popen(subprocess.Popen[bytes]):
        def __init__(self, *words: Any, **more: Any) -> None:  # noqa: ANN401 - its own
            super().__init__(*words, **more)
            begun.append(self.pid)
            os.kill(os.getpid(), number)

    monkeypatch.setattr(subprocess, "Popen", Popen)

    with pytest.raises(KeyboardInterrupt):
        process.run_process(
            [sys.executable, "-c", "import time; time.sleep(60)"],
            stdout=tmp_path / "out",
            stderr=tmp_path / "err",
            timeout=60,
        )

    with pytest.raises(ProcessLookupError):
        os.kill(begun[0], 0)


@pytest.mark.usefixtures("taken")
def test_requests_wait_and_then_count() -> None:
    seen = []
    with pytest.raises(KeyboardInterrupt), waiting_requests():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGTERM)
        seen.append("after the request")
    assert seen == ["after the request"]


def test_no_other_thread_holds_requests() -> None:
    before = [signal.getsignal(each) for each in REQUESTS]
    errors = []

    def work() -> None:
        try:
            with waiting_requests():
                pass
        except ValueError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert errors == []
    assert [signal.getsignal(each) for each in REQUESTS] == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_second_request_in_the_middle_of_a_write_is_told(
    number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    def say(_: str) -> None:
        msg = "reentrant call inside <_io.BufferedWriter>"
        raise RuntimeError(msg)

    interrupts = Interrupts(say)
    interrupts.take()
    try:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
    finally:
        interrupts.give_back()

    assert "stopping the run; interrupt again" in capfd.readouterr().err
