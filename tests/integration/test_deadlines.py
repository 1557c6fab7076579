"""What hangs by the network is the machine's fault, and not that of the cube."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import RunSuite, SuiteRun
    from tests.cube_folders import CubeFolder

DOCKER = pytest.param("docker", marks=pytest.mark.docker)
SINGULARITY = pytest.param("singularity", marks=pytest.mark.singularity)
#: Seconds in which a virtual environment with pip is made, on a slow machine, too.
_WITH_PIP = "40"
_BACKEND = """\
import time

def get_requires_for_build_wheel(config_settings=None):
    time.sleep(600)
"""


@pytest.fixture
def silent() -> Iterator[str]:
    """Return the address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def _cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Let no environment be there already."""
    if request.node.get_closest_marker("singularity") is None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _run(
    run_suite: RunSuite, cube: CubeFolder, platform: str, timeout: str
) -> tuple[SuiteRun, str]:
    """Return a run whose image is not made in time, and the message."""
    run = run_suite(
        *("--cube", cube.root, "--platform", platform),
        *("--configure-timeout", timeout),
    )
    (message,) = {**run.verdict("failed"), **run.verdict("error")}.values()
    assert "stopped at its deadline" in message
    assert "--configure-timeout" in message
    return run, message


@pytest.mark.parametrize("platform", [DOCKER, SINGULARITY])
def test_base_image_that_does_not_come_is_an_error(
    platform: str, cube_folder: CubeFolder, run_suite: RunSuite, silent: str
) -> None:
    image = f"{silent}/a/x:1"
    recipe = f"Bootstrap: docker\nFrom: {image}\n%post\n    true\n"
    cube_folder.write("build/Singularity.recipe", recipe)
    cube_folder.write("build/Dockerfile", f"FROM {image}\nRUN true\n")

    run, message = _run(run_suite, cube_folder, platform, "3")

    assert list(run.verdict("error")) == [f"test_image_builds[tiny-{platform}]"]
    assert not run.verdict("failed")
    assert "no step of the cube's own" in message
    assert "check the network" in message


@pytest.mark.docker
def test_image_that_does_not_come_is_an_error(
    cube_folder: CubeFolder, run_suite: RunSuite, silent: str
) -> None:
    (cube_folder.root / "build/Dockerfile").unlink()
    cube_folder.write(
        "platform/docker.yaml",
        "platform: {name: docker, version: '>=20.10'}\n"
        f"container: {{image: '{silent}/a/x:1'}}\n",
    )

    run, message = _run(run_suite, cube_folder, "docker", "3")

    assert list(run.verdict("error")) == ["test_image_builds[tiny-docker]"]
    assert not run.verdict("failed")
    assert "no step of the cube's own" in message


def test_index_that_says_nothing_is_an_error(
    cube_folder: CubeFolder, run_suite: RunSuite, silent: str
) -> None:
    text = f"--index-url http://{silent}/simple\nno-such-package\n"
    cube_folder.write("build/requirements.txt", text)

    run, message = _run(run_suite, cube_folder, "local", _WITH_PIP)

    assert list(run.verdict("error")) == ["test_image_builds[tiny-local]"]
    assert not run.verdict("failed")
    assert "no step of the cube's own" in message
    assert f"Looking in indexes: http://{silent}/simple" in message


def test_build_of_the_cube_that_hangs_is_a_failure(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.write("build/requirements.txt", "--no-index\n./package\n")
    cube_folder.write("build/package/backend.py", _BACKEND)
    cube_folder.write(
        "build/package/pyproject.toml",
        '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        'backend-path = ["."]\n',
    )

    run, message = _run(run_suite, cube_folder, "local", _WITH_PIP)

    assert list(run.verdict("failed")) == ["test_image_builds[tiny-local]"]
    assert not run.verdict("error")
    assert "a step of the cube's own" in message
    assert "Getting requirements to build wheel: started" in message
