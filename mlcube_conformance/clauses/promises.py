"""The clauses of what cubes promise beyond their format, each with a test."""

from __future__ import annotations

from mlcube_conformance.clauses.clause import Clause

__all__ = ["PROMISES"]

_TESTS = "conformance_tests/cube/test_promises.py"


def _promise(number: int, sentence: str, evidence: str, test: str) -> Clause:
    return Clause(
        id=f"PROMISE-{number}",
        who="cube",
        sentence=sentence,
        evidence=evidence,
        test=f"{_TESTS}::{test}",
    )


PROMISES = (
    _promise(
        1,
        "an output folder has the files that the cube promises",
        "planemo and the nf-core test suites check the names of results",
        "test_outputs_have_promised_files",
    ),
    _promise(
        2,
        "an output folder has no files that the cube rules out",
        "core dumps and temporary files that are left beside results",
        "test_outputs_have_no_unwanted_files",
    ),
    _promise(
        3,
        "an output has the size that the cube promises",
        "a model file that holds an error page of 500 bytes",
        "test_outputs_have_promised_size",
    ),
    _promise(
        4,
        "files have the SHA-256 that the cube promises",
        "data sets that a mirror has replaced",
        "test_files_have_promised_sha256",
    ),
    _promise(
        5,
        "files hold the text that the cube promises",
        "logs that are required for a submission and lack a line",
        "test_files_hold_promised_text",
    ),
    _promise(
        6,
        "values in JSON, YAML and CSV files are as the cube promises",
        "medperf checks no prediction: a model of random weights passes",
        "test_values_are_as_promised",
    ),
    _promise(
        7,
        "an output is what the cube stored as expected, within its tolerance",
        "nf-core modules keep snapshots of results, and find changes by them",
        "test_outputs_are_as_stored",
    ),
    _promise(
        8,
        "a task fails on the broken inputs that the cube names, and claims no result",
        "examples #61: the first MNIST cube exits with 0 after an exception",
        "test_broken_inputs_are_refused",
    ),
)
