"""Inputs, outputs, output streams and what a run leaves behind."""

from __future__ import annotations

from mlcube_conformance.clauses.clause import Clause

__all__ = ["RUNS"]

_INPUT = "conformance_tests/runner/test_input.py"
_OWNER = "conformance_tests/runner/test_owner.py"
_RUN = "conformance_tests/runner/test_run.py"

RUNS = (
    Clause(
        id="INPUT-3",
        sentence=(
            "a file where a folder is declared is refused before the task starts, by "
            "a message that names the parameter"
        ),
        evidence=(
            "mlcube 6b32fa3 ends with a traceback of FileExistsError; d6a46c7 had a "
            "message"
        ),
        fact=36,
        test=f"{_INPUT}::test_directory_that_is_a_file",
    ),
    Clause(
        id="INPUT-4",
        sentence=(
            "a missing input is refused before the task starts, and is not created"
        ),
        evidence=(
            "mlcube ab5b38f and 6b32fa3 make an empty folder in its place and run the "
            "task"
        ),
        fact=37,
        test=f"{_INPUT}::test_missing_input",
    ),
    Clause(
        id="OWNER-2",
        sentence="what a task writes belongs to the invoking user",
        evidence="mlcube#192, mlcube#306, medperf#414",
        fact=42,
        test=f"{_OWNER}::test_owner_of_outputs",
    ),
    Clause(
        id="RUN-1",
        sentence="a run leaves no container behind",
        evidence="mlcube a1135be dropped the removal that earlier runners had",
        fact=43,
        needs=("leftovers",),
        test=f"{_RUN}::test_nothing_left_behind",
    ),
    Clause(
        id="RUN-2",
        sentence=(
            "what a task writes to standard output and standard error reaches the "
            "caller, byte for byte"
        ),
        evidence="medperf reads it",
        fact=44,
        test=f"{_RUN}::test_streams",
    ),
    Clause(
        id="RUN-3",
        sentence="the help of run is shown, on the Python that runs the suite",
        evidence="mlcube 6b32fa3 needs distutils, which Python 3.12 no longer has",
        fact=106,
        test=f"{_RUN}::test_help",
    ),
    Clause(
        id="RUN-4",
        sentence=(
            "a run with the mandatory options alone works in the workspace of the cube"
        ),
        evidence="mlcube 5bef920 (#341), 12a2453 (#302), 9713527 (#356)",
        fact=74,
        test=f"{_RUN}::test_mandatory_options_alone",
    ),
    Clause(
        id="RUN-5",
        sentence=(
            "the inputs of a cube are copied once to the user's workspace, never "
            "over a file there; outputs are not"
        ),
        evidence="mlcube#194",
        fact=105,
        needs=("workspace",),
        test=f"{_RUN}::test_custom_workspace",
    ),
    Clause(
        id="RUN-6",
        sentence="an interrupt ends the command, the task and what the task started",
        evidence="containers that went on after their runner had ended",
        test=f"{_RUN}::test_interrupt",
    ),
)
