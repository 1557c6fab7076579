"""`mlcube-conformance test-jobs`: tests the cubes of one job of a matrix."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click

from mlcube_conformance.base.errors import MachineError, Message, UsageError, Violation
from mlcube_conformance.base.files import is_plain_file, read_text
from mlcube_conformance.base.homes import current_folder, given_path
from mlcube_conformance.base.interrupts import REQUESTS
from mlcube_conformance.base.text import visible
from mlcube_conformance.commands.output import refusing, write_file
from mlcube_conformance.commands.said import tell
from mlcube_conformance.plan.jobs import Job, grouped
from mlcube_conformance.results.formats import reporters
from mlcube_conformance.results.overview import Overview
from mlcube_conformance.results.reading import joined, read_record
from mlcube_conformance.results.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import FrameType

__all__ = ["test_jobs"]

#: Bytes of a matrix: GitHub takes one of a megabyte.
_LARGEST = 16 * 1024 * 1024
_FAILED, _INTERRUPTED = 1, 2
#: Characters of the names of cubes in a message.
_LONGEST = 200
_RESULTS = "--results"


@click.command(
    "test-jobs",
    short_help="Test the cubes of jobs that matrix printed.",
    context_settings={
        "allow_extra_args": True,
        "allow_interspersed_args": False,
        "help_option_names": ["-h", "--help"],
    },
    options_metavar="[--results DIR]",
)
@click.option(
    _RESULTS,
    metavar="DIR",
    default="mlcube-results",
    show_default=True,
    help="Folder for the reports, one in each format.",
)
@click.argument("file", metavar="FILE")
@click.argument("words", metavar="[OPTIONS OF TEST]", nargs=-1, type=click.UNPROCESSED)
def test_jobs(*, results: str, file: str, words: tuple[str, ...]) -> None:
    """Test the cubes of jobs that `matrix` printed, and write reports on all of them.

    FILE holds a matrix, or one entry of it; - is standard input. Cubes of the same
    platforms are tested in one run. No shell reads a name. Without a job, nothing is
    tested, and the exit code is 0. Options of `test` follow FILE.

    Example: mlcube-conformance test-jobs jobs.json --level L3
    """
    code = 0
    results, words = _results_in(words, results)
    with refusing():
        folder = given_path(results, _RESULTS)
        runs = grouped(_jobs_in(_text_of(file)))
        if not runs:
            tell("no jobs: nothing is tested\n")
        records = []
        for number, (platforms, cubes) in enumerate(runs.items(), 1):
            record = folder / f"record-{number}.json"
            _make_way_for(record)
            ended = _test(cubes, platforms, (f"--record={record}", *words))
            records += [record] * is_plain_file(record)
            code = max(code, ended)
            if ended == _INTERRUPTED:
                break
        if records:
            _write_reports(records, folder)
    raise SystemExit(code)


def _results_in(words: Sequence[str], results: str) -> tuple[str, tuple[str, ...]]:
    """Take --results out of the options of `test`, which has no such option."""
    left, rest = [], iter(words)
    for each in rest:
        name, has_value, value = each.partition("=")
        if name == _RESULTS:
            results = value if has_value else next(rest, "")
        else:
            left.append(each)
    return results, tuple(left)


def _text_of(file: str) -> str:
    if file == "-":
        return sys.stdin.buffer.read(_LARGEST).decode(errors="replace")
    try:
        return read_text(given_path(file, "FILE"), limit=_LARGEST)
    except Violation as violation:
        raise UsageError(*violation.messages) from violation


def _jobs_in(text: str) -> list[Job]:
    """Return the jobs of a matrix, of an entry of one, or of a shard.

    Raises:
        UsageError: There is something else.
    """
    try:
        return [*_jobs_of(json.loads(text))]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise UsageError(
            Message(
                what="these are not the jobs of a matrix",
                where="FILE",
                found=visible(f"{type(error).__name__}: {error}")[:200],
                expected="what mlcube-conformance matrix prints, or an entry of it",
                do="give its output",
            )
        ) from error


def _jobs_of(document: Any) -> Iterator[Job]:  # noqa: ANN401 - as JSON knows it
    if isinstance(document, list):
        for each in document:
            yield from _jobs_of(each)
        return
    for key in ("include", "jobs"):
        if key in document:
            yield from _jobs_of(document[key])
            return
    cube, platform = document["cube"], document["platform"]
    if not isinstance(cube, str) or not isinstance(platform, str):
        raise TypeError("cube and platform are texts")
    given_path(cube, "cube")
    given_path(platform, "platform")
    yield Job(cube=cube, platform=platform)


def _make_way_for(record: Path) -> None:
    """Make the folder of a record, and remove the one of an earlier run."""
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            Message(
                what="the folder of results cannot be used",
                where=str(record.parent),
                found=error.strerror or str(error),
                expected="a folder that can be written to",
                do="give another one: --results DIR",
            )
        ) from error


def _test(cubes: Sequence[str], platforms: Sequence[str], words: Sequence[str]) -> int:
    """Test cubes in a process of its own, and return its exit code."""
    named = [f"--cube={each}" for each in cubes]
    on = [f"--platform={each}" for each in platforms]
    argv = [sys.executable, "-P", "-m", "mlcube_conformance", "test"]
    requests = _Requests()
    try:
        with requests:
            process = subprocess.Popen(  # noqa: S603 - our own module; no shell
                [*argv, *named, *on, *words],
                stdin=subprocess.DEVNULL,
                # Else a key at the terminal would reach it twice.
                process_group=0,
            )
            requests.pass_to(process)
            code = process.wait()
    except OSError as error:
        raise MachineError(
            Message(
                what="the test cannot be started",
                where="FILE",
                found=f"{len(cubes)} cubes in one run: {error.strerror}",
                expected="as many as fit in a command line",
                do="give fewer jobs: mlcube-conformance matrix --shards N --shard K",
            )
        ) from error
    if requests.came:
        return _INTERRUPTED  # also where it had no time to say so
    return _killed(cubes, -code) if code < 0 else code


def _killed(cubes: Sequence[str], number: int) -> int:
    """Tell of a run that a signal ended, and return its exit code."""
    message = Message(
        what="a test was killed before it ended",
        where=visible(", ".join(cubes))[:_LONGEST],
        found=signal.strsignal(number) or f"signal {number}",
        expected="a test that ends by itself",
        do=(
            "see whether the machine ran out of memory"
            if number == signal.SIGKILL
            else "see what ended it"
        )
        + ", then run\nagain; its cubes are in no report",
    )
    tell(f"{message}\n")
    return _FAILED


class _Requests:
    """Passes requests to end on to a run, which removes its containers first."""

    def __init__(self) -> None:
        """Begin without one."""
        self.came: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        """Take them, except those that are ignored, as by nohup."""
        for number in REQUESTS:
            before = signal.getsignal(number)
            if before != signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._take)

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def pass_to(self, process: subprocess.Popen[bytes]) -> None:
        """Pass them to a process from now on, those that came before it too."""
        self._process = process
        for number in self.came:
            process.send_signal(number)

    def _take(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.came.append(number)
        if self._process is not None:
            self._process.send_signal(number)


def _write_reports(records: Sequence[Path], folder: Path) -> None:
    overview = Overview(joined([*map(read_record, records)]))
    shown = Report(overview=overview, folder=current_folder())
    for suffix, write in reporters().items():
        write_file(folder / f"report{suffix}", write(shown))
    tell(f"written: {visible(str(folder))}/report.*\n")
