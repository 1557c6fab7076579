"""What is kept of a log of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.cut_log import CutLog
from mlcube_conformance.base.process import run_process
from mlcube_conformance.base.text import tail

if TYPE_CHECKING:
    from pathlib import Path

NOTE = "\n… cut: more than 10 bytes; the end follows …\n"


@pytest.mark.parametrize(
    ("pieces", "limit", "kept"),
    [
        (["abc", "def"], None, "abcdef"),
        (["abcdefghij"], 10, "abcdefghij"),
        (["abcde", "fgh", "ij"], 10, "abcdefghij"),
        (["abcde", "fghij", "k"], 10, f"abcde{NOTE}ghijk"),
        (["abcdefghijklmnopqrstuvwxyz"], 10, f"abcde{NOTE}vwxyz"),
        (list("abcdefghijklmnopqrstuvwxyz"), 10, f"abcde{NOTE}vwxyz"),
        ([], 10, ""),
    ],
)
def test_beginning_and_end_are_kept(
    pieces: list[str], limit: int | None, kept: str, tmp_path: Path
) -> None:
    shown: list[bytes] = []
    with (tmp_path / "log").open("wb", buffering=0) as file:
        log = CutLog(file, limit, shown.append)
        for each in pieces:
            log.add(each.encode())
        log.end()

    assert (tmp_path / "log").read_text(encoding="utf-8") == kept
    assert b"".join(shown).decode() == kept


def test_last_words_of_a_process_that_is_ended_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "trap 'yes last | head -c 300000; echo end; exit' TERM; sleep 100 & wait"

    ended = run_process(["sh", "-c", script], stdout=log, stderr=log, timeout=0.5)

    assert ended.timed_out
    assert tail(log, 1) == ("end",)
    assert log.stat().st_size == 300_004


def test_process_that_got_away_is_not_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "setsid sh -c 'echo $$; exec sleep 20' & sleep 0.3; echo end"

    ended = run_process(["sh", "-c", script], stdout=log, stderr=log, timeout=10)

    assert ended.seconds < 5
    assert tail(log, 1) == ("end",)
