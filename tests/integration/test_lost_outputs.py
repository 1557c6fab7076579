"""What a task wrote and nobody can use is reported, with what shows where it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

DOCKER = pytest.param("docker", marks=pytest.mark.docker)
SINGULARITY = pytest.param("singularity", marks=pytest.mark.singularity)
PLATFORMS = ["local", DOCKER, SINGULARITY]
STARTS = "test_exits_zero"
APPEAR = "test_outputs_appear"
WHOLE = "test_outputs_are_of_their_type"


def _failed(run_suite: RunSuite, cube: CubeFolder, platform: str, test: str) -> str:
    run = run_suite("--cube", cube.root, "--platform", platform, "--task=make")
    return run.verdict("failed")[f"{test}[tiny-{platform}-make]"]


@pytest.mark.docker
@pytest.mark.parametrize(
    ("volume", "says"),
    [
        ("/mlcube_io1/sub", ("hides part of an output", "workspace/data/sub")),
        ("/mlcube_io1/./a/b/", ("hides part of an output", "workspace/data/a/b")),
        ("/mlcube_io0/sub", ("hides part of an input", "workspace/sub")),
    ],
)
def test_volume_below_a_mount_is_told(
    cube_folder: CubeFolder, run_suite: RunSuite, volume: str, says: tuple[str, ...]
) -> None:
    cube_folder.edit("build/Dockerfile", "COPY", f'VOLUME ["{volume}"]\nCOPY')

    text = _failed(run_suite, cube_folder, "docker", STARTS)

    assert "VOLUME" in text
    for each in says:
        assert each in text


@pytest.mark.docker
def test_volume_beside_the_mounts_and_in_the_place_of_one_does_no_harm(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    volumes = "VOLUME /mlcube_io1 /mlcube_io10 /data"
    cube_folder.edit("build/Dockerfile", "COPY", f"{volumes}\nCOPY")

    run = run_suite("--cube", cube_folder.root, "--platform", "docker")

    assert run.exit_code == 0, run.output


@pytest.mark.parametrize(
    ("platform", "line"),
    [
        pytest.param(name, line, marks=getattr(pytest.mark, name))
        for name, line in (
            ("docker", "RUN echo > /mlcube_io1"),
            ("docker", "RUN ln -s /mlcube_io1 /mlcube_io1"),
            ("singularity", "RUN echo > /mlcube_io1"),
        )
    ],
)
def test_image_without_room_for_a_mount_is_the_fault_of_the_cube(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str, line: str
) -> None:
    cube_folder.edit("build/Dockerfile", "COPY", f"{line}\nCOPY")

    text = _failed(run_suite, cube_folder, platform, STARTS)

    assert "the image has something where a folder must be mounted" in text


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    "closes", ['chmod 000 "$data/part"', 'mkdir "$data/a"; chmod 000 "$data/a"']
)
def test_output_that_cannot_be_read_is_told(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str, closes: str
) -> None:
    cube_folder.tasks(make=f'cat "$seed" > "$data/part"; {closes}')

    text = _failed(run_suite, cube_folder, platform, WHOLE)

    assert "the output 'data' cannot be read" in text
    assert "(mode 000)" in text


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("leads", ["loop", "../../nowhere", "/mlcube_io1/part"])
def test_link_that_leads_nowhere_is_told(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str, leads: str
) -> None:
    cube_folder.tasks(
        make='cat "$seed" > "$data/part"; mkdir "$data/a"; '
        f'ln -s {leads} "$data/a/loop"'
    )

    text = _failed(run_suite, cube_folder, platform, WHOLE)

    assert f"data/a/loop → {leads}" in text


@pytest.mark.parametrize("platform", PLATFORMS)
def test_link_in_the_place_of_a_file_is_told_with_its_target(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str
) -> None:
    cube_folder.edit("tasks/make.yaml", "data, type: directory", "data, type: file")
    cube_folder.edit("tasks/use.yaml", "data, type: directory", "data, type: file")
    cube_folder.tasks(make='ln -s /tmp/model "$data"')

    text = _failed(run_suite, cube_folder, platform, WHOLE)

    assert "the output 'data' is not a file" in text
    assert "data → /tmp/model" in text


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    "again", ['cp -p "$seed" "$data/part"', 'tar -xf t -C "$data"']
)
def test_file_written_again_with_its_old_time_counts_as_made(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    platform: str,
    again: str,
) -> None:
    kept = tmp_path / "kept"
    pack = 'cd "${seed%/*}"; tar -cf /tmp/t seed.txt; cd /tmp; '
    cube_folder.tasks(make=(pack if "tar" in again else "") + again)
    options = ("--task=make", "--workspace", kept)

    first = run_suite("--cube", cube_folder.root, "--platform", platform, *options)
    second = run_suite("--cube", cube_folder.root, "--platform", platform, *options)

    assert first.exit_code == 0, first.output
    assert second.exit_code == 0, second.output


@pytest.mark.parametrize("platform", PLATFORMS)
def test_output_that_a_run_did_not_make_shows_the_log(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str
) -> None:
    cube_folder.tasks(make="echo saved nothing; echo no model here >&2")

    text = _failed(run_suite, cube_folder, platform, APPEAR)

    assert "| stdout: saved nothing" in text
    assert "| stderr: no model here" in text
    assert "make.stderr.log" in text


@pytest.mark.docker
def test_file_that_stayed_in_the_container_is_named(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.edit("build/Dockerfile", "COPY", "RUN mkdir -m 777 /out\nCOPY")
    cube_folder.tasks(make="mkdir /out/model; echo x > /out/model/weights.bin")

    text = _failed(run_suite, cube_folder, "docker", APPEAR)

    assert "written elsewhere: /out/model/weights.bin in the container" in text


@pytest.mark.docker
def test_files_of_the_image_that_a_task_changes_are_named(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    step = "RUN mkdir -m 777 /app /own && touch /app/a /app/b && chmod 666 /app/*\nCOPY"
    cube_folder.edit("build/Dockerfile", "COPY", step)
    cube_folder.tasks(make="echo 2 >>/app/a; rm /app/b; touch /own/x; rm /own/x")

    text = _failed(run_suite, cube_folder, "docker", APPEAR)

    told = text.partition("written elsewhere: ")[2]
    assert told.startswith("/app/a changed in the container")
    assert "/app/b removed from the container" in told
    assert "/own" not in told


@pytest.mark.docker
def test_line_of_a_shell_is_the_cause_of_an_output_that_is_missing(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.edit("build/Dockerfile", '["/bin/sh", "/task.sh"]', "/bin/sh /task.sh")
    cube_folder.write("build/task.sh", "echo nothing\n")

    text = _failed(run_suite, cube_folder, "docker", APPEAR)

    assert "double quotes: a line of a" in text
