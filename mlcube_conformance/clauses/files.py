"""Definitions are read safely, and refused with a message that helps."""

from __future__ import annotations

from mlcube_conformance.clauses.clause import Clause

__all__ = ["FILES"]

_FILE = "conformance_tests/runner/test_file.py"

FILES = (
    Clause(
        id="FILE-3",
        sentence="where mlcube.yaml is missing, the message has the expected path",
        evidence="mlcube 756eb0e ends with a traceback, on cubes that it shipped",
        fact=65,
        test=f"{_FILE}::test_missing_definition",
    ),
    Clause(
        id="FILE-4",
        sentence="an unknown key is reported with the file and the key",
        evidence="mlcube 756eb0e prints a nested structure of its schema library",
        fact=66,
        test=f"{_FILE}::test_unknown_key",
    ),
    Clause(
        id="FILE-5",
        sentence="a tag that would make an object is refused, and nothing is executed",
        evidence="mlcube 756eb0e runs code from a cube's YAML",
        fact=67,
        test=f"{_FILE}::test_unsafe_yaml",
    ),
    Clause(
        id="FILE-6",
        level="SHOULD",
        sentence=(
            "a duplicate key is refused, or its last value counts and a warning "
            "names it"
        ),
        evidence="a run file in examples b1b89da has one",
        fact=68,
        test=f"{_FILE}::test_duplicate_key",
    ),
    Clause(
        id="FILE-7",
        sentence=(
            "Windows line ends, quotes, odd indentation and a missing final newline "
            "are read"
        ),
        evidence="examples 34b4365 had its files converted",
        fact=69,
        test=f"{_FILE}::test_odd_yaml",
    ),
    Clause(
        id="FILE-8",
        sentence="a platform file of another kind is refused",
        evidence=(
            "mlcube 756eb0e runs a cube with a platform file of Singularity on Docker"
        ),
        fact=70,
        needs=("platform-files",),
        test=f"{_FILE}::test_platform_of_another_kind",
    ),
    Clause(
        id="FILE-9",
        sentence="a platform file outside the cube works",
        evidence="one file for many cubes; confirmed in mlcube 756eb0e",
        fact=71,
        needs=("platform-files",),
        test=f"{_FILE}::test_platform_outside_the_cube",
    ),
    Clause(
        id="FILE-10",
        sentence=(
            "an older form of the platform file is read, or refused by a message that "
            "says what is expected"
        ),
        evidence="mlcube 756eb0e refuses the form that its own documents show",
        fact=72,
        needs=("platform-files",),
        test=f"{_FILE}::test_older_platform_schema",
    ),
    Clause(
        id="FILE-11",
        sentence="settings of a user that an older version wrote keep working",
        evidence="mlcube#307, mlcube 6d98b94 (#303)",
        fact=73,
        why_not="each runner has settings of its own; the runners here have none",
    ),
)
