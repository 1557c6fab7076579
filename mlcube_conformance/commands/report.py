"""The command `mlcube-conformance report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlcube_conformance.base.errors import Message, UsageError
from mlcube_conformance.base.homes import current_folder, given_path
from mlcube_conformance.base.text import visible
from mlcube_conformance.base.writing import refuse_to_replace
from mlcube_conformance.commands.output import (
    refusing,
    show,
    write_file,
)
from mlcube_conformance.commands.said import tell
from mlcube_conformance.results.changes import Limits, changes, no_baseline
from mlcube_conformance.results.changes import baseline as compared_with
from mlcube_conformance.results.formats import report_options, reporters
from mlcube_conformance.results.old_runs import last_record
from mlcube_conformance.results.overview import Overview
from mlcube_conformance.results.reading import joined, read_record
from mlcube_conformance.results.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Command = Callable[..., None]

__all__ = ["report"]

_LIMITS = Limits()


def _with_reports(command: Command) -> Command:
    """Add an option for each report that there is."""
    for name in reversed([*report_options()]):
        add = click.option(
            f"--{name}", f"report_{name}", metavar="FILE", help=f"Report as {name}."
        )
        command = add(command)
    return command


def _percent(name: str, default: float, of: str) -> Callable[[Command], Command]:
    return click.option(
        name,
        type=click.FloatRange(min=0),
        metavar="PERCENT",
        default=default,
        show_default=True,
        help=f"With --baseline: {of}.",
    )


@click.command(short_help="Write reports from the records of runs.")
@click.argument("records", metavar="[RECORD...]", nargs=-1)
@_with_reports
@click.option("--baseline", metavar="RECORD", help="Record to compare with.")
@click.option(
    "--fail-on-regression",
    is_flag=True,
    help="Exit with 1 where something got worse than in the baseline.",
)
@_percent("--max-slowdown", _LIMITS.slower, "time that a task may take more")
@_percent("--max-growth", _LIMITS.larger, "size that outputs may grow by")
@_percent("--max-loss", _LIMITS.worse, "part that a promised metric may lose")
def report(
    *,
    records: tuple[str, ...],
    baseline: str | None,
    fail_on_regression: bool,
    max_slowdown: float,
    max_growth: float,
    max_loss: float,
    **files: str | None,
) -> None:
    """Write reports on a run from its record, or on several runs from theirs.

    A RECORD is a record.json, or the record.jsonl of a run that was killed; the default
    is that of the last run in the current folder. Without a file to write, the page of
    Markdown is printed.

    Example: mlcube-conformance report --html report.html
    """
    with refusing():
        if fail_on_regression and baseline is None:
            raise no_baseline()
        sources = list(records) or [_last()]
        overview = Overview(joined([*map(_read, sources)]))
        found = None
        if baseline is not None:
            limits = Limits(slower=max_slowdown, larger=max_growth, worse=max_loss)
            suite = overview.record["suite"]
            before = compared_with(_read(baseline, "--baseline"), suite)
            found = tuple(changes(before, overview, limits))
        shown = Report(overview=overview, folder=current_folder(), changes=found)
        sources += [baseline] if baseline else []
        written = _write(shown, files, [given_path(each) for each in sources])
        if not written:
            show(reporters()[report_options()["md"]](shown))
        for each in written:
            tell(f"written: {visible(str(each))}\n")
    raise SystemExit(1 if fail_on_regression and shown.regressions else 0)


def _last() -> str:
    found = last_record(current_folder())
    if found is None:
        raise UsageError(
            Message(
                what="nothing to report on",
                where=str(current_folder()),
                found="no run",
                expected="a record of a run, or a folder that runs were started in",
                do="run mlcube-conformance test CUBE first, or name a RECORD",
            )
        )
    return str(found)


def _read(given: str, option: str = "RECORD") -> dict[str, Any]:
    return read_record(given_path(given, option))


def _write(
    shown: Report, files: dict[str, str | None], read: Sequence[Path]
) -> list[Path]:
    outputs: dict[str, Path] = {}
    for name in report_options():
        given = files[f"report_{name}"]
        if given is not None:
            file = given_path(given, f"--{name}")
            # A record that several were joined to may take the place of one of them.
            kept = () if name == "json" else read
            refuse_to_replace((*kept, *outputs.values()), file, f"--{name}")
            outputs[name] = file
    for name, file in outputs.items():
        write_file(file, reporters()[report_options()[name]](shown))
    return [*outputs.values()]
