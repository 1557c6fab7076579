"""Why a task failed, by what it says last: an example for each row of the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

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


@pytest.mark.parametrize(("name", "facts", "line", "do"), _EXAMPLES)
def test_cause_is_named(name: str, facts: Facts, line: str, do: str) -> None:
    found = cause_of(facts, ["first", line, "last"])

    (row,) = (each for each in CAUSES if each.name == name)
    assert found.startswith(row.do.partition("{")[0])
    assert do in found


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
