"""The exit code of a runner tells how a task ended."""

from __future__ import annotations

from mlcube_conformance.clauses.clause import Clause

__all__ = ["EXITS"]

_EXIT = "conformance_tests/runner/test_exit.py"

EXITS = (
    Clause(
        id="EXIT-2",
        sentence=(
            "a task that exits with a code from 2 to 255 makes the command exit with "
            "the same code"
        ),
        evidence="mlcube ab5b38f turns every code into 1; fixed by c07fdb9 (#248)",
        fact=1,
        test=f"{_EXIT}::test_exit_code_of_task",
    ),
    Clause(
        id="EXIT-3",
        sentence=(
            "a task that exits with 1 makes the command exit with something other "
            "than 0"
        ),
        evidence=(
            "mlcube d6a46c7 hands on a wait status of 256, which a shell sees as 0"
        ),
        fact=2,
        test=f"{_EXIT}::test_failure_is_no_success",
    ),
    Clause(
        id="EXIT-4",
        sentence=(
            "the exit code is taken from the wait status, never the raw status itself"
        ),
        evidence="mlcube 3c32171 (#238)",
        fact=3,
        why_not="seen from outside, this is EXIT-3: a raw status of 256 arrives as 0",
    ),
    Clause(
        id="EXIT-5",
        sentence=(
            "a command that hands the work to another one returns what that one "
            "returned"
        ),
        evidence="mlcube a1135be: the front command always exits with 0",
        fact=4,
        why_not="the suite runs only the outermost command, so EXIT-2 measures this",
    ),
    Clause(
        id="EXIT-6",
        sentence=(
            "a task that a signal ends makes the command exit with something other "
            "than 0"
        ),
        evidence=(
            "mlcube c07fdb9 (#248); 6b32fa3 exits with 247 for a task that was killed"
        ),
        fact=5,
        test=f"{_EXIT}::test_killed_task",
    ),
    Clause(
        id="EXIT-7",
        sentence=(
            "where the image cannot be made, configure and run fail, and the task is "
            "not started"
        ),
        evidence="confirmed in mlcube 756eb0e and 6b32fa3",
        fact=6,
        test=f"{_EXIT}::test_failed_build",
    ),
    Clause(
        id="EXIT-8",
        sentence=(
            "a starter script that a runner generates exits with 0 where the task does"
        ),
        evidence=(
            "mlcube 756eb0e: its template for Docker has success and failure the "
            "wrong way round"
        ),
        fact=7,
        why_not=(
            "nothing here generates such scripts; a cube that has a wrong one fails "
            "EXIT-1"
        ),
    ),
    Clause(
        id="EXIT-11",
        sentence="of several tasks, those after the first failure are not started",
        evidence="confirmed in mlcube 6b32fa3",
        fact=10,
        needs=("several-tasks",),
        test=f"{_EXIT}::test_stops_at_first_failure",
    ),
    Clause(
        id="EXIT-12",
        level="SHOULD",
        sentence="a command that changes settings and fails does not exit with 0",
        evidence="mlcube 6b32fa3: mlcube config logs its errors and exits with 0",
        fact=11,
        why_not="each runner has other commands for its settings, or none",
    ),
    Clause(
        id="EXIT-13",
        sentence=(
            "a missing cube folder is refused with exit code 2, and nothing is created"
        ),
        evidence="mlcube ab5b38f ends with a traceback and 1; 756eb0e checks it first",
        fact=12,
        test=f"{_EXIT}::test_usage_error",
    ),
    Clause(
        id="EXIT-14",
        sentence="a task that fails on another host makes the command fail",
        evidence=(
            "mlcube 6b32fa3 prints that a job of Kubernetes failed, and exits with 0"
        ),
        fact=13,
        needs=("remote",),
        test=f"{_EXIT}::test_remote_failure",
    ),
    Clause(
        id="EXIT-15",
        sentence=(
            "without its engine, the command fails with a message and no traceback"
        ),
        evidence="mlcube ab5b38f says no more than that a command failed",
        fact=14,
        needs=("engine",),
        test=f"{_EXIT}::test_engine_absent",
    ),
)
