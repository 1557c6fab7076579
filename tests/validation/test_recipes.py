"""What is wrong with recipes, found without a build: each row has a sound neighbour."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.validation.cubes import check_cube
from tests.cube_folders import make_cube
from tests.single_file_cubes import make_matmul, make_metrics

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cube_folders import CubeFolder

#: Clause, level, name of the file, line, and the beginning of what is said.
Found = tuple[str, str, str, int, str]

EXEC = 'ENTRYPOINT ["/bin/sh", "/task.sh"]'
SCRIPT = "#!/bin/sh\nexit 0\n"
RECIPE = "Bootstrap: docker\nFrom: busybox:stable\n"
RUN = '%runscript\n    exec /bin/sh /task.sh "$@"\n'

MISSING = "a file that the Dockerfile copies does not exist"
OUTSIDE = "a path that the Dockerfile copies points out of the context"
LEFT_OUT = "a file that the Dockerfile copies is left out of the build"
DROPS = "the ENTRYPOINT drops the arguments of tasks"
BY_CMD = "the Dockerfile has a CMD and no ENTRYPOINT"
UNPINNED = "a base image has no tag, or the tag latest"
RELATIVE = "the entry point of 'cube' has a relative path"
NOT_READ = "an instruction of Dockerfile cannot be read"
NO_MODE = "the entry point 'go.sh' is not executable"
NO_NAME = "the entry point 'go.sh' names no interpreter"
WINDOWS = "the script 'go.sh' has line ends of Windows"
NO_SCRIPT = "the recipe of Singularity has no %runscript"
DROPS_TOO = "the %runscript drops the arguments of tasks"
REFUSED = "the recipe of Singularity cannot be used"


def _found(place: Path) -> list[Found]:
    return [
        (
            each.clause,
            each.level,
            each.source.file.name if each.source else "",
            each.source.line if each.source else 0,
            each.message.what,
        )
        for each in check_cube(place).flaws
    ]


@pytest.fixture
def cube(tmp_path: Path) -> CubeFolder:
    cube = make_cube(tmp_path / "cube")
    cube.write("build/Dockerfile", f"FROM busybox:1\nCOPY task.sh /task.sh\n{EXEC}\n")
    for name in ("a b", "sub/deep.txt", "plain.txt"):
        cube.write(f"build/{name}", "x")
    for name, to in {
        "link.txt": "plain.txt",
        "links": "sub",
        "out.txt": "../mlcube.yaml",
    }.items():
        (cube.root / "build" / name).symlink_to(to)
    return cube


def _docker(*rows: Found | tuple[str, int, str]) -> list[Found]:
    levels = {"RECIPE-3": "warning", "RECIPE-4": "warning", "IMAGE-12": "warning"}
    return [
        row
        if len(row) > 3
        else (row[0], levels.get(row[0], "error"), "Dockerfile", row[1], row[2])
        for row in rows
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # The entry point.
        (f"FROM b:1\n{EXEC}", []),
        ("FROM b:1\nENTRYPOINT python3 /a.py", [("RECIPE-1", 2, DROPS)]),
        ('FROM b:1\nENTRYPOINT python3 /a.py "$0" "$@"', []),
        (
            'FROM b:1\nENTRYPOINT ["sh", "-c", "python3 /a.py"]',
            [("RECIPE-1", 2, DROPS)],
        ),
        ('FROM b:1\nENTRYPOINT ["sh", "-c", "/a $@", "sh"]', []),
        ('FROM b:1\nRUN x\nCMD ["/a"]', [("RECIPE-1", 3, BY_CMD)]),
        (f'FROM b:1\nCMD ["/a"]\n{EXEC}', []),
        ("FROM b:1", [("RECIPE-3", 1, "the Dockerfile has no ENTRYPOINT")]),
        (
            f'FROM b:1 AS one\n{EXEC}\nFROM c:1\nCMD ["x"]',
            [("RECIPE-1", 4, BY_CMD)],
        ),
        (f"FROM b:1 AS one\n{EXEC}\nFROM one", []),
        ('FROM b:1\n\nENTRYPOINT ["python3", "a.py"]', [("IMAGE-12", 3, RELATIVE)]),
        ("FROM b:1\nENTRYPOINT cd /a && python3 a.py $@", []),
        # Base images.
        (f"FROM busybox\n{EXEC}", [("RECIPE-4", 1, UNPINNED)]),
        (f"FROM --platform=x r.org:5/b:latest\n{EXEC}", [("RECIPE-4", 1, UNPINNED)]),
        (f"FROM r.org:5/b\n{EXEC}", [("RECIPE-4", 1, UNPINNED)]),
        (f"FROM r.org:5/b@sha256:abc\n{EXEC}", []),
        (f"ARG B=b:1\nFROM $B\n{EXEC}", []),
        (f"ARG V\nFROM b:$V\n{EXEC}", []),
        (f"FROM scratch\n{EXEC}", []),
        (f"FROM x AS unused\nFROM b:1\n{EXEC}", []),
        (
            f"FROM x AS used\nFROM b:1\nCOPY --from=used /a /a\n{EXEC}",
            [("RECIPE-4", 1, UNPINNED)],
        ),
        (
            f"ARG B\nFROM $B\n{EXEC}",
            [
                (
                    "IMAGE-1",
                    "warning",
                    "Dockerfile",
                    2,
                    "FROM names no image without a --build-arg",
                )
            ],
        ),
        # What is copied.
        (f"FROM b:1\nCOPY no.txt /\n{EXEC}", [("IMAGE-1", 2, MISSING)]),
        (f"FROM b:1\nCOPY plain.txt /\nADD sub /sub\n{EXEC}", []),
        (f"FROM b:1\n# x\nRUN a \\\n  b\nADD no /\n{EXEC}", [("IMAGE-1", 5, MISSING)]),
        (f'FROM b:1\nCOPY ["a b", "/"]\n{EXEC}', []),
        (
            f'FROM b:1\nCOPY "a b" /\n{EXEC}',
            [("IMAGE-1", "note", "Dockerfile", 2, NOT_READ)],
        ),
        (f"FROM b:1\nCOPY *.txt su?/d*.txt /\n{EXEC}", []),
        (f"FROM b:1\nCOPY *.py /\n{EXEC}", [("IMAGE-1", 2, MISSING)]),
        (f"FROM b:1\nCOPY /plain.txt sub ./ /x/\n{EXEC}", []),
        (
            f"FROM b:1\nCOPY ../sub /x/\n{EXEC}",
            [("IMAGE-1", "warning", "Dockerfile", 2, OUTSIDE)],
        ),
        (f"FROM b:1\nCOPY link.txt links/deep.txt /x/\n{EXEC}", []),
        (f"FROM b:1\nCOPY out.txt /x/\n{EXEC}", [("IMAGE-1", 2, MISSING)]),
        (f"FROM b:1\nCOPY ../../mlcube.yaml /\n{EXEC}", [("IMAGE-1", 2, MISSING)]),
        (f"FROM b:1\nARG F=no\nCOPY $F /\n{EXEC}", [("IMAGE-1", 3, MISSING)]),
        (f"FROM b:1\nARG F\nCOPY $F/x $TARGETARCH/y /z/\n{EXEC}", []),
        (f"FROM b:1\nADD https://x.org/a git@x.org:a/b.git /\n{EXEC}", []),
        (f"FROM b:1\nCOPY --from=other:1 /no /\n{EXEC}", []),
        (f"FROM b:1\nCOPY <<EOF <<END /a/\nCOPY no /\nEOF\nEND\n{EXEC}", []),
        (f"FROM b:1\nRUN <<-'EOF'\nCOPY no /\n\tEOF\n{EXEC}", []),
        (f"FROM b:1 AS unused\nCOPY no /\nFROM b:1\n{EXEC}", []),
        (
            "FROM b:1 AS a\nCOPY no /\nFROM a AS c\nFROM b:1\n"
            "RUN --mount=from=1,target=/x x\n" + EXEC,
            [("IMAGE-1", 2, MISSING)],
        ),
        # What cannot be read.
        (f"FROM b:1\nCOPPY a /\n{EXEC}", [("IMAGE-1", 2, NOT_READ)]),
        (
            f"FROM b:1\nENV A=${{B%c}}\n{EXEC}",
            [("IMAGE-1", "note", "Dockerfile", 2, NOT_READ)],
        ),
        (f"# none\n{EXEC}", [("IMAGE-1", 0, "Dockerfile has no FROM")]),
    ],
)
def test_dockerfile(text: str, found: list[Found], cube: CubeFolder) -> None:
    cube.write("build/Dockerfile", text)

    assert _found(cube.root) == _docker(*found)


@pytest.mark.parametrize(
    ("ignored", "source", "found"),
    [
        ("*.txt", "plain.txt", [("IMAGE-1", 2, LEFT_OUT)]),
        ("*.txt\n!plain.txt", "plain.txt", []),
        ("sub", "sub/deep.txt", [("IMAGE-1", 2, LEFT_OUT)]),
        ("sub", "sub", [("IMAGE-1", 2, LEFT_OUT)]),
        ("sub\n!sub/deep.txt", "sub", []),
        ("*", ".", []),
        ("*", "*.txt", [("IMAGE-1", 2, LEFT_OUT)]),
        ("other", "no.txt", [("IMAGE-1", 2, MISSING)]),
        (
            "[",
            "plain.txt",
            [("IMAGE-1", "error", ".dockerignore", 0, ".dockerignore cannot be read")],
        ),
    ],
)
def test_what_is_ignored(
    ignored: str, source: str, found: list[Found], cube: CubeFolder
) -> None:
    cube.write("build/.dockerignore", ignored)
    cube.write("build/Dockerfile", f"FROM b:1\nCOPY {source} /x/\n{EXEC}")

    assert _found(cube.root) == _docker(*found)


@pytest.mark.parametrize(
    ("script", "mode", "recipe", "found"),
    [
        (SCRIPT, 0o755, "COPY go.sh /app/", []),
        (SCRIPT, 0o644, "COPY go.sh /app/", [("error", 0, NO_MODE)]),
        (SCRIPT, 0o644, "COPY . /app", [("error", 0, NO_MODE)]),
        (SCRIPT, 0o644, "WORKDIR /app\nCOPY *.sh ./", [("error", 0, NO_MODE)]),
        (SCRIPT, 0o644, "COPY --chmod=755 go.sh /app/", []),
        (SCRIPT, 0o644, "COPY go.sh /app/\nRUN chmod +x /app/go.sh", []),
        (SCRIPT, 0o644, "COPY . /app\nRUN chmod -R +x /app", []),
        (SCRIPT, 0o644, "COPY . /app\nRUN <<EOF\nchmod +x /app/go.sh\nEOF", []),
        (
            SCRIPT,
            0o644,
            "COPY . /app\nRUN pip install x && chmod +x /other.sh",
            [("error", 0, NO_MODE)],
        ),
        (SCRIPT, 0o644, "RUN make /app/go.sh", []),
        ("exit 0\n", 0o755, "COPY go.sh /app/", [("error", 1, NO_NAME)]),
        ("\x7fELF\x00", 0o755, "COPY go.sh /app/", []),
        ("#!/bin/sh\r\nx\r\n", 0o755, "COPY go.sh /app/", [("error", 1, WINDOWS)]),
        ("#!/bin/sh\nx\ny\r\n", 0o755, "COPY go.sh /app/", [("error", 3, WINDOWS)]),
        ("#!/usr/bin/python3\nx\r\n", 0o755, "COPY go.sh /app/", []),
        (
            "#!/usr/bin/python3\r\nx\r\n",
            0o755,
            "COPY go.sh /app/",
            [("error", 1, WINDOWS)],
        ),
        (
            "#!/bin/sh\r\n",
            0o755,
            "COPY go.sh /app/\nRUN sed -i 's/\\r//' /app/go.sh",
            [],
        ),
    ],
)
@pytest.mark.parametrize("shell", [False, True], ids=["exec", "shell"])
def test_script_that_is_started(
    script: str,
    mode: int,
    recipe: str,
    found: list[tuple[str, int, str]],
    shell: bool,  # noqa: FBT001 - of a parameter
    cube: CubeFolder,
) -> None:
    cube.write("build/go.sh", "").write_bytes(script.encode())
    (cube.root / "build/go.sh").chmod(mode)
    entry = 'exec /app/go.sh "$0" "$@"' if shell else '["/app/go.sh"]'
    cube.write("build/Dockerfile", f"FROM b:1\n{recipe}\nENTRYPOINT {entry}")

    assert _found(cube.root) == [
        ("RECIPE-2", level, "go.sh", line, what) for level, line, what in found
    ]


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("exit 0\n", []),
        (
            "exit 0\r\n",
            [
                (
                    "RECIPE-2",
                    "error",
                    "task.sh",
                    1,
                    "the script 'task.sh' has line ends of Windows",
                )
            ],
        ),
    ],
)
def test_script_that_a_shell_reads(
    script: str, found: list[Found], cube: CubeFolder
) -> None:
    (cube.root / "build/task.sh").write_bytes(script.encode())

    assert _found(cube.root) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{RECIPE}{RUN}", []),
        (f"{RECIPE}%files\n    plain.txt /x\n{RUN}", []),
        (RECIPE, [("RECIPE-3", "warning", 2, NO_SCRIPT)]),
        (f"{RECIPE}%runscript\n    exec /a\n", [("RECIPE-1", "error", 3, DROPS_TOO)]),
        (
            f"{RECIPE}%runscript\n    # $@\n    a\n",
            [("RECIPE-1", "error", 3, DROPS_TOO)],
        ),
        (f'{RECIPE}%runscript\n    for x; do a "$x"; done\n', []),
        (
            f'{RECIPE}%runscript\n    exec python3 a.py "$@"\n',
            [("IMAGE-12", "warning", 3, RELATIVE)],
        ),
        (f'{RECIPE}%runscript\n    cd /app\n    exec python3 a.py "$@"\n', []),
        (f"Bootstrap: docker\nFrom: b\n{RUN}", [("RECIPE-4", "warning", 2, UNPINNED)]),
        (f"Bootstrap: docker\nFrom: {{{{ B }}}}\n%arguments\n    B=b\n{RUN}", []),
        (f"Bootstrap: localimage\nFrom: plain.txt\n{RUN}", []),
        (
            f"{RECIPE}%files\n    plain.txt\n    no.txt /x\n{RUN}",
            [("IMAGE-1", "error", 5, REFUSED)],
        ),
        (f"{RECIPE}\n%setup\n    x\n{RUN}", [("IMAGE-1", "error", 4, REFUSED)]),
        (f"{RECIPE}%flies\n{RUN}", [("IMAGE-1", "error", 3, REFUSED)]),
        (
            f"Bootstrap: docker\nFrom: b:{{{{ V }}}}\n{RUN}",
            [("IMAGE-1", "warning", 1, REFUSED)],
        ),
        (
            f"{RECIPE}%runscript\n#!/bin/sh\n/a $@\n".replace("\n", "\r\n"),
            [
                (
                    "RECIPE-2",
                    "warning",
                    4,
                    "the %runscript has line ends of Windows",
                )
            ],
        ),
    ],
)
def test_recipe_of_singularity(
    text: str, found: list[tuple[str, str, int, str]], cube: CubeFolder
) -> None:
    (cube.root / "build/Singularity.recipe").write_bytes(text.encode())

    assert _found(cube.root) == [
        (clause, level, "Singularity.recipe", line, what)
        for clause, level, line, what in found
    ]


def test_script_of_a_recipe_of_singularity_is_looked_at(cube: CubeFolder) -> None:
    cube.write("build/go.sh", SCRIPT).chmod(0o644)
    text = f'{RECIPE}%files\n    go.sh /app/go.sh\n%runscript\n    exec /app/go.sh "$@"'
    cube.write("build/Singularity.recipe", text)

    assert _found(cube.root) == [("RECIPE-2", "error", "go.sh", 0, NO_MODE)]


def test_cube_without_recipe_and_image(cube: CubeFolder) -> None:
    (cube.root / "build/Dockerfile").unlink()
    what = "the cube has neither a recipe nor the name of an image"

    assert _found(cube.root) == [("IMAGE-1", "error", "cube", 0, what)]


NO_CONTEXT = "the build_context is not a folder"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("build_context: build", "build_context: build", []),
        (
            "build_context: build",
            "build_context: builds",
            [("FILE-1", "error", "mlcube.yaml", 4, NO_CONTEXT)],
        ),
        (
            "build_context: build\n  build_strategy: always",
            "build_context: builds\n  build_strategy: auto",
            [("FILE-1", "error", "mlcube.yaml", 4, NO_CONTEXT)],
        ),
        (
            "build_context: build\n  build_strategy: always",
            "build_context: builds\n  build_strategy: pull",
            [],
        ),
        (
            "build_context: build",
            "build_context: build\n  build_file: absent",
            [
                (
                    "IMAGE-1",
                    "error",
                    "absent",
                    0,
                    "the recipe of 'cube' cannot be read",
                )
            ],
        ),
    ],
)
def test_build_of_a_cube_of_one_file(
    old: str, new: str, found: list[Found], tmp_path: Path
) -> None:
    cube = make_matmul(tmp_path / "cube")
    cube.edit("mlcube.yaml", old, new)

    assert _found(cube.root) == found


def test_recipe_that_is_not_used_is_no_problem(tmp_path: Path) -> None:
    cube = make_matmul(tmp_path / "cube")
    cube.edit("mlcube.yaml", "build_strategy: always", "build_strategy: pull")
    cube.edit("build/Dockerfile", "COPY work.sh", "COPY no.sh")

    assert {level for _, level, *_ in _found(cube.root)} == {"warning"}


def test_entry_points_of_tasks_are_looked_at(tmp_path: Path) -> None:
    cube = make_metrics(tmp_path)
    (cube.root / "../project/work.sh").chmod(0o644)
    cube.edit("mlcube.yaml", "entrypoint: /app/work.sh", "entrypoint: ./work.sh")
    what = "the entry point of 'mlcube' has a relative path"

    assert ("IMAGE-12", "warning", "mlcube.yaml", 22, what) in _found(cube.root)

    cube.edit("mlcube.yaml", "entrypoint: ./work.sh", "entrypoint: /app/work.sh")
    mode = "the entry point 'work.sh' is not executable"
    assert ("RECIPE-2", "error", "work.sh", 0, mode) in _found(cube.root)


@pytest.mark.parametrize(
    "text",
    [
        "COPY " + "a b " * 30_000 + " /x/",
        "COPY */*/*/*/* /x/\n" * 900,
        "RUN <<A\n" * 900 + "x\n" * 80_000,
        "RUN " + "--mount=a," * 20_000,
        "ENTRYPOINT " + "$0" * 100_000,
        "ENTRYPOINT " + "'" * 200_001,
        "RUN chmod" + " chmod install -" * 10_000,
    ],
    ids=["sources", "patterns", "texts", "mounts", "words", "quotes", "modes"],
)
def test_no_dockerfile_takes_long(text: str, cube: CubeFolder) -> None:
    cube.write("build/Dockerfile", f"FROM b:1\n{text}")
    began = time.monotonic()

    check_cube(cube.root)

    assert time.monotonic() - began < 8  # It was minutes.


@pytest.mark.parametrize("name", ["mnist"])
def test_the_reference_cube_is_sound(name: str, request: pytest.FixtureRequest) -> None:
    root = request.config.rootpath

    assert _found(root / "cubes" / name) == []
    assert _found(root / "examples" / name) == []
