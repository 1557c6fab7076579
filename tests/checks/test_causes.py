"""Why a task failed, by what it says last: an example for each row of the table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from mlcube_conformance.base.markdown import cell, table
from mlcube_conformance.checks.causes import CAUSES, Cause, Facts, cause_of

_FACTS = Facts(exit_code=1, platform="Singularity")
_NO_NAME = "socket.gaierror: [Errno -3] Temporary failure in name resolution"
#: For each row: facts, lines of a log, and words of what to do.
_EXAMPLES: tuple[tuple[str, Facts, str, str], ...] = (
    (
        "single-quotes",
        replace(_FACTS, exit_code=127),
        "/bin/sh: [/bin/sh,: not found",
        "double quotes",
    ),
    (
        "windows-lines",
        _FACTS,
        "standard_init.go:2: exec user process caused: no such file or directory",
        "CRLF",
    ),
    ("windows-lines", _FACTS, "exec /app/run.sh: no such file or directory", "CRLF"),
    ("windows-lines", _FACTS, r"env: 'bash\r': No such file or directory", "CRLF"),
    ("windows-lines", _FACTS, "/bin/sh^M: bad interpreter: not there", "CRLF"),
    ("windows-lines", _FACTS, "/x: cannot execute: required file not found", "CRLF"),
    ("format", _FACTS, "exec /app: Exec format error", "#!/bin/sh"),
    ("python", _FACTS, "/bin/sh: 1: python: not found", "python3"),
    (
        "processes",
        _FACTS,
        "/task.sh: line 9: can't fork: Resource temporarily unavailable",
        "--pids-limit",
    ),
    ("processes", _FACTS, "RuntimeError: can't start new thread", "--pids-limit"),
    ("python", _FACTS, "env: 'python': No such file or directory", "call python3"),
    ("python", _FACTS, "bash: pip: command not found", "call pip3"),
    (
        "module",
        _FACTS,
        "ModuleNotFoundError: No module named 'sklearn.tree'",
        "install sklearn.tree",
    ),
    (
        "library",
        _FACTS,
        "x: loading shared libraries: libGL.so.1: cannot open shared object",
        "has libGL.so.1",
    ),
    ("network-off", replace(_FACTS, network_off=True), _NO_NAME, "--network none"),
    ("network", _FACTS, _NO_NAME, "check the network"),
    ("network", _FACTS, "curl: (6) Could not resolve host: x", "check the network"),
    (
        "shared-memory",
        _FACTS,
        "RuntimeError: unable to write to file </torch_1>: No space left: /dev/shm",
        "--shm-size",
    ),
    ("shared-memory", _FACTS, "DataLoader worker is killed: Bus error", "--shm-size"),
    ("disk", _FACTS, "tar: x: No space left on device", "free some disk space"),
    ("gpu-memory", _FACTS, "torch.OutOfMemoryError: CUDA out of memory.", "the GPU"),
    ("memory", _FACTS, "MemoryError", "use less memory"),
    ("memory", _FACTS, "Killed", "use less memory"),
    ("memory", _FACTS, "OSError: [Errno 12] Cannot allocate memory", "use less memory"),
    (
        "gpu",
        _FACTS,
        "RuntimeError: Found no NVIDIA driver on your system.",
        "--gpus all",
    ),
    ("folder", _FACTS, "IsADirectoryError: [Errno 21] Is a directory: '/x'", "declare"),
    ("read-only", _FACTS, "touch: /x: Read-only file system", "write to an output"),
    (
        "permission",
        _FACTS,
        "PermissionError: [Errno 13] Permission denied: '/app/x'",
        "chmod -R a+rX",
    ),
    ("shell-form", replace(_FACTS, shell_form=True), "usage: x", "brackets"),
    ("arguments", _FACTS, "/app/run.sh: 1: parameter not set", "--NAME=VALUE"),
    ("arguments", _FACTS, "error: unrecognized arguments: --a=b", "--NAME=VALUE"),
    ("program", replace(_FACTS, exit_code=127), "sh: 3: gcc-9: not found", "gcc-9 in"),
    (
        "workdir",
        replace(_FACTS, has_workdir=False),
        "cat: x: No such file or directory",
        "Singularity ignores",
    ),
    ("no-program", replace(_FACTS, exit_code=127), "all is well", "not found"),
    ("not-executable", replace(_FACTS, exit_code=126), "all is well", "chmod +x"),
    ("killed", replace(_FACTS, exit_code=137), "all is well", "killed"),
)


_PAGE = Path(__file__).parents[2] / "docs" / "reading-a-failure.md"


def _rows_of_page() -> list[str]:
    """Return a row for each cause: the first of its examples, and what to do."""
    first = {name: example for name, *example in reversed(_EXAMPLES)}
    rows = []
    for cause in CAUSES:
        facts, line, _ = cast("tuple[Facts, str, str]", first[cause.name])
        seen = f"`{line}`" if cause.words else ""
        if cause.exit_codes:
            seen = f"nothing known, and exit code {facts.exit_code}"
        elif cause.shell_form:
            seen = "nothing known, and a line of a shell as ENTRYPOINT"
        if cause.network_off:
            seen += ", with the network off"
        if cause.has_workdir is False:
            seen += ", on Singularity or local"
        do = " ".join(cause_of(facts, [line]).split())
        rows.append((seen.replace("|", "\\|"), cell(do)))
    return [*table(("the log says", "what to do"), rows)]


def test_page_lists_each_cause() -> None:
    text = "\n".join(_rows_of_page())

    assert f"\n\n{text}\n\n" in _PAGE.read_text(encoding="utf-8"), text


@pytest.mark.parametrize(("name", "facts", "line", "do"), _EXAMPLES)
def test_cause_is_named(name: str, facts: Facts, line: str, do: str) -> None:
    found = cause_of(facts, ["first", line, "last"])

    (row,) = (each for each in CAUSES if each.name == name)
    assert found.startswith(row.do.partition("{")[0])
    assert do in found


@pytest.mark.parametrize(
    "line", ["tar: x: No space left on device", "exec format error", _NO_NAME]
)
def test_advice_names_the_machine_where_the_task_ran(line: str) -> None:
    found = cause_of(replace(_FACTS, host="gpu1.lan"), [line])

    assert "gpu1.lan" in found
    assert "this machine" not in found


@pytest.mark.parametrize("row", CAUSES, ids=lambda row: row.name)
def test_each_row_has_an_example(row: Cause) -> None:
    assert row.name in {name for name, *_ in _EXAMPLES}


@pytest.mark.parametrize(
    "line",
    [
        "all is well",
        "assert 3 == 4",
        "KeyError: 'python'",
        "the model was not found to be better",
        "ValueError: expected 3 columns, found 4",
        "cat: x: No such file or directory",
    ],
)
def test_other_words_name_no_cause(line: str) -> None:
    assert cause_of(_FACTS, [line]) == ""


def test_last_line_that_names_something_counts() -> None:
    lines = ["No module named 'a'", "No module named 'b'"]

    assert "install b " in cause_of(_FACTS, lines)


@pytest.mark.parametrize(
    ("log", "does"),
    [
        (
            ["no such option: --x", "ModuleNotFoundError: No module named 'a'"],
            "install a",
        ),
        (["ModuleNotFoundError: No module named 'a'", "no such option: --x"], "--NAME"),
        (["WARNING: Found no NVIDIA driver on your system.", "ValueError: 3"], ""),
        (["UserWarning: CUDA error: none", "PermissionError: [Errno 13]"], "chmod"),
        (["I0000 no CUDA-capable device", "KeyError: 'a'"], ""),
        (["WARNING: Retrying: name resolution failed", "ERROR: none"], "the network"),
        (["ValueError: bad header b'x\\r\\n'"], ""),
    ],
)
def test_last_line_that_is_known_counts_and_a_warning_does_not(
    log: list[str], does: str
) -> None:
    found = cause_of(_FACTS, log)

    assert does in found
    assert bool(found) == bool(does)


@pytest.mark.parametrize(
    "line",
    [
        "': No such file or directory",
        ": not found",
        ": Illegal option -",
        "/usr/bin/env: 'python\\r': No such file or directory",
        "/r.sh: line 2: $'\\r': command not found",
    ],
)
def test_line_ends_of_windows_show_in_what_is_left_of_a_line(line: str) -> None:
    assert "line ends of Unix" in cause_of(_FACTS, [line])
