"""Files that are written whole, and what is written to as it is."""

from __future__ import annotations

import os
import shutil
from errno import ENOSPC, EXDEV
from pathlib import Path

import pytest

from mlcube_conformance.base.errors import UsageError
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.writing import move_whole, write_whole


@pytest.mark.parametrize(
    "name",
    ["/dev/fd/{}", "/proc/self/fd/{}", "/proc/thread-self/fd/{}", "/proc/{pid}/fd/{}"],
)
@pytest.mark.parametrize("links", [0, 2])
def test_a_file_that_is_open_keeps_what_it_holds(
    tmp_path: Path, name: str, links: int
) -> None:
    file = tmp_path / "log.txt"
    file.write_text("first\n", encoding="utf-8")
    with file.open("ab") as stream:
        named = name.format(stream.fileno(), pid=os.getpid())
        for number in range(links):
            link = tmp_path / f"link{number}.md"
            link.symlink_to(named)
            named = str(link)
        write_whole(given_path(named), "second\n")
        stream.write(b"third\n")

    assert file.read_text(encoding="utf-8") == "first\nsecond\nthird\n"


def test_a_pipe_is_written_to() -> None:
    read, write = os.pipe()
    write_whole(given_path(f"/dev/fd/{write}"), "text")
    os.close(write)

    with os.fdopen(read) as stream:
        assert stream.read() == "text"


@pytest.mark.parametrize("number", ["999", "9" * 9, "9" * 30])
def test_what_is_not_open_is_an_error_of_the_system(number: str) -> None:
    with pytest.raises(OSError, match=r"Bad file descriptor|No such file"):
        write_whole(given_path(f"/dev/fd/{number}"), "text")


def test_a_stream_to_read_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "input.txt"
    file.write_text("input", encoding="utf-8")
    with file.open() as stream, pytest.raises(OSError, match="Bad file descriptor"):
        write_whole(given_path(f"/dev/fd/{stream.fileno()}"), "text")

    assert file.read_text(encoding="utf-8") == "input"


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")

    with pytest.raises(OSError, match="symbolic links"):
        write_whole(tmp_path / "one", "text")


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old", encoding="utf-8")
    (tmp_path / "link").symlink_to("file")

    write_whole(tmp_path / "link", "new")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text(encoding="utf-8") == "new"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "link"]


def test_a_hyphen_is_no_file() -> None:
    with pytest.raises(UsageError) as caught:
        given_path("-", "--md")

    (message,) = caught.value.messages
    assert message.where == "--md"
    assert message.do.startswith("write the path in full, or ./- ")
    assert given_path("./-").name == "-"


def test_a_moved_file_takes_the_place_of_what_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old", encoding="utf-8")
    (tmp_path / "old").chmod(0o600)
    (tmp_path / "link").symlink_to("old")
    (tmp_path / "new").write_text("new", encoding="utf-8")

    move_whole(tmp_path / "new", tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "old").read_text(encoding="utf-8") == "new"
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "old"]


@pytest.mark.parametrize("is_other_disk", [False, True])
def test_a_file_that_cannot_be_moved_stays_as_what_it_would_replace_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_other_disk: bool
) -> None:
    (tmp_path / "old").write_text("old", encoding="utf-8")
    (tmp_path / "new").write_text("new", encoding="utf-8")

    def full(source: Path, target: Path) -> None:
        target.write_text(source.read_text()[:1], encoding="utf-8")
        raise OSError(ENOSPC, "No space left on device")

    def elsewhere(*_: Path) -> None:
        raise OSError(EXDEV if is_other_disk else ENOSPC, "not there")

    monkeypatch.setattr(shutil, "copy2", full)
    monkeypatch.setattr(Path, "rename" if is_other_disk else "replace", elsewhere)
    with pytest.raises(OSError, match=r"No space|not there"):
        move_whole(tmp_path / "new", tmp_path / "old")

    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {
        "old": "old",
        "new": "new",
    }
