"""A program that was started once answers one request after another."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.process import processes_in_session
from mlcube_conformance.runners.places.ssh.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LOOP = """
import json, os, signal, subprocess, sys, time

def say(*words):
    sys.stdout.write("".join(words))
    sys.stdout.flush()

for line in sys.stdin:
    asked = json.loads(line)
    number, word = asked["number"], asked["say"]
    answer = json.dumps({"to": number, "pid": os.getpid(), "said": word})
"""
#: Enough for no pipe to hold it.
_LARGE = "x" * 2_000_000


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[str], Standing]]:
    """Return what starts a program whose loop goes on with some lines."""
    begun: list[Standing] = []
    sessions: list[int] = []

    def start(lines: str) -> Standing:
        program = _LOOP + "".join(f"    {each}\n" for each in lines.splitlines())
        words = (sys.executable, "-c", program)
        begun.append(Standing(words, tmp_path / "errors", sessions.append))
        return begun[-1]

    yield start
    for each in begun:
        each.end()
        assert not each.answers
    assert not [one for each in sessions for one in processes_in_session(each)]


def test_one_program_answers_one_request_after_another(
    begin: Callable[[str], Standing],
) -> None:
    standing = begin('say(answer, "\\n")')

    answers = [standing.ask({"say": word}, 30) for word in ("a", "b", _LARGE)]

    assert [ended.exit_code for _, ended in answers] == [0, 0, 0]
    found = [answer or {} for answer, _ in answers]
    assert [each["said"] for each in found] == ["a", "b", _LARGE]
    assert len({each["pid"] for each in found}) == 1
    assert standing.answers


@pytest.mark.parametrize(
    "lines",
    [
        'say("Welcome to this host\\n", answer, "\\n")',
        'say("{}\\n[]\\n7\\n\\n", answer, "\\n")',
        'say(json.dumps({"to": number - 1}), "\\n", answer, "\\n")',
        'say(json.dumps({"to": str(number)}), "\\n", answer, "\\n")',
        'say(answer[:9]); time.sleep(0.2); say(answer[9:], "\\nmore\\n")',
        'os.write(1, b"\\xff\\xfe\\n"); say(answer, "\\n")',
    ],
)
def test_what_else_is_said_is_passed_over(
    lines: str, begin: Callable[[str], Standing]
) -> None:
    standing = begin(lines)

    for word in ("a", "b"):
        answer, _ = standing.ask({"say": word}, 30)
        assert answer is not None
        assert answer["said"] == word


def test_program_that_ends_tells_how(begin: Callable[[str], Standing]) -> None:
    for lines, code in (
        ("sys.exit(7)", 7),
        ("sys.exit(0)", 0),
        ("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
    ):
        answer, ended = begin(lines).ask({"say": "a"}, 30)

        assert (answer, ended.exit_code, ended.timed_out) == (None, code, False)


def test_program_that_does_not_read_is_told_by_its_end(
    begin: Callable[[str], Standing],
) -> None:
    standing = begin('say(answer, "\\n"); os.close(0); time.sleep(0.2); os._exit(3)')
    standing.ask({"say": "a"}, 30)

    answer, ended = standing.ask({"say": _LARGE}, 30)

    assert (answer, ended.exit_code, standing.answers) == (None, 3, False)


def test_no_answer_in_time_ends_the_program_and_what_it_started(
    begin: Callable[[str], Standing],
) -> None:
    standing = begin('subprocess.Popen(["sleep", "60"]); time.sleep(60)')

    started = time.monotonic()
    answer, ended = standing.ask({"say": "a"}, 1)

    assert (answer, ended.timed_out, standing.answers) == (None, True, False)
    assert time.monotonic() - started < 30


def test_errors_are_those_of_the_last_request(
    begin: Callable[[str], Standing], tmp_path: Path
) -> None:
    standing = begin('sys.stderr.write(word); sys.stderr.flush(); say(answer, "\\n")')

    for word in ("first", "second"):
        standing.ask({"say": word}, 30)
        assert (tmp_path / "errors").read_text("utf-8") == word


def test_interrupt_ends_the_program(begin: Callable[[str], Standing]) -> None:
    standing = begin(f"os.kill({os.getpid()}, signal.SIGINT); time.sleep(60)")

    with pytest.raises(KeyboardInterrupt):
        standing.ask({"say": "a"}, 30)

    assert not standing.answers


def test_interrupt_while_it_ends_leaves_it_to_be_ended_again(
    begin: Callable[[str], Standing],
) -> None:
    standing = begin(
        'import atexit; atexit.register(time.sleep, 9); say(answer, "\\n")'
    )
    standing.ask({"say": "a"}, 30)

    def end_and_be_interrupted() -> None:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        standing.end()

    with pytest.raises(KeyboardInterrupt):
        end_and_be_interrupted()

    assert not standing.answers
    started = time.monotonic()
    standing.end()
    assert time.monotonic() - started < 8


def test_nothing_is_left_of_a_start_that_fails(tmp_path: Path) -> None:
    sessions = []

    def fail(session: int) -> None:
        sessions.append(session)
        raise OSError("disk full")

    words = (sys.executable, "-c", "import time; time.sleep(60)")
    standing = Standing(words, tmp_path / "errors", fail)

    with pytest.raises(OSError, match="disk full"):
        standing.ask({}, 30)

    assert not standing.answers
    assert not [*processes_in_session(sessions[0])]
