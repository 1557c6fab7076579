"""One try to bring one file from one address, going on where the last try ended."""

import contextlib
import http.client
import logging
import re
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

_CHUNK = 64 * 1024
# More than the images that train takes come to, however badly they are packed.
_MAX_BYTES = 100 * 1024 * 1024
_LOG_STEPS = 4
_LOG_FROM_BYTES = 1024 * 1024
# Answers that may differ when the same question is asked again.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_LASTING = (
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)
_PARTIAL = 206
_OUT_OF_RANGE = 416

_LOG = logging.getLogger("mnist_cube")


class TryError(Exception):
    """Say why one try failed, and whether another may help."""

    def __init__(self, reason: str, *, again: bool) -> None:
        """Keep the reason and whether the same address is worth another try."""
        super().__init__(reason)
        self.again = again


class _RangeError(TryError):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Goal:
    url: str
    size: int
    timeout: float


class _Response(Protocol):
    headers: http.client.HTTPMessage
    status: int | None

    def read1(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


def make_opener() -> urllib.request.OpenerDirector:
    """Return an opener for http, https and file, and for no other scheme."""
    # The usual opener knows ftp and data as well, and follows redirects to ftp.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.FileHandler(),
    ):
        opener.add_handler(handler)
    return opener


def transfer(
    opener: urllib.request.OpenerDirector,
    url: str,
    part: Path,
    size: int | None,
    timeout: float,
) -> None:
    """Append what part still lacks of its size bytes, or raise TryError.

    Without a size, it is the one that the answer announces.
    """
    offset = part.stat().st_size if part.exists() else 0
    if offset > (_MAX_BYTES if size is None else size):
        part.unlink()
        offset = 0
    if offset == size:
        return
    try:
        response = _ask(opener, url, offset, timeout)
    except _RangeError:
        # There is less over there than here: begin anew.
        part.unlink(missing_ok=True)
        raise
    with contextlib.closing(response):
        start, total = _start(response, offset, size)
        # Opened only now: a mirror that cannot go on must not cost what is there.
        with part.open("r+b" if start else "wb") as stream:
            stream.seek(start)
            _copy(response, stream, _Goal(url=url, size=total, timeout=timeout))


def _ask(
    opener: urllib.request.OpenerDirector, url: str, offset: int, timeout: float
) -> _Response:
    headers = {"User-Agent": "mnist-cube"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - see opener
    try:
        response: _Response = opener.open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        reason = f"HTTP {error.code} {error.reason}".rstrip()
        if error.code == _OUT_OF_RANGE:
            raise _RangeError(reason, again=True) from error
        raise TryError(reason, again=error.code in _PASSING) from error
    except urllib.error.URLError as error:
        raise _refusal(error.reason, timeout) from error
    except (http.client.HTTPException, OSError) as error:
        raise _refusal(error, timeout) from error
    return response


def _start(response: _Response, offset: int, size: int | None) -> tuple[int, int]:
    """Return where the answer's first byte belongs, and the size of the whole."""
    start, length = 0, response.headers.get("Content-Length", "")
    if response.status == _PARTIAL:
        field = response.headers.get("Content-Range", "")
        match = re.fullmatch(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15}|\*)", field)
        if match is None or int(match[1]) != offset:
            reason = f"asked to go on at byte {offset}, it answered {field[:80]!r}"
            raise TryError(reason, again=False)
        start, total = offset, match[2]
    else:
        total = length
    announced = int(total) if re.fullmatch(r"[0-9]{1,15}", total) else None
    if size is None:
        if announced is None:
            reason = "it does not say how many bytes the file there has"
            raise TryError(reason, again=False)
        if announced > _MAX_BYTES:
            reason = f"the file there has {announced} bytes, more than {_MAX_BYTES}"
            raise TryError(reason, again=False)
        return start, announced
    if announced not in {None, size}:
        reason = f"the file there has {announced} bytes instead of {size}"
        raise TryError(reason, again=False)
    return start, size


def _copy(response: _Response, stream: IO[bytes], goal: _Goal) -> None:
    name, size, have = goal.url.rpartition("/")[2], goal.size, stream.tell()
    if have:
        _LOG.info("%s: going on at byte %d of %d", name, have, size)
    step = have * _LOG_STEPS // max(size, 1)
    # One byte more than wanted shows that the file there is too long.
    while chunk := _read(response, min(_CHUNK, size + 1 - have), goal.timeout):
        have += len(chunk)
        if have > size:
            stream.truncate(0)
            reason = f"the file there has more than {size} bytes"
            raise TryError(reason, again=False)
        stream.write(chunk)
        if size >= _LOG_FROM_BYTES and have * _LOG_STEPS // size > step:
            step = have * _LOG_STEPS // size
            _LOG.info("%s: %d %%", name, step * 100 // _LOG_STEPS)
    if have < size:
        reason = f"the connection ended after {have} of {size} bytes"
        raise TryError(reason, again=True)


def _read(response: _Response, size: int, timeout: float) -> bytes:
    try:
        # read1 returns what is there: what came before a failure is kept.
        return response.read1(size)
    except (http.client.HTTPException, OSError) as error:
        raise _refusal(error, timeout) from error


def _refusal(cause: object, timeout: float) -> TryError:
    if isinstance(cause, TimeoutError):
        return TryError(f"silent for more than {timeout:g} s", again=True)
    if isinstance(cause, ssl.SSLCertVerificationError):
        reason = f"certificate not trusted: {cause.verify_message}"
        return TryError(reason, again=False)
    if isinstance(cause, OSError):
        # Files that are not there stay away; connections may come back.
        lasting = isinstance(cause, _LASTING)
        text = cause.strerror or str(cause) or type(cause).__name__
        return TryError(text, again=not lasting)
    text = str(cause)
    if isinstance(cause, http.client.HTTPException):
        detail = f": {text[:200]}" if text else ""
        return TryError(f"broken answer ({type(cause).__name__}{detail})", again=True)
    return TryError(text, again=False)
