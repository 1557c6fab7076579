"""The image of the tool: it is built, and tests a cube by the daemon of its host."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tomllib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from mlcube_conformance.runners.docker.runner import DockerRunner
from tests.command import call
from tests.cube_folders import BUSYBOX

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker
ROOT = Path(__file__).resolve().parents[2]
BASE = os.environ.get("MLCUBE_CONFORMANCE_BASE_TORCH", "python:3.12-slim")
SOCKET = Path("/var/run/docker.sock")
#: What `.dockerignore` lets in, and the file itself.
CONTEXT = (
    *(".dockerignore", "Dockerfile", "LICENSE", "README.md", "pyproject.toml"),
    *("conformance_tests", "mlcube_conformance", "platforms", "runners"),
)


def run(*words: str | Path, timeout: float = 120) -> str:
    """Run a command that must end well, and return what it prints."""
    done = subprocess.run(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def fetch_wheels(folder: Path) -> None:
    """Fetch what the package needs, for the Python of the base image."""
    say = "import sys; print('%d.%d' % sys.version_info[:2])"
    python = run("docker", "run", "--rm", "--entrypoint=python3", BASE, "-c", say)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    machine = platform.machine()
    run(
        *(sys.executable, "-m", "pip", "download", "--quiet", f"--dest={folder}"),
        *("--only-binary=:all:", f"--python-version={python.strip()}"),
        *(f"--platform=manylinux_2_{n}_{machine}" for n in range(36, 4, -1)),
        *(f"--platform=manylinux2014_{machine}", "--implementation=cp"),
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        timeout=170,
    )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the image, built without network."""
    # Before the check of each test, since this serves the whole module.
    with closing(DockerRunner("tests")) as runner:
        if runner.unavailable():
            pytest.skip("cannot use Docker: `make test SETUP=docker` sets it up")
    client = docker.from_env(timeout=300)
    context = tmp_path_factory.mktemp("image") / "context"
    for name in CONTEXT:
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, context / name)
        else:
            shutil.copyfile(ROOT / name, context / name)
    (context / "secret").write_text("of the developer")
    fetch_wheels(context / "wheels")
    tag = f"mlcube-conformance/tool-{os.getpid()}"
    own = {"BASE": BASE, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/source/wheels"}
    # The first stage has a name too, by which it is removed.
    for target, name in (("build", f"{tag}:build"), (None, f"{tag}:latest")):
        client.images.build(
            path=str(context),
            tag=name,
            target=target,
            buildargs=own,
            rm=True,
            network_mode="none",
        )
    yield tag
    for name in ("latest", "build"):
        client.images.remove(f"{tag}:{name}", force=True)
    client.close()


def test_it_runs_as_no_root_and_holds_no_sources(image: str) -> None:
    said = run("docker", "run", "--rm", image)
    user = run("docker", "run", "--rm", "--entrypoint=id", image, "-u")
    files = run("docker", "run", "--rm", "--entrypoint=ls", image, "/")

    assert said.startswith("Usage: mlcube-conformance [OPTIONS] COMMAND")
    assert user == "1000\n"
    assert "source" not in files.split()


def test_only_what_the_wheel_needs_reaches_the_build(image: str) -> None:
    listed = run(
        "docker", "run", "--rm", "--entrypoint=ls", f"{image}:build", "/source"
    )

    # The classic builder of Docker keeps its own two files, and BuildKit does not.
    assert {*listed.split()} - {".dockerignore", "Dockerfile"} == {
        *(each for each in CONTEXT if not each.startswith((".", "Dockerfile"))),
        "wheels",
    }


def test_it_tests_a_cube_by_the_daemon_of_its_host(image: str, tmp_path: Path) -> None:
    call("init", "my-cube", "--template=shell", place=tmp_path)
    cube = tmp_path / "my-cube"
    user = os.getuid() or 12345  # whom neither the image nor the daemon knows
    if user != os.getuid():
        for each in (cube, *cube.rglob("*")):
            os.chown(each, user, user)

    said = run(
        *("docker", "run", "--rm", f"--user={user}:{os.getgid() or user}"),
        *(f"--group-add={SOCKET.stat().st_gid}", f"--volume={SOCKET}:{SOCKET}"),
        *(f"--volume={cube}:{cube}", f"--workdir={cube}", image),
        *("test", "--platform=docker", f"--build-arg=BASE_IMAGE={BUSYBOX}"),
        timeout=100,
    )

    assert "my-cube-docker: L2" in said
    assert (cube / ".mlcube-conformance").is_dir()
    assert {each.stat().st_uid for each in cube.rglob("*")} == {user}
