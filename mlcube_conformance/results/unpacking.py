"""Reads a bundle, which may come from a stranger: little memory, time and disk."""

from __future__ import annotations

import gzip
import re
import shutil
import tarfile
import zlib
from typing import TYPE_CHECKING, Final, cast

from mlcube_conformance.base.errors import Message, UsageError
from mlcube_conformance.base.files import is_plain_file
from mlcube_conformance.base.sizes import in_words
from mlcube_conformance.results.bundle import CERTIFICATE, TOP
from mlcube_conformance.results.reading import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

__all__ = ["unpacked"]

_READ = re.compile(
    rf"{TOP}/({re.escape(CERTIFICATE)}|records/[1-9][0-9]{{0,3}}\.jsonl?)"
)
#: Bytes of all that is unpacked, and of the header of one member; and members.
_UNPACKED: Final = 2_000_000_000
_HEADER: Final = 1_000_000
_MEMBERS: Final = 20_000
#: What the modules of Python raise for archives that nobody writes by mistake, too.
_WRONG = (
    *(OSError, EOFError, ValueError, tarfile.TarError, zlib.error),
    *(RecursionError, ArithmeticError, LookupError),
)


class _Forward:
    """Reads a zipped file forwards, in small pieces, and only so far.

    The module of tar files goes back, or reads a whole header into memory, where an
    archive tells it to.
    """

    def __init__(self, zipped: gzip.GzipFile) -> None:
        self._zipped = zipped

    def tell(self) -> int:
        return self._zipped.tell()

    def seek(self, place: int) -> int:
        if place < self.tell():
            raise ValueError("a member that begins before its header")
        _refuse_more(place)
        return self._zipped.seek(place)

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _HEADER:
            found = f"a header of more than {in_words(_HEADER)}"
            raise ValueError(found)
        _refuse_more(self.tell() + size)
        return self._zipped.read(size)


def _refuse_more(place: int) -> None:
    if place > _UNPACKED:
        found = f"over {in_words(_UNPACKED)}"
        raise ValueError(found)


def unpacked(file: Path, folder: Path) -> tuple[Path, list[Path]]:
    """Write the certificate and the records of a bundle into a folder; return them.

    Raises:
        UsageError: It is not a bundle.
    """
    if not is_plain_file(file):
        raise _refused(file, "not a plain file")
    found: dict[str, Path] = {}
    try:
        with file.open("rb") as opened, gzip.GzipFile(fileobj=opened) as zipped:
            for name, content in _members(zipped):
                # Of two with a number, one would stand for what the other says.
                if name.removesuffix("l") in {x.removesuffix("l") for x in found}:
                    raise _refused(file, f"{name} twice")
                place = folder / name
                place.parent.mkdir(exist_ok=True)
                with place.open("xb") as written:
                    shutil.copyfileobj(content, written)
                found[name] = place
    except _WRONG as error:
        raise _refused(file, str(error) or type(error).__name__) from error
    certificate = found.pop(CERTIFICATE, None)
    if certificate is None or not found:
        raise _refused(file, "no certificate, or no record")
    return certificate, sorted(found.values(), key=lambda each: int(each.stem))


def _members(zipped: gzip.GzipFile) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the names of the members that are read, with their content.

    Raises:
        ValueError, tarfile.TarError: The archive is not as a bundle is.
    """
    with tarfile.open(
        fileobj=cast("IO[bytes]", _Forward(zipped)), mode="r:"
    ) as archive:
        for number, entry in enumerate(iter(archive.next, None)):
            if number == _MEMBERS:
                found = f"more than {_MEMBERS} members"
                raise ValueError(found)
            _refuse_more(archive.offset)
            known = _READ.fullmatch(entry.name) if entry.isreg() else None
            if known is None:
                continue
            if entry.issparse() or entry.size > LARGEST:
                found = f"{known[1]} has more than {in_words(LARGEST)}"
                raise ValueError(found)
            content = archive.extractfile(entry)
            if content is not None:
                yield known[1], content


def _refused(file: Path, found: str) -> UsageError:
    return UsageError(
        Message(
            what="not a bundle",
            where=str(file),
            found=found,
            expected="what `mlcube-conformance certify --bundle` wrote",
            do="fix the path",
        )
    )
