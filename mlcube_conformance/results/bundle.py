"""A bundle: records of runs with their certificate, report and logs in one archive.

The same files give the same bytes: names are sorted, and times and owners left out.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import tarfile
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.errors import UsageError, Violation
from mlcube_conformance.base.files import is_folder, read_bytes
from mlcube_conformance.base.names import FOLDER
from mlcube_conformance.base.sizes import in_words
from mlcube_conformance.base.text import mask, plain
from mlcube_conformance.results.reading import LARGEST, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["CERTIFICATE", "SUFFIX", "TOP", "bundle", "logs_of"]

SUFFIX = ".tar.gz"
#: Name of the certificate in a bundle.
CERTIFICATE = "certificate.intoto.json"
#: The folder that all members are in.
TOP = "mlcube-conformance-bundle"
#: Bytes of one log, and of all logs.
_LOG, _LOGS = 4_000_000, 64_000_000
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC
_LONGEST = 100


def bundle(records: Sequence[Path], others: Mapping[str, str]) -> bytes:
    """Return the archive.

    Args:
        records: Their files; they are packed as they are, for the certificate to hold.
        others: Further files, such as the certificate: their texts, by name.

    Raises:
        UsageError: One is not a record.
    """
    packed = {name: text.encode() for name, text in others.items()}
    room = _LOGS
    for number, file in enumerate(records, start=1):
        packed[f"records/{number}{file.suffix}"] = _content(file)
        for name, text in logs_of(read_record(file), file, room):
            packed[f"logs/{number}/{name}"] = text
            room -= len(text)
    return _archive(packed)


def _content(file: Path) -> bytes:
    try:
        return read_bytes(file, limit=LARGEST)
    except Violation as violation:
        raise UsageError(*violation.messages) from violation


def _archive(packed: Mapping[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=whole, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(packed):
            entry = tarfile.TarInfo(f"{TOP}/{name}")
            entry.size, entry.mode = len(packed[name]), 0o644
            archive.addfile(entry, io.BytesIO(packed[name]))
    return whole.getvalue()


def logs_of(
    record: Mapping[str, Any], file: Path, room: int = _LOGS
) -> Iterator[tuple[str, bytes]]:
    """Yield the logs of a run: a name that is safe to unpack, and the end of the log.

    Only files in the folder of the run are read, and none through a link. Where values
    were hidden in the record, a log is as the record has it: the file may show them.

    Args:
        record: The record of the run.
        file: Its file, which may be in the folder of the run.
        room: Bytes for all of them.
    """
    folder = _folder_of(record, file)
    taken: set[str] = set()
    for place, tail in _named(record).items():
        parts = _below(place, str(record["run"]))
        text = None
        if folder is not None and parts and not record.get("hides", True):
            text = _end_of(folder, parts, min(_LOG, room))
        if text is None and tail:
            text = "\n".join(["… the end, as the record has it", *tail, ""])
        if text is not None and room > 0:
            data = plain(mask(text)).encode()[:room]
            room -= len(data)
            yield _name(parts or (Path(place).name,), taken), data


def _named(record: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the logs that a record names, with what it has of each."""
    found: dict[str, list[str]] = {}
    for event in (*record["configures"], *record["runs"]):
        for log in event.get("logs", ()):
            found[log["path"]] = log["tail"]
    for each in record["calls"]:
        for name in ("stdout.log", "stderr.log"):
            found.setdefault(f"{each['log']}/{name}", [])
    return found


def _folder_of(record: Mapping[str, Any], file: Path) -> Path | None:
    """Return the folder of a run, where it is still there."""
    run = str(record["run"])
    if not re.fullmatch(r"\w[\w.-]*", run, re.ASCII):
        return None
    if file.absolute().parent.name == run:
        return file.absolute().parent
    places = (Path(str(record["folder"])), Path(tempfile.gettempdir()))
    found = (place / FOLDER / run for place in places)
    return next((each for each in found if is_folder(each)), None)


def _below(place: str, run: str) -> tuple[str, ...]:
    """Return the parts of a path below the folder of a run; none where it is not."""
    parts = Path(place).parts
    if run not in parts or ".." in parts:
        return ()
    return parts[len(parts) - parts[::-1].index(run) :]


def _end_of(folder: Path, parts: tuple[str, ...], room: int) -> str | None:
    """Return the end of a file; None where there is none, or a link on the way."""
    with ExitStack() as stack, suppress(OSError, ValueError):
        at = os.open(folder, _ENTER)
        stack.callback(os.close, at)
        for part in parts[:-1]:
            at = os.open(part, _ENTER, dir_fd=at)
            stack.callback(os.close, at)
        log = os.open(parts[-1], _OPEN, dir_fd=at)
        with os.fdopen(log, "rb") as opened:
            status = os.fstat(log)
            if not stat.S_ISREG(status.st_mode):
                return None
            opened.seek(max(0, status.st_size - room))
            text = opened.read(room).decode("utf-8", "replace")
            if status.st_size > room:
                cut = f"the last {in_words(room)} of {in_words(status.st_size)}"
                text = f"… cut: {cut}\n" + (text.partition("\n")[2] or text)
            return text
    return None


def _name(parts: tuple[str, ...], taken: set[str]) -> str:
    """Return a name that every system can unpack, and nothing else has."""
    safe = (re.sub(r"[^\w.+=@-]", "_", one, flags=re.ASCII) for one in parts)
    name = "/".join(re.sub(r"^[.-]", "_", one)[-_LONGEST:] for one in safe)
    number, found = 1, name
    while found.lower() in taken:
        number += 1
        found = f"{name}.{number}"
    taken.add(found.lower())
    return found
