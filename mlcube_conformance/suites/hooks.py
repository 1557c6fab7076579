"""What both suites do: each test becomes a finding, and the run leaves a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from mlcube_conformance.base.errors import (
    ConformanceError,
    Message,
    Unsupported,
    UsageError,
    Violation,
)
from mlcube_conformance.base.files import is_folder
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.paths import nearest
from mlcube_conformance.base.text import hides, visible
from mlcube_conformance.base.writing import write_with_folder
from mlcube_conformance.results.finding import Finding
from mlcube_conformance.results.record import Record
from mlcube_conformance.results.tool import machine, tool
from mlcube_conformance.suites.reruns import is_final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from mlcube_conformance.results.finding import Verdict

__all__ = [
    "UNSUPPORTED",
    "attach",
    "begin_record",
    "clause_id",
    "fail_run",
    "file_to_write",
    "finding_of",
    "is_decisive",
    "is_unexpected_pass",
    "keep_finding",
    "keeps_record",
    "record_of",
    "sendable",
    "verdict_of",
    "write_asked",
]

_FINDING = "mlcube_finding"
#: How a test says that its clause means nothing here.
_DOES_NOT_APPLY = "not applicable: "
#: How a test says that what it is about asks for what is not given here.
UNSUPPORTED = "unsupported: "
#: Letters of a line that travel to the process that keeps the record.
_LONGEST = 4000


def file_to_write(
    option: str, what: str, given: str, suffixes: tuple[str, ...] = ()
) -> Path:
    """Return the file that an option says to write.

    Args:
        option: The option.
        what: What messages call the file.
        given: Its value.
        suffixes: Those that say a format; none for any.

    Raises:
        UsageError: Its name says no format, or it cannot be there.
    """
    file = given_path(given, option)
    if suffixes and file.suffix not in suffixes:
        *others, last = sorted(suffixes)
        raise UsageError(
            Message(
                what=f"the format of the {what} is unknown",
                where=option,
                found=given,
                expected=f"a name that ends in {', '.join(others)} or {last}",
                do=f"write {option} {file.stem or 'file'}{min(suffixes)}",
            )
        )
    above = nearest(file.parent)
    if is_folder(file) or not is_folder(above):
        found = f"{file} is a folder" if is_folder(file) else f"{above} is a file"
        raise UsageError(
            Message(
                what=f"the {what} cannot be written there",
                where=option,
                found=found,
                expected="a new or existing file",
                do="fix the path",
            )
        )
    return file


class _Asked(NamedTuple):
    """How the writing of a file ended that was asked for."""

    line: str
    """What to say of it."""
    is_written: bool


def write_asked(session: pytest.Session, what: str, file: Path, text: str) -> _Asked:
    """Write a file that was asked for, and return what to say of it.

    A run is not green without what was asked of it: nobody would look for the file.
    """
    try:
        write_with_folder(file, text)
    except OSError as error:
        fail_run(session)
        why = error.strerror or error
        line = f"cannot write the {what} {file}: {why}: this run fails"
        return _Asked(line, is_written=False)
    return _Asked(f"{what} in {file}", is_written=True)


def fail_run(session: pytest.Session) -> None:
    """Let a run that is green end with 1."""
    if session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def record_of(config: pytest.Config, folder: Path) -> Record:
    """Return the record of the run that begins.

    Raises:
        UsageError: It cannot be written where `--record` says.
    """
    given: list[str] = config.getoption("mlcube_record")
    return Record(folder, [file_to_write("--record", "record", one) for one in given])


def keeps_record(config: pytest.Config) -> bool:
    """Say whether this process keeps the record: no worker does, and no dry run."""
    return not hasattr(config, "workerinput") and not config.getoption("collectonly")


def begin_record(
    record: Record, config: pytest.Config, suite: str, **facts: object
) -> None:
    """Write the first line of a record, in the process that keeps it."""
    if not keeps_record(config):
        return
    record.begin(
        suite=suite,
        tool=tool(),
        host=machine(),
        command=list(map(str, config.invocation_params.args)),
        folder=str(config.invocation_params.dir),
        hides=hides(),
        **facts,
    )


def is_decisive(report: pytest.TestReport) -> bool:
    """Say whether a report tells how its test ended."""
    return report.when == "call" or not report.passed


def clause_id(item: pytest.Item) -> str:
    """Return the id of the clause that a test checks, or ""."""
    mark = item.get_closest_marker("clause")
    return str(mark.args[0]) if mark else ""


def verdict_of(
    report: pytest.TestReport, error: BaseException | None
) -> tuple[Verdict, str]:
    """Return the verdict of a test, and why, in one line."""
    reason = getattr(report, "wasxfail", None)
    if reason is not None:
        return ("passed", "") if report.passed else ("failed", _xfail(reason))
    if report.passed:
        return "passed", ""
    if report.skipped:
        text = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
        reason = text.removeprefix("Skipped: ")
        if isinstance(error, Unsupported):
            return "unsupported", reason.removeprefix(UNSUPPORTED)
        applies = not reason.startswith(_DOES_NOT_APPLY)
        return (
            "not run" if applies else "not applicable",
            reason.removeprefix(_DOES_NOT_APPLY),
        )
    if is_unexpected_pass(report):
        return "passed", "it passes: remove it from the expected failures"
    if isinstance(error, (Violation, ConformanceError)):
        why = error.messages[0].what
    else:
        lines = [each for each in report.longreprtext.splitlines() if each.strip()]
        why = lines[-1] if lines else ""
    return "failed" if isinstance(error, AssertionError) else "error", why


def is_unexpected_pass(report: pytest.TestReport) -> bool:
    """Say whether a test passed that had to fail."""
    return report.longreprtext.startswith("[XPASS(strict)]")


def _xfail(reason: object) -> str:
    return str(reason).removeprefix("reason: ")


def attach(report: pytest.TestReport, finding: Finding) -> None:
    """Let a finding travel with its report, to the process that keeps the record."""
    report.user_properties.append((_FINDING, sendable(finding.to_dict())))


def sendable(found: Any) -> Any:  # noqa: ANN401 - as JSON knows it
    """Return a document that can be sent: names may hold bytes that are not UTF-8."""
    if isinstance(found, str):
        return "\n".join(visible(line)[:_LONGEST] for line in found.split("\n"))
    if isinstance(found, dict):
        return {sendable(key): sendable(value) for key, value in found.items()}
    return [sendable(each) for each in found] if isinstance(found, list) else found


def finding_of(report: object) -> Mapping[str, Any] | None:
    """Return the finding that came with a report that counts, or None."""
    if isinstance(report, pytest.TestReport) and is_final(report):
        for name, found in report.user_properties:
            if name == _FINDING and isinstance(found, dict):
                return found
    return None


def keep_finding(
    record: Record, config: pytest.Config, report: pytest.TestReport
) -> None:
    """Keep the finding that came with a report that counts, if any."""
    found = finding_of(report) if keeps_record(config) else None
    if found is not None:
        record.find(Finding.from_dict(found))
