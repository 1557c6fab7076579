"""A request to end, and another one while the end is under way."""

from __future__ import annotations

import os
import signal

import pytest

from mlcube_conformance.base.interrupts import Interrupts


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
