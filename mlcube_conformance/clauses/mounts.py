"""What a task sees of the host, and how."""

from __future__ import annotations

from mlcube_conformance.clauses.clause import Clause

__all__ = ["MOUNTS"]

_MOUNT = "conformance_tests/runner/test_mount.py"

MOUNTS = (
    Clause(
        id="MOUNT-1",
        sentence="the missing folder of an output file is created",
        evidence="mlcube#200",
        fact=20,
        test=f"{_MOUNT}::test_parent_of_output_file",
    ),
    Clause(
        id="MOUNT-2",
        sentence="a missing output file does not become a folder",
        evidence=(
            "Docker creates a folder for a missing source of a mount; mlcube "
            "d6a46c7 guards against it"
        ),
        fact=21,
        test=f"{_MOUNT}::test_output_file_is_no_directory",
    ),
    Clause(
        id="MOUNT-3",
        sentence=(
            "the argument of a file ends with the name of the file, which is readable "
            "there"
        ),
        evidence="the runners of 2020 mount the folder of a file and add its name",
        fact=22,
        test=f"{_MOUNT}::test_file_argument",
    ),
    Clause(
        id="MOUNT-4",
        sentence="two files in one folder share a mount, and each has its own argument",
        evidence="confirmed in mlcube ab5b38f and 6b32fa3",
        fact=23,
        test=f"{_MOUNT}::test_two_files_in_a_folder",
    ),
    Clause(
        id="MOUNT-5",
        sentence=(
            "a folder that is an input and an output is one writable mount, and "
            "both arguments name it"
        ),
        evidence="the federated MNIST cube of examples b1b89da passes its model so",
        fact=24,
        test=f"{_MOUNT}::test_same_folder_in_and_out",
    ),
    Clause(
        id="MOUNT-6",
        sentence="a folder with and without a slash at its end is the same mount",
        evidence="mlcube 756eb0e mounts it twice; 6b32fa3 does not",
        fact=25,
        test=f"{_MOUNT}::test_trailing_slash",
    ),
    Clause(
        id="MOUNT-7",
        sentence=(
            "a folder and one inside it can both be parameters, each with its own "
            "content"
        ),
        evidence="confirmed in mlcube ab5b38f",
        fact=26,
        test=f"{_MOUNT}::test_nested_folders",
    ),
    Clause(
        id="MOUNT-8",
        sentence="no argument of a task holds a path of the host",
        evidence=(
            "mlcube 922537d (#291): such paths broke on other systems; mlcube#136, "
            "mlcube#140"
        ),
        fact=34,
        needs=("containers",),
        test=f"{_MOUNT}::test_no_host_path",
    ),
    Clause(
        id="MOUNT-9",
        sentence=(
            "nothing is mounted at or above the folder of the implementation in the "
            "image, /workspace"
        ),
        evidence=(
            "a mount there would hide the program; the runners of 2020 chose a name "
            "of their own for mounts"
        ),
        fact=35,
        needs=("containers",),
        test=f"{_MOUNT}::test_implementation_is_not_hidden",
    ),
    Clause(
        id="MOUNT-10",
        sentence="an input with opts ro cannot be written to by the task",
        evidence="mlcube 5973fe1 (#267), 394a301 (#279); medperf#222",
        fact=38,
        needs=("containers", "single-file"),
        test=f"{_MOUNT}::test_read_only_input",
    ),
    Clause(
        id="MOUNT-11",
        sentence=(
            "a read-only input does not make an output in the same folder read-only"
        ),
        evidence=(
            "mlcube 6b32fa3 mounts such a folder read-only, and the task cannot write "
            "its result"
        ),
        fact=39,
        needs=("single-file",),
        test=f"{_MOUNT}::test_read_only_input_beside_output",
    ),
    Clause(
        id="MOUNT-12",
        level="SHOULD",
        sentence=(
            "a folder that is asked for read-only and writable is writable, and a "
            "warning says so"
        ),
        evidence="confirmed in mlcube 6b32fa3",
        fact=40,
        needs=("single-file",),
        test=f"{_MOUNT}::test_conflicting_modes",
    ),
)
