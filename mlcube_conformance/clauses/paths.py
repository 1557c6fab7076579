"""Paths of a host reach the task as they were meant."""

from __future__ import annotations

from mlcube_conformance.clauses.clause import Clause

__all__ = ["PATHS"]

_PATH = "conformance_tests/runner/test_path.py"

PATHS = (
    Clause(
        id="PATH-1",
        sentence=(
            "spaces in the path of the cube, in that of the workspace and in a value "
            "reach the task unharmed"
        ),
        evidence="medperf#588; mlcube 6b32fa3 splits the words of the path",
        fact=15,
        test=f"{_PATH}::test_spaces",
    ),
    Clause(
        id="PATH-2",
        sentence=(
            "quotes, semicolons, ampersands, backquotes and $(…) in a value stay "
            "text, and nothing is executed"
        ),
        evidence=(
            "mlcube ab5b38f to 6b32fa3: each hands one text to a shell, which ran "
            "what a value held"
        ),
        fact=16,
        test=f"{_PATH}::test_shell_characters",
    ),
    Clause(
        id="PATH-3",
        sentence=(
            "non-ASCII characters in paths, names and values reach the task unharmed"
        ),
        evidence="confirmed in mlcube ab5b38f and 6b32fa3",
        fact=17,
        test=f"{_PATH}::test_unicode",
    ),
    Clause(
        id="PATH-4",
        sentence="a value that has equals signs in it is kept whole",
        evidence="mlcube 6b32fa3 cuts a=b=c to a=b",
        fact=18,
        needs=("override",),
        test=f"{_PATH}::test_equals_sign",
    ),
    Clause(
        id="PATH-5",
        sentence=(
            "a colon in a path of the host works, or is refused with a message that "
            "shows it"
        ),
        evidence="mlcube#140: a volume of Docker is split at its colons",
        fact=19,
        test=f"{_PATH}::test_colon",
    ),
    Clause(
        id="PATH-6",
        sentence=(
            "a relative value is a path below the workspace, and nothing appears in "
            "the current folder"
        ),
        evidence=(
            "mlcube 756eb0e passes it on, and Docker takes it for the name of a volume"
        ),
        fact=27,
        test=f"{_PATH}::test_relative_value",
    ),
    Clause(
        id="PATH-7",
        sentence="a value that is a file name alone is a file in the workspace",
        evidence="mlcube ab5b38f crashes, as such a name has no folder to make",
        fact=28,
        test=f"{_PATH}::test_bare_file_name",
    ),
    Clause(
        id="PATH-8",
        sentence="an absolute value outside the cube is used unchanged",
        evidence=(
            "user data are seldom in a cube; confirmed in mlcube ab5b38f and later"
        ),
        fact=29,
        needs=("override",),
        test=f"{_PATH}::test_absolute_value",
    ),
    Clause(
        id="PATH-9",
        sentence="an absolute value is not put behind the path of the workspace",
        evidence="mlcube 9daf39b (#290)",
        fact=30,
        needs=("override",),
        test=f"{_PATH}::test_no_concatenation",
    ),
    Clause(
        id="PATH-10",
        sentence=(
            "a leading ~ stands for the home of the user, the same for the folder, "
            "the mount and the argument"
        ),
        evidence="mlcube ab5b38f makes one folder and mounts another",
        fact=31,
        needs=("override",),
        test=f"{_PATH}::test_home",
    ),
    Clause(
        id="PATH-11",
        sentence=(
            "$WORKSPACE is replaced wherever it stands in a value; ${WORKSPACE} is "
            "replaced too, or refused"
        ),
        evidence="the runners of 2020 and 2021 leave the second form as text",
        fact=32,
        needs=("multi-file",),
        test=f"{_PATH}::test_workspace_variable",
    ),
    Clause(
        id="PATH-12",
        sentence=(
            "a cube that is named by an absolute path, by a relative one or by a dot "
            "gives the task the same arguments"
        ),
        evidence="mlcube 756eb0e makes the path absolute first",
        fact=33,
        test=f"{_PATH}::test_ways_to_name_the_cube",
    ),
    Clause(
        id="PATH-13",
        sentence=(
            "a value with a link or with .. in it means the folder that it resolves to"
        ),
        evidence="mlcube 6b32fa3 passes both on as written",
        fact=41,
        test=f"{_PATH}::test_links_and_parent_folders",
    ),
)
