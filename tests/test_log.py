"""Logs are shown without secrets and without what steers a terminal."""

from __future__ import annotations

import pytest

from mlcube_conformance.errors import Message
from mlcube_conformance.log import last_lines, mask


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
    ],
)
def test_credentials_are_masked(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_last_lines_say_something_and_steer_nothing() -> None:
    text = "first\n\n\x1b[31mred\x1b[0m\x07\n\x1b]0;title\x07end\n   \n"

    assert last_lines(text, 2) == ("red", "end")


def test_message_cannot_steer_a_terminal() -> None:
    assert str(Message(what="a", found="\x1b[2Jb\x9bc")) == "a\n  found:    bc"
