"""Bundles: what is packed, what is not, and that they verify."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from mlcube_conformance.base import text as base_text
from mlcube_conformance.results.bundle import logs_of
from tests.command import call
from tests.records import record_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cube_folders import CubeFolder

    Run = Callable[..., pytest.RunResult]

_TOP = "mlcube-conformance-bundle/"


@pytest.fixture
def place(fake_cube: CubeFolder, run_fake: Run) -> Path:
    """Return a folder with a cube, and the record of its run."""
    run_fake("--record", "record.json", "--keep", "all")
    return fake_cube.root.parent


def _members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        return {
            entry.name.removeprefix(_TOP): opened.read()
            for entry in archive
            if (opened := archive.extractfile(entry))
        }


def test_bundle_has_all_that_others_need_and_verifies(place: Path) -> None:
    file = place / "tiny.tar.gz"

    done = call("certify", place / "record.json", "--bundle", file)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    found = _members(file)
    logs = {each for each in found if each.startswith("logs/")}
    assert "logs/1/tiny/fake/configure.log" in logs
    assert found.keys() - logs == {
        *("certificate.intoto.json", "records/1.json", "report.html", "report.md"),
    }
    assert found["records/1.json"] == (place / "record.json").read_bytes()
    assert b"configuring tiny" in found["logs/1/tiny/fake/configure.log"]
    (place / "record.json").unlink()
    held = call("verify", file)
    assert held.returncode == 0, held.stdout + held.stderr
    assert held.stdout.splitlines()[:2] == [
        *(f"holds: record {file}/records/1.json", "holds: verdicts"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("--output", "record.json"),
        ("--bundle", "link.tar.gz"),
        ("--bundle", "b.tar.gz", "--output", "./b.tar.gz"),
    ],
)
def test_no_output_replaces_a_record_or_the_other(
    words: tuple[str, ...], place: Path
) -> None:
    (place / "link.tar.gz").symlink_to("record.json")
    before = (place / "record.json").read_bytes()

    done = call("certify", "record.json", *words, place=place)

    assert (done.returncode, done.stdout) == (2, "")
    assert "would replace" in done.stderr
    assert (place / "record.json").read_bytes() == before
    assert not (place / "b.tar.gz").exists()


def test_same_run_gives_the_same_bytes(place: Path) -> None:
    files = [place / "a.tar.gz", place / "b.tar.gz"]
    for file in files:
        assert call("certify", place / "record.json", "--bundle", file).returncode == 0
        for log in place.rglob("*.log"):
            os.utime(log, (1, 1))

    one, two = (hashlib.sha256(each.read_bytes()).hexdigest() for each in files)
    assert one == two
    with tarfile.open(files[0]) as archive:
        entries = archive.getmembers()
    assert [each.name for each in entries] == sorted(each.name for each in entries)
    assert {(e.mtime, e.uid, e.gid, e.uname, e.mode) for e in entries} == {
        (0, 0, 0, "", 0o644)
    }


def test_bundle_of_which_a_byte_changed_does_not_verify(place: Path) -> None:
    file = place / "tiny.tar.gz"
    assert call("certify", place / "record.json", "--bundle", file).returncode == 0
    whole = bytearray(gzip.decompress(file.read_bytes()))
    at = whole.index(b'"verdict": "passed"')
    whole[at + 12 : at + 18] = b"failed"
    file.write_bytes(gzip.compress(bytes(whole)))

    done = call("verify", file)

    assert done.returncode == 1
    assert f"changed: record {file}/records/1.json" in done.stdout


def _run_folder(place: Path) -> Path:
    (folder,) = (x for x in (place / ".mlcube-conformance").iterdir() if x.is_dir())
    return folder


def _record_of_logs(place: Path, *paths: str, **more: str) -> dict[str, Any]:
    """Return the record of the run, with other logs."""
    record = record_in(place)
    logs = [{"name": "x", "path": each, "bytes": 1, "tail": []} for each in paths]
    return {**record, "configures": [{"logs": logs}], "runs": [], "calls": [], **more}


def test_only_logs_in_the_folder_of_the_run_are_packed(
    place: Path, tmp_path: Path
) -> None:
    folder = _run_folder(place)
    (tmp_path / "secret.log").write_text("secret")
    (folder / "in").mkdir()
    (folder / "in/good.log").write_text("good")
    (folder / "link.log").symlink_to(tmp_path / "secret.log")
    (folder / "out").symlink_to(tmp_path)
    (folder / "folder.log").mkdir()
    os.mkfifo(folder / "pipe.log")
    record = _record_of_logs(
        place,
        str(tmp_path / "secret.log"),
        "/etc/passwd",
        "secret.log",
        f"{folder}/../../../secret.log",
        f"{folder}/in/../../{folder.name}/in/good.log",
        *(f"{folder}/{x}.log" for x in ("link", "out/secret", "folder", "pipe", "no")),
        f"{folder}/in/\0.log",
        str(folder),
        f"{folder}/in/good.log",
    )

    found = [*logs_of(record, place / "record.json")]

    assert found == [("in/good.log", b"good")]


def test_folder_of_a_run_that_is_named_oddly_is_not_read(
    place: Path, tmp_path: Path
) -> None:
    (tmp_path / "x.log").write_text("secret")
    for run in ("..", ".", "", "/", f"../../{tmp_path.name}"):
        record = _record_of_logs(place, str(tmp_path / "x.log"), run=run)
        assert [*logs_of(record, place / "record.json")] == []


def test_names_are_safe_to_unpack(place: Path) -> None:
    folder = _run_folder(place)
    odd = ["-rf.log", ".hidden.log", "a:b\\c.log", "a_b_c.log", "new\nline\x1b.log"]
    odd += ["A_B_c.log", "c\u0308.log", "x" * 200 + ".log", "\udcff.log"]
    for each in odd:
        (folder / each).write_text(ascii(each))
    record = _record_of_logs(place, *(f"{folder}/{each}" for each in odd))

    found = dict(logs_of(record, place / "record.json"))

    assert [*found] == [
        *("_rf.log", "_hidden.log", "a_b_c.log", "a_b_c.log.2", "new_line_.log"),
        *("A_B_c.log.3", "c_.log", "x" * 96 + ".log", "_.log"),
    ]
    assert [each.decode() for each in found.values()] == [*map(ascii, odd)]


def test_large_log_is_cut_and_says_so(place: Path) -> None:
    folder = _run_folder(place)
    with (folder / "large.log").open("wb") as file:
        file.truncate(200_000_000)
        file.seek(0, os.SEEK_END)
        file.write(b"\nthe end\n")
    record = _record_of_logs(place, f"{folder}/large.log", f"{folder}/large.log/x")

    ((_, text),) = logs_of(record, place / "record.json")
    small = [*logs_of(record, place / "record.json", 1000)]

    assert text.startswith("… cut: the last 4.0 MB of 200 MB\n".encode())
    assert text.endswith(b"the end\n")
    assert len(small) == 1
    assert len(small[0][1]) <= 1000
    assert [*logs_of(record, place / "record.json", 0)] == []


def test_value_that_the_record_hides_is_in_no_log(
    fake_cube: CubeFolder, run_fake: Run
) -> None:
    place = fake_cube.root.parent
    run_fake("--record", "record.json", "--keep", "all", "--env", "KEY=SECRETVALUE")
    (folder,) = (x for x in (place / ".mlcube-conformance").iterdir() if x.is_dir())
    for log in folder.rglob("*.log"):
        log.write_text("the key is SECRETVALUE\n")

    done = call("certify", place / "record.json", "--bundle", place / "a.tar.gz")

    assert done.returncode == 0, done.stderr
    found = _members(place / "a.tar.gz")
    assert not [name for name, text in found.items() if b"SECRETVALUE" in text]
    assert b"as the record has it" in found["logs/1/tiny/fake/configure.log"]


def test_passwords_and_escapes_in_a_log_are_not_packed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_text, "_hidden", [])
    folder = _run_folder(place)
    text = "from https://me:PASSWORD@host/x\n\x1b[31mred\x1b[0m\n::error::taken\n"
    (folder / "a.log").write_text(text)

    ((_, found),) = logs_of(
        _record_of_logs(place, f"{folder}/a.log"), place / "record.json"
    )

    assert b"PASSWORD" not in found
    assert b"\x1b" not in found
    assert b"\n::error::" not in found


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.zip", "the format of the bundle is unknown"),
        ("/dev/full/a.tar.gz", "a.tar.gz cannot be written"),
    ],
)
def test_bundle_that_cannot_be_written_is_told(
    name: str, says: str, place: Path
) -> None:
    done = call("certify", place / "record.json", "--bundle", place / name)

    assert done.returncode == 2
    assert says in done.stderr


def _archive(**members: bytes) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            if content == b"link":
                entry.type, entry.size, entry.linkname = (
                    tarfile.SYMTYPE,
                    0,
                    "/etc/hosts",
                )
            archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no archive", id="text"),
        pytest.param(gzip.compress(b"no archive"), id="packed text"),
        pytest.param(_archive(), id="empty archive"),
        pytest.param(
            _archive(**{f"{_TOP}certificate.intoto.json": b"{}"}), id="no record"
        ),
        pytest.param(
            _archive(**{f"{_TOP}certificate.intoto.json": b"link"}), id="link"
        ),
        pytest.param(
            _archive(**{f"{_TOP}../../etc/x": b"", f"{_TOP}records/1.json": b"{}"}),
            id="names",
        ),
        pytest.param(_archive(x=b"0" * 100_000)[:-50], id="cut off"),
    ],
)
def test_what_is_no_bundle_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.tar.gz"
    file.write_bytes(content)

    done = call("verify", file)

    assert done.returncode == 2
    assert "not a bundle" in done.stderr
    assert "Traceback" not in done.stderr


def test_bundle_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("x")
    entry.size = 10**13
    file = tmp_path / "x.tar.gz"
    file.write_bytes(gzip.compress(entry.tobuf() + b"0" * 1024))

    done = call("verify", file)

    assert done.returncode == 2
    assert "over 2.0 GB" in done.stderr


def _header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type, entry.size = kind, size
    return entry.tobuf(tarfile.GNU_FORMAT)


_RECORD = f"{_TOP}records/1.json"
_LONG_NAME = _header("x", 4, tarfile.GNUTYPE_LONGNAME) + b"abc".ljust(512, b"\0")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (_header("x", 2**31, tarfile.XHDTYPE), "a header of more than 1.0 MB"),
        (_header("x", 2**31, tarfile.GNUTYPE_LONGNAME), "a header of more than 1.0 MB"),
        # Some versions of Python find it first.
        (
            _header("x", -1024),
            "(a member that begins before|invalid offset)",
        ),
        (_LONG_NAME * 2000, "maximum recursion depth"),
        (_header("x", 0) * 20_001, "more than 20000 members"),
        (_header(_RECORD, 1_900_000_000), "records/1.json has more than 537 MB"),
        (_header(_RECORD, 0) * 2, "records/1.json twice"),
        (_header(_RECORD, 0) + _header(f"{_RECORD}l", 0), "records/1.jsonl twice"),
    ],
    ids=["pax", "name", "back", "chain", "many", "large", "twice", "both"],
)
def test_archive_made_to_do_harm_is_refused(
    content: bytes, found: str, tmp_path: Path
) -> None:
    file = tmp_path / "x.tar.gz"
    file.write_bytes(gzip.compress(content + b"\0" * 1024))

    done = call("verify", file, timeout=30)

    assert done.returncode == 2
    assert "not a bundle" in done.stderr
    assert re.search(f"found:    {found}", done.stderr)


def test_bundle_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.tar.gz")

    done = call("verify", tmp_path / "x.tar.gz", timeout=30)

    assert (done.returncode, "not a plain file" in done.stderr) == (2, True)


def test_bundle_of_two_runs_has_both_records(place: Path, run_fake: Run) -> None:
    run_fake("--record", "second.json")
    words = ("certify", place / "record.json", place / "second.json", "--bundle")

    assert call(*words, place / "a.tar.gz").returncode == 0

    found = _members(place / "a.tar.gz")
    assert {"records/1.json", "records/2.json"} <= found.keys()
    assert call("verify", place / "a.tar.gz").returncode == 0
    configuration = json.loads(found["certificate.intoto.json"])["predicate"]
    assert len(configuration["configuration"]) == 2
