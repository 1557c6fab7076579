"""How images are built by Docker: by what, from what, and when again."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests import warm
from tests.cube_folders import BUSYBOX, CubeFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.conftest import RunSuite

pytestmark = pytest.mark.docker


def _configure(
    cube: CubeFolder, *words: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(*warm.python("mlcube_docker_run"), "configure"),
            *(f"--mlcube={cube.root}", "--platform=docker", *words),
        ],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def no_command_line(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a machine without Docker's command line."""
    (tmp_path / "bin").mkdir()
    return {"PATH": str(tmp_path / "bin")}


@pytest.fixture
def moving(docker_client: docker.DockerClient) -> Iterator[str]:
    """Return the name of an image that can be moved."""
    name = f"mlcube-conformance/test-moving-{uuid4().hex[:12]}:1"
    docker_client.images.get(BUSYBOX).tag(name)
    yield name
    docker_client.images.remove(name, force=True)


def _move(name: str) -> None:
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", name, "-"],
        input=f"FROM {BUSYBOX}\nRUN touch /moved-{uuid4().hex}\n",
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


@pytest.mark.parametrize(
    "lines",
    [
        "RUN --mount=type=cache,target=/cache touch /cache/x\n",
        "RUN --mount=type=bind,source=task.sh,target=/t grep -q task /t\n",
        "COPY --chmod=700 task.sh /other\n",
        "FROM --platform=$BUILDPLATFORM {base} AS tools\nFROM {base}\n",
    ],
    ids=["cache", "bind", "chmod", "build-platform"],
)
def test_recipe_of_buildkit_is_built(lines: str, cube_folder: CubeFolder) -> None:
    cube_folder.edit("build/Dockerfile", "COPY", f"{lines.format(base=BUSYBOX)}COPY")

    done = _configure(cube_folder)

    assert done.returncode == 0, done.stderr
    assert "built (by BuildKit)" in done.stderr


def test_without_a_command_line_the_classic_builder_builds(
    cube_folder: CubeFolder, no_command_line: dict[str, str]
) -> None:
    done = _configure(cube_folder, **no_command_line)

    assert done.returncode == 0, done.stderr
    assert "built (by the classic builder)" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "RUN --mount=type=cache,target=/x true",
        "COPY --link task.sh /x",
        "RUN <<EOF\necho x\nEOF",
        "FROM --platform=$BUILDPLATFORM busybox AS tools",
    ],
    ids=["mount", "link", "heredoc", "platform"],
)
def test_recipe_that_the_classic_builder_does_not_know_is_the_machines_fault(
    line: str,
    cube_folder: CubeFolder,
    no_command_line: dict[str, str],
) -> None:
    cube_folder.edit("build/Dockerfile", "COPY", f"{line}\nCOPY")

    done = _configure(cube_folder, **no_command_line)

    assert done.returncode == 125
    assert "expected: a builder that knows what the recipe uses" in done.stderr
    assert "install BuildKit's command line" in done.stderr


def test_misspelt_flag_is_the_fault_of_the_cube(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.edit("build/Dockerfile", "COPY", "COPY --form=x task.sh /x\nCOPY")

    run = run_suite("--cube", cube_folder.root, "--platform", "docker")

    assert list(run.verdict("failed")) == ["test_image_builds[tiny-docker]"]
    assert "form" in run.output
    assert "fix the recipe" in run.output


def test_frontend_that_cannot_be_fetched_is_done_without(
    cube_folder: CubeFolder,
) -> None:
    text = (cube_folder.root / "build/Dockerfile").read_text()
    name = "# syntax=localhost:1/docker/dockerfile:1\n"
    cube_folder.write("build/Dockerfile", name + text)

    done = _configure(cube_folder)

    assert done.returncode == 0, done.stderr
    assert "the line `# syntax=` is left out" in done.stderr
    assert "built (by BuildKit)" in done.stderr


@pytest.mark.parametrize("stage", ["FROM {0}\n", "FROM {0} AS a\nFROM {1}\n"])
def test_image_is_built_again_when_a_base_has_moved(
    stage: str, cube_folder: CubeFolder, moving: str
) -> None:
    cube_folder.edit(
        "build/Dockerfile", f"FROM {BUSYBOX}\n", stage.format(moving, BUSYBOX)
    )
    first, second = _configure(cube_folder), _configure(cube_folder)
    _move(moving)
    third, fourth = _configure(cube_folder), _configure(cube_folder)

    assert "built (by BuildKit)" in first.stderr
    assert "up to date" in second.stderr
    assert "built (by BuildKit)" in third.stderr
    assert "up to date" in fourth.stderr


def test_always_builds_each_time(cube_folder: CubeFolder) -> None:
    found = [_configure(cube_folder, "--build-strategy=always") for _ in range(2)]

    assert all("built (by BuildKit)" in each.stderr for each in found)


def test_runs_do_not_change_what_a_cube_that_is_its_own_context_is_built_from(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    text = (cube_folder.root / "build/Dockerfile").read_text()
    name = f"mlcube-conformance/test-{uuid4().hex[:12]}:1"
    cube = CubeFolder(tmp_path / "own")
    cube.write("task.sh", "true")
    cube.write("Dockerfile", f"{text}COPY . /all\nRUN ! ls /all/workspace\n")
    cube.write(
        "mlcube.yaml",
        f"docker: {{image: {name}, build_context: ., build_strategy: auto}}\n"
        "tasks: {make: {parameters: {outputs: {out: out.txt}}}}\n",
    )

    first = _configure(cube)
    for each in ("workspace/new", ".git/index", ".mlcube-conformance/x/record.json"):
        cube.write(each, "later")
    second = _configure(cube)
    cube.write("Dockerfile", f"{text}COPY workspace/new /new\n")
    third = _configure(cube)

    assert "built" in first.stderr
    assert "up to date" in second.stderr
    assert third.returncode == 0, third.stderr


def test_missing_program_for_passwords_is_done_without(
    cube_folder: CubeFolder, no_command_line: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"credsStore": "of-another-machine"}')

    by_library = _configure(cube_folder, DOCKER_CONFIG=str(tmp_path), **no_command_line)
    cube_folder.tasks(make="true")
    by_buildkit = _configure(cube_folder, DOCKER_CONFIG=str(tmp_path))

    assert by_library.returncode == 0, by_library.stderr
    assert "docker-credential-of-another-machine is not found" in by_library.stderr
    assert by_buildkit.returncode == 0, by_buildkit.stderr


def test_argument_of_the_command_line_is_hidden_and_that_of_the_cube_changes_nothing(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.edit("build/Dockerfile", "COPY", 'ARG TOKEN\nRUN test "$TOKEN"\nCOPY')
    value = "hush-hush-hush"

    done = _configure(
        cube_folder,
        *("--build-arg=TOKEN", f"--logs={tmp_path / 'logs'}"),
        TOKEN=value,
    )

    assert done.returncode == 0, done.stderr
    log = (tmp_path / "logs" / "configure.log").read_text()
    assert "RUN test" in log
    assert value not in done.stderr + log
