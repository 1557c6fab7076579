"""A program on another host that answers one request after another."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.process import processes_in_session
from mlcube_conformance.runners.places.ssh import agent_session
from mlcube_conformance.runners.places.ssh.agent_session import AgentSession

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


def _running(sessions: list[int]) -> list[int]:
    return [one for each in sessions for one in processes_in_session(each)]


def _said(session: AgentSession, word: str) -> object:
    """Return what is said to a word."""
    answer, _ = session.ask({"say": word}, 30)
    return (answer or {}).get("said")


def _have_ended(sessions: list[int]) -> bool:
    """Say whether all have ended; one that was killed takes a moment."""
    deadline = time.monotonic() + 5
    while _running(sessions) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not _running(sessions)


@pytest.fixture
def sessions() -> list[int]:
    """Return the sessions that were begun."""
    return []


@pytest.fixture
def begin(
    tmp_path: Path, sessions: list[int]
) -> Iterator[Callable[[str], AgentSession]]:
    """Return what starts a program whose loop goes on with some lines."""
    begun: list[AgentSession] = []

    def start(lines: str) -> AgentSession:
        program = _LOOP + "".join(f"    {each}\n" for each in lines.splitlines())
        words = (sys.executable, "-c", program)
        begun.append(AgentSession(words, tmp_path / "errors", sessions.append))
        return begun[-1]

    yield start
    for each in begun:
        each.end()
    assert _have_ended(sessions)


def test_one_program_answers_one_request_after_another(
    begin: Callable[[str], AgentSession], sessions: list[int]
) -> None:
    session = begin('say(answer, "\\n")')

    answers = [session.ask({"say": word}, 30) for word in ("a", "b", _LARGE)]

    assert [ended.exit_code for _, ended in answers] == [0, 0, 0]
    found = [answer or {} for answer, _ in answers]
    assert [each["said"] for each in found] == ["a", "b", _LARGE]
    assert {each["pid"] for each in found} == {*_running(sessions)}


@pytest.mark.parametrize(
    "lines",
    [
        'say("Welcome to this host\\n", answer, "\\n")',
        'say("{}\\n[]\\n7\\n\\n", answer, "\\n")',
        'say(json.dumps({"to": number - 1}), "\\n", answer, "\\n")',
        'say(json.dumps({"to": str(number)}), "\\n", answer, "\\n")',
        'say(json.dumps({"to": number == 1}), "\\n", answer, "\\n")',
        'say("[" * 99999, "\\n", answer, "\\n")',
        'say(answer[:9]); time.sleep(0.2); say(answer[9:], "\\nmore\\n")',
        'os.write(1, b"\\xff\\xfe\\n"); say(answer, "\\n")',
    ],
)
def test_what_else_is_said_is_passed_over(
    lines: str, begin: Callable[[str], AgentSession]
) -> None:
    session = begin(lines)

    assert [_said(session, word) for word in ("a", "b")] == ["a", "b"]


def test_program_that_ends_tells_how(begin: Callable[[str], AgentSession]) -> None:
    for lines, code in (
        ("sys.exit(7)", 7),
        ("sys.exit(0)", 0),
        ("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
    ):
        answer, ended = begin(lines).ask({"say": "a"}, 30)

        assert (answer, ended.exit_code, ended.timed_out) == (None, code, False)


def test_program_that_does_not_read_is_told_by_its_end(
    begin: Callable[[str], AgentSession], sessions: list[int]
) -> None:
    session = begin('say(answer, "\\n"); os.close(0); time.sleep(2); os._exit(3)')
    session.ask({"say": "a"}, 30)

    answer, ended = session.ask({"say": _LARGE}, 30)

    assert (answer, ended.exit_code, _have_ended(sessions)) == (None, 3, True)


def test_no_answer_in_time_ends_the_program_and_what_it_started(
    begin: Callable[[str], AgentSession], sessions: list[int]
) -> None:
    session = begin('subprocess.Popen(["sleep", "60"]); time.sleep(60)')

    started = time.monotonic()
    answer, ended = session.ask({"say": "a"}, 1)

    assert (answer, ended.timed_out, _have_ended(sessions)) == (None, True, True)
    assert time.monotonic() - started < 30


def test_errors_are_those_of_the_last_request(
    begin: Callable[[str], AgentSession], tmp_path: Path
) -> None:
    session = begin('sys.stderr.write(word); sys.stderr.flush(); say(answer, "\\n")')

    for word in ("first", "second"):
        session.ask({"say": word}, 30)
        assert (tmp_path / "errors").read_text("utf-8") == word


def test_interrupt_ends_the_program(
    begin: Callable[[str], AgentSession], sessions: list[int]
) -> None:
    session = begin(f"os.kill({os.getpid()}, signal.SIGINT); time.sleep(60)")

    with pytest.raises(KeyboardInterrupt):
        session.ask({"say": "a"}, 30)

    assert _have_ended(sessions)


def test_interrupt_waits_until_it_has_ended(
    begin: Callable[[str], AgentSession], sessions: list[int]
) -> None:
    session = begin('import atexit; atexit.register(time.sleep, 9); say(answer, "\\n")')
    session.ask({"say": "a"}, 30)

    def end_and_be_interrupted() -> None:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        session.end()

    with pytest.raises(KeyboardInterrupt):
        end_and_be_interrupted()

    assert _have_ended(sessions)


@pytest.mark.parametrize(
    "lines",
    [
        'say(answer, "\\n"); time.sleep(0.1); os._exit(0)',
        'say(answer, "\\n", answer[:9]); time.sleep(0.1); os._exit(0)',
    ],
)
def test_one_that_has_ended_is_followed_by_another(
    lines: str, begin: Callable[[str], AgentSession], sessions: list[int]
) -> None:
    session = begin(lines)

    for word in ("a", "b"):
        assert _said(session, word) == word
        assert _have_ended(sessions)

    assert len(sessions) == 2


def test_answer_without_an_end_is_not_kept(
    begin: Callable[[str], AgentSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_session, "LONGEST", 1_000_000)
    session = begin("while True: say(word)")

    answer, ended = session.ask({"say": "x" * 10_000}, 30)

    assert answer is None
    assert not ended.timed_out


def test_nothing_is_left_of_a_start_that_fails(tmp_path: Path) -> None:
    sessions = []

    def fail(session: int) -> None:
        sessions.append(session)
        raise OSError("disk full")

    words = (sys.executable, "-c", "import time; time.sleep(60)")
    session = AgentSession(words, tmp_path / "errors", fail)

    with pytest.raises(OSError, match="disk full"):
        session.ask({}, 30)

    assert _have_ended(sessions)
