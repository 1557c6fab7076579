"""A cube runs on another host as it runs here."""

from __future__ import annotations

from mlcube_conformance.clauses.clause import Clause

__all__ = ["REMOTE"]

_REMOTE = "conformance_tests/runner/test_remote.py"

REMOTE = (
    Clause(
        id="REMOTE-2",
        sentence=(
            "outputs in folders of the workspace come back, and nothing outside it does"
        ),
        evidence="mlcube 6b32fa3 lost the option to copy folders",
        fact=96,
        needs=("remote",),
        test=f"{_REMOTE}::test_nested_output_comes_back",
    ),
    Clause(
        id="REMOTE-3",
        sentence="the key file that is named serves the login and the copying",
        evidence="mlcube 756eb0e builds a broken operand for rsync of it",
        fact=97,
        needs=("remote",),
        test=f"{_REMOTE}::test_identity_file",
    ),
    Clause(
        id="REMOTE-4",
        sentence="the key identity_file is used: a wrong file makes the command fail",
        evidence="mlcube 756eb0e reads a misspelt key",
        fact=98,
        needs=("remote",),
        test=f"{_REMOTE}::test_wrong_identity_file",
    ),
    Clause(
        id="REMOTE-5",
        sentence="a second configure succeeds on a host that has been set up before",
        evidence="mlcube 6ff325d (#145)",
        fact=99,
        needs=("remote",),
        test=f"{_REMOTE}::test_second_configure",
    ),
    Clause(
        id="REMOTE-6",
        sentence=(
            "run files in sub-folders and values of the command line arrive at the host"
        ),
        evidence="mlcube ab5b38f keeps only the file's name; 6b32fa3 drops the values",
        fact=100,
        needs=("remote",),
        test=f"{_REMOTE}::test_run_file_in_folder",
    ),
    Clause(
        id="REMOTE-7",
        sentence="a host whose platform is Singularity works",
        evidence="mlcube 756eb0e ends with ValueError, against its documents",
        fact=101,
        needs=("remote",),
        test=f"{_REMOTE}::test_singularity_on_host",
    ),
    Clause(
        id="REMOTE-8",
        sentence="the variables of the platform file reach the task on the host",
        evidence="mlcube ab5b38f reads them and does nothing with them",
        fact=102,
        needs=("remote",),
        test=f"{_REMOTE}::test_variables",
    ),
    Clause(
        id="REMOTE-9",
        sentence=(
            "files of the workspace here stay when outputs come back, and outputs "
            "keep their modes"
        ),
        evidence="the runners of 2020 copy names and bytes, no modes",
        fact=103,
        needs=("remote",),
        test=f"{_REMOTE}::test_local_files_stay",
    ),
    Clause(
        id="REMOTE-10",
        sentence=(
            "two cubes whose folders have the same name do not disturb each other on "
            "the host"
        ),
        evidence="mlcube 756eb0e puts a cube in a folder of its base name alone",
        fact=104,
        needs=("remote",),
        test=f"{_REMOTE}::test_equal_folder_names",
    ),
)
