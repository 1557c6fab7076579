"""`mlcube-conformance clean --images` removes what was built here, and nothing else."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import warm
from tests.cube_folders import CubeFolder, make_cube

if TYPE_CHECKING:
    from pathlib import Path

    import docker


@pytest.fixture(autouse=True)
def _own_notes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let only what this test builds be ours."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _clean(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*warm.python("mlcube_conformance"), "clean", "--images", *words],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _build(cube: CubeFolder) -> None:
    subprocess.run(
        [
            *(*warm.python("mlcube_conformance"), "test", str(cube.root), "-q"),
            *("--platform=docker", "-k=image", "-p", "no:cacheprovider"),
        ],
        cwd=cube.root.parent,
        check=True,
        capture_output=True,
        timeout=240,
    )


def _images(client: docker.DockerClient, cube: CubeFolder) -> dict[str, list[str]]:
    """Return the names of the images of a cube, by id."""
    name = (cube.root / "mlcube.yaml").read_text().split("name: ")[1].split()[0]
    found = client.images.list(filters={"label": f"test={name}"})
    return {str(each.id): each.tags for each in found}


@pytest.mark.docker
def test_what_was_built_here_goes_and_what_is_somebody_elses_stays(
    tmp_path: Path, docker_client: docker.DockerClient
) -> None:
    ours, copied = make_cube(tmp_path / "ours"), make_cube(tmp_path / "copied")
    _build(ours)
    (used,) = _images(docker_client, ours)
    container = docker_client.containers.create(used, ["make"])
    ours.tasks(make=":")
    _build(ours)
    _build(copied)
    # One that somebody gave another name, and one over its name, with its labels.
    ((built, (name,)),) = _images(docker_client, copied).items()
    docker_client.images.get(built).tag("test-of-a-user", "1")
    subprocess.run(
        ["docker", "build", "-q", "-t", name, "-"],
        input=f"FROM {built}\nENV A=1\n".encode(),
        check=True,
        capture_output=True,
        timeout=60,
    )
    try:
        young = _clean(tmp_path, "--older-than=1")
        told = _clean(tmp_path, "--dry-run")
        still = _images(docker_client, ours)
        removed = _clean(tmp_path)
        left = [_images(docker_client, each) for each in (ours, copied)]
    finally:
        container.remove(force=True)
        docker_client.images.remove("test-of-a-user:1")

    assert "image" not in young.stdout
    assert told.stdout.count("would remove the image") == len(still) == 2
    assert removed.stdout.count("removed the image mlcube-conformance/built-") == 1
    assert f"kept the image {used}: " in removed.stdout
    assert list(left[0]) == [used]
    assert sorted(map(str, left[1].values())) == [f"['{name}']", "['test-of-a-user:1']"]


def test_without_a_daemon_it_says_so(tmp_path: Path) -> None:
    done = _clean(tmp_path)

    assert done.returncode == 2
    assert "cannot use Docker: its daemon does not answer" in done.stderr
    assert "Traceback" not in done.stderr
