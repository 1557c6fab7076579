"""What `.dockerignore` leaves out is missing wherever a Dockerfile is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

DOCKER = pytest.param("docker", marks=pytest.mark.docker)
SINGULARITY = pytest.param("singularity", marks=pytest.mark.singularity)
PLATFORMS = ["local", DOCKER, SINGULARITY]
FILES = {
    ".dockerignore": "*.log\ndata/*\n!data/kept\nall\n!all/but/this\nlogs?\n",
    "a.log": "",
    "b.txt": "",
    "data/gone": "",
    "data/kept/x": "",
    "all/gone": "",
    "all/but/this": "",
    "all/but/gone": "",
    "logs1/x": "",
}
SEEN = "./all/but/this ./b.txt ./data/kept/x"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_task_sees_what_the_file_keeps(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str
) -> None:
    for name, text in FILES.items():
        cube_folder.write(f"build/{name}", text)
    cube_folder.edit("build/Dockerfile", "COPY task.sh /task.sh", "COPY . /app")
    cube_folder.edit("build/Dockerfile", "/task.sh", "/app/task.sh")
    cube_folder.tasks(
        make='cd "${0%/*}"; echo $(find . -type f ! -name "task.sh" ! -name "Docker*" '
        '! -name ".docker*" | sort) >"$data/part"; '
        f'[ "$(cat "$data/part")" = "{SEEN}" ] || {{ cat "$data/part"; exit 7; }}'
    )

    run = run_suite("--cube", cube_folder.root, "--platform", platform)

    assert run.exit_code == 0, run.output


@pytest.mark.parametrize(
    ("platform", "line"),
    [
        ("local", "COPY secret.txt /x"),
        ("local", "COPY all/gone task.sh /x/"),
        pytest.param("docker", "COPY secret.txt /x", marks=pytest.mark.docker),
        pytest.param("singularity", "COPY all /x", marks=pytest.mark.singularity),
    ],
)
def test_line_that_copies_what_is_left_out_fails(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str, line: str
) -> None:
    cube_folder.write("build/.dockerignore", "secret*\nall\n")
    cube_folder.write("build/secret.txt", "x")
    cube_folder.write("build/all/gone", "x")
    cube_folder.edit("build/Dockerfile", "COPY", f"{line}\nCOPY")

    run = run_suite("--cube", cube_folder.root, "--platform", platform)

    (test, text), *_ = run.verdict("failed").items()
    assert test.startswith("test_image"), run.output
    assert line.split()[1] in text
    assert platform == "docker" or "which .dockerignore leaves out" in text
