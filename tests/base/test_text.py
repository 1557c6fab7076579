"""Logs are shown without secrets and without what steers a terminal."""

from __future__ import annotations

import re
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import Message
from mlcube_conformance.base.text import (
    LiveText,
    command_line,
    hide,
    last_lines,
    mask,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:secret@proxy:3128/", "http://***@proxy:3128/"),
        ("http://me:p@ss@proxy", "http://***@proxy"),
        ("http://me:p/ss@proxy", "http://***@proxy"),
        ("https_proxy=me:secret@proxy:3128", "https_proxy=***@proxy:3128"),
        ("HTTP_PROXY=http://me:secret@proxy", "HTTP_PROXY=http://***@proxy"),
        ("to http://host/path and back", "to http://host/path and back"),
        ("mail me@home", "mail me@home"),
        ("http://me:12/34@proxy", "http://me:12/34@proxy"),  # might be a port
        ("http://me:secret@proxy:3128/a@b", "http://***@b"),
        ("docker://ghcr.io/org/img@sha256:0a", "docker://ghcr.io/org/img@sha256:0a"),
        ("docker://img@sha256:0a", "docker://img@sha256:0a"),
        ("docker://me:word@ghcr.io/i@sha256:0", "docker://***@ghcr.io/i@sha256:0"),
        ("docker://host:5000/i@sha256:0a", "docker://host:5000/i@sha256:0a"),
        ("git+https://github.com/a/b@v1", "git+https://github.com/a/b@v1"),
        ("git+https://token@github.com/a/b@v1", "git+https://***@github.com/a/b@v1"),
        ("of http://a:b@c and http://d:e@f", "of http://***@c and http://***@f"),
        ("a_proxy=http://b/,c_proxy=d:e@f", "a_proxy=http://b/,c_proxy=***@f"),
    ],
)
def test_credentials_are_masked(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize("end", ["", "@", "@sha256:0", "@sha256:0 @"])
@pytest.mark.parametrize(
    "part", ["://a:", "://a", "a_proxy=b", "a_proxy=://", "a_", "@", "@sha256:"]
)
def test_what_a_task_says_is_masked_within_a_second(part: str, end: str) -> None:
    text = part * (1024 * 1024 // len(part)) + end
    begun = time.monotonic()

    mask(text)

    assert time.monotonic() - begun < 1


@pytest.fixture
def hidden() -> Iterator[str]:
    """Return a value that is hidden as long as a test runs."""
    hide(["correct horse", "battery\nstaple-in-a-line", "true", "abc", "horse"])
    yield "correct horse"
    hide([])


@pytest.mark.usefixtures("hidden")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the correct horse is", "the *** is"),
        ("a horse is", "a *** is"),
        ("one: battery", "one: ***"),
        ("two: staple-in-a-line", "two: ***"),
        ("true abc", "true abc"),  # of every day, and too short to tell
    ],
)
def test_hidden_values_are_masked(text: str, shown: str) -> None:
    assert mask(text) == shown
    assert last_lines(text) == (shown,)
    assert shown in str(Message(what="a", found=text))


@pytest.mark.parametrize(
    "text",
    [
        "::error::x",
        "  ::add-mask::x",
        "a\n\u00a0\u3000::warning file=a::b",
        "a ##[error]b",
        "##vso[task.complete result=Failed]",
        "\x1b[2J::error::x",
        "\x07::error::x",
    ],
)
def test_nothing_that_is_shown_is_a_command_to_a_ci(text: str) -> None:
    pieces = LiveText(), LiveText()
    by_sign = "".join(pieces[0].add(sign.encode()) for sign in f"{text}\n")
    shown = [
        plain(text),
        str(Message(what=text, found=text, tail=last_lines(text))),
        by_sign,
        pieces[1].add(f"{text}\n".encode()),
    ]

    for each in shown:
        assert not re.search(r"^\s*::|##\w*\[", each, re.MULTILINE), each
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", each)


def test_live_text_ends_with_what_waited() -> None:
    live = LiveText()

    assert (live.add(b"a\n  ::b:"), live.add(b"\n ##"), live.end()) == (
        "a\n  | ::b:",
        "\n ",
        "##",
    )
    assert live.end() == ""


@pytest.mark.parametrize("length", [1, 2, 3, 1000])
@pytest.mark.usefixtures("hidden")
def test_live_text_shows_all_but_what_steers_or_is_hidden(length: int) -> None:
    said = "1%\r2%\r\n\x1b[31mröd\x9b\n: a ## b\n a correct horse\nrest\n".encode()
    live = LiveText()

    shown = "".join(
        live.add(said[at : at + length]) for at in range(0, len(said), length)
    )

    assert shown.replace("\n\n", "\n") == (
        "1%\n2%\n^[[31mröd\\x9b\n: a ## b\n a ***\nrest\n"
    )


@pytest.mark.parametrize(
    "word", ["a b", "a\nb", 'it\'s\n$(x) `y` \\ "z"', "\x1b[2J", "a\tb", "", "é"]
)
def test_command_line_is_one_line_that_a_shell_reads_back(word: str) -> None:
    line = command_line(["printf", "%s", word])

    assert line.isprintable()
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, check=True, timeout=10
    )
    assert done.stdout.decode() == word


def test_last_lines_say_something_and_steer_nothing() -> None:
    text = "first\n\n\x1b[31mred\x1b[0m\x07\n\x1b]0;title\x07end\n   \n"

    assert last_lines(text, 2) == ("red", "end")


def test_message_cannot_steer_a_terminal() -> None:
    assert str(Message(what="a", found="\x1b[2Jb\x9bc")) == "a\n  found:    bc"
