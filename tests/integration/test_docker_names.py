"""No run takes the name of an image from somebody else."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import warm
from tests.conftest import run_by_hand
from tests.cube_folders import BUSYBOX

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

pytestmark = pytest.mark.docker


def _name(cube: CubeFolder) -> str:
    name = (cube.root / "mlcube.yaml").read_text().split("name: ")[1].split()[0]
    return f"mlcube-conformance/{name}:0.1.0"


def _call(*words: str, cube: CubeFolder) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(*warm.python("mlcube_docker_run"), *words),
            *(f"--mlcube={cube.root}", "--platform=docker"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def foreign(
    cube_folder: CubeFolder, docker_client: docker.DockerClient
) -> Iterator[str]:
    """Return the id of an image of somebody else that has the cube's name."""
    name = _name(cube_folder)
    repository, _, tag = name.partition(":")
    docker_client.images.get(BUSYBOX).tag(repository, tag)
    yield str(docker_client.images.get(BUSYBOX).id)
    docker_client.images.remove(name, force=True)


def test_a_name_of_somebody_else_stays(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    docker_client: docker.DockerClient,
    foreign: str,
) -> None:
    run = run_suite("--cube", cube_folder.root, "--platform", "docker")
    configured = _call("configure", cube=cube_folder)
    made = _call("run", "--task=make", cube=cube_folder)

    assert run.exit_code == 0, run.output
    assert configured.returncode == 0, configured.stderr
    assert f"{_name(cube_folder)} is an image that was not made" in configured.stderr
    assert "--retag" in configured.stderr
    assert made.returncode == 0, made.stderr
    assert made.stdout == "making\n"
    assert docker_client.images.get(_name(cube_folder)).id == foreign


def test_a_suite_gives_no_image_the_name_of_the_cube(
    cube_folder: CubeFolder, run_suite: RunSuite, docker_client: docker.DockerClient
) -> None:
    run = run_suite("--cube", cube_folder.root, "--platform", "docker")
    after_suite = docker_client.images.list(name=_name(cube_folder))
    made = _call("run", "--task=make", cube=cube_folder)

    assert run.exit_code == 0, run.output
    assert after_suite == []
    assert made.stdout == "making\n", made.stderr


def test_a_label_of_ours_does_not_make_an_image_ours(
    cube_folder: CubeFolder, run_suite: RunSuite, docker_client: docker.DockerClient
) -> None:
    assert _call("configure", cube=cube_folder).returncode == 0
    labels = docker_client.images.get(_name(cube_folder)).labels
    text = f'FROM {BUSYBOX}\nENTRYPOINT ["false"]\n' + "".join(
        f'LABEL "{name}"="{value}"\n' for name, value in labels.items()
    )
    subprocess.run(
        ["docker", "build", "-q", "-t", _name(cube_folder), "-"],
        input=text.encode(),
        check=True,
        capture_output=True,
        timeout=60,
    )
    copied = docker_client.images.get(_name(cube_folder)).id

    run = run_suite("--cube", cube_folder.root, "--platform", "docker")

    assert run.exit_code == 0, run.output
    assert docker_client.images.get(_name(cube_folder)).id == copied


def test_retag_moves_the_name(
    cube_folder: CubeFolder, docker_client: docker.DockerClient, foreign: str
) -> None:
    done = _call("configure", "--retag", cube=cube_folder)

    assert done.returncode == 0, done.stderr
    moved = docker_client.images.get(_name(cube_folder)).id
    assert moved != foreign
    cube_folder.tasks(make='echo anew; cat "$seed" >"$data/part"')
    assert _call("configure", cube=cube_folder).returncode == 0
    assert docker_client.images.get(_name(cube_folder)).id not in {moved, foreign}


def test_retag_is_refused_where_images_have_no_names(cube_folder: CubeFolder) -> None:
    done = subprocess.run(
        [
            *(*warm.python("mlcube_local_run"), "configure", "--retag"),
            *(f"--mlcube={cube_folder.root}", "--platform=local"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "the platform local has no --retag" in done.stderr


def test_what_is_run_by_hand_is_the_image_that_was_run(
    cube_folder: CubeFolder, run_suite: RunSuite, foreign: str
) -> None:
    del foreign
    cube_folder.tasks(make="echo from the recipe; exit 3")

    run = run_suite("--cube", cube_folder.root, "--platform", "docker", "--task=make")

    (text,) = [t for t in run.verdict("failed").values() if "by hand" in t][:1]
    (line,) = [each for each in text.splitlines() if "by hand:" in each]
    done = run_by_hand(line)
    assert (done.returncode, done.stdout) == (3, "from the recipe\n")


def test_who_builds_by_hand_gets_that_image_run(cube_folder: CubeFolder) -> None:
    assert _call("configure", cube=cube_folder).returncode == 0
    cube_folder.tasks(make='echo by hand; cat "$seed" >"$data/part"')
    subprocess.run(
        ["docker", "build", "-q", "-t", _name(cube_folder), cube_folder.root / "build"],
        check=True,
        capture_output=True,
        timeout=60,
    )

    done = _call("run", "--task=make", cube=cube_folder)

    assert done.stdout == "by hand\n", done.stderr
