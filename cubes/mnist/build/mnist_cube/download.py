"""The task download: bring the data set, from the first mirror that has it."""

import contextlib
import fcntl
import logging
import os
import signal
import time
import urllib.request
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from mnist_cube.dataset import FILES, NOT_MNIST, DataFile
from mnist_cube.errors import CubeError, DeadlineError
from mnist_cube.parameters import DownloadParameters, load_download_parameters
from mnist_cube.transfer import TryError, make_opener, transfer

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 20.0

_LOG = logging.getLogger("mnist_cube")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    file: DataFile
    target: Path
    parameters: DownloadParameters
    opener: urllib.request.OpenerDirector
    # Why each address failed, for the message at the end.
    reasons: dict[str, str] = field(default_factory=dict)

    def explain(self) -> str:
        return "; ".join(f"{url}: {reason}" for url, reason in self.reasons.items())


def run(paths: Mapping[str, Path]) -> None:
    """Put the four files into the data folder, each with its right content."""
    parameters = load_download_parameters(paths["parameters_file"])
    data_dir = paths["data_dir"]
    data_dir.mkdir(parents=True, exist_ok=True)
    is_mnist = parameters.files == FILES
    if not is_mnist:
        _LOG.warning(
            "the parameters give SHA-256 of their own: these are NOT the MNIST files"
        )
    opener = make_opener()
    with _deadline(parameters.deadline_seconds), _alone(data_dir):
        for file in parameters.files:
            target = data_dir / file.name
            _bring(
                _Order(file=file, target=target, parameters=parameters, opener=opener)
            )
    what = "" if is_mnist else f" ({NOT_MNIST})"
    _LOG.info("all %d files are in place in %s%s", len(FILES), data_dir, what)


def _bring(order: _Order) -> None:
    file, target = order.file, order.target
    if target.is_dir():
        message = f"{target} is a folder, but a file belongs there"
        raise CubeError(message)
    if target.exists():
        if file.is_at(target):
            _LOG.info("%s: already there, its SHA-256 is right", file.name)
            return
        _LOG.info("%s: there, but with a wrong SHA-256: fetching it again", file.name)
    try:
        if any(_bring_from(mirror, order) for mirror in order.parameters.mirrors):
            return
    except DeadlineError as error:
        so_far = f"; so far: {order.explain()}" if order.reasons else ""
        message = f"{error} while bringing {file.name}{so_far}"
        raise DeadlineError(message) from error
    message = f"no mirror delivers {file.name}: {order.explain()}"
    raise CubeError(message)


def _bring_from(mirror: str, order: _Order) -> bool:
    """Try one mirror as often as is sensible, and note why it failed."""
    file, target, attempts = order.file, order.target, order.parameters.attempts
    url = f"{mirror}/{file.name}"
    part = target.with_name(f"{target.name}.part")
    for attempt in range(1, attempts + 1):
        resumed = part.exists()
        try:
            timeout = order.parameters.timeout_seconds
            transfer(order.opener, url, part, file.size, timeout)
            _verify(part, file, again=resumed)
        except TryError as error:
            tries = f" ({attempt} tries)" if attempt > 1 else ""
            order.reasons[url] = f"{error}{tries}"
            _LOG.info("%s: try %d failed: %s", url, attempt, error)
            if not error.again:
                break
            if attempt < attempts:
                time.sleep(min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE))
        else:
            part.replace(target)
            size = target.stat().st_size
            _LOG.info("%s: in place, %d bytes from %s", file.name, size, mirror)
            return True
    return False


def _verify(part: Path, file: DataFile, *, again: bool) -> None:
    if file.is_at(part):
        return
    part.unlink()
    # When an earlier try left the first bytes, they may be the bad ones, not these.
    reason = "the content has a wrong SHA-256"
    raise TryError(reason, again=again)


@contextlib.contextmanager
def _deadline(seconds: float) -> Generator[None, None, None]:
    """Raise DeadlineError after so many seconds, wherever the task hangs then."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        message = f"the deadline of {seconds:g} s has passed"
        raise DeadlineError(message)

    # A limit per read is not enough: a server that sends one byte now and then
    # would keep the task alive for ever.
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _alone(folder: Path) -> Generator[None, None, None]:
    """Keep a second download out of the same folder for as long as this one runs."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _LOG.info("another download fills %s: waiting for it", folder)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            _LOG.info("%s cannot be locked (%s): going on", folder, error.strerror)
        yield
    finally:
        os.close(descriptor)
