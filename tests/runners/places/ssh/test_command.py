"""What a task on another host is known by: whatever changes its result."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.platforms import load_platform
from mlcube_conformance.model import Image, PlatformFile
from mlcube_conformance.plan.mounts import task_view
from mlcube_conformance.plan.order import Override, override_parameters
from mlcube_conformance.plan.selection import make_optional
from mlcube_conformance.runners.common.liveness import Liveness
from mlcube_conformance.runners.contract import Options, RunRequest, Watch
from mlcube_conformance.runners.places.ssh.connection import Connection
from mlcube_conformance.runners.places.ssh.cube import CubeThere
from mlcube_conformance.runners.places.ssh.task import TaskThere

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cube_folders import CubeFolder

PLATFORM = """\
host: gpu1.example.org
platform: docker.yaml
env: {variables: {ONE: place}}
"""
DOCKER = 'platform: {name: docker, version: ">=20"}\ncontainer: {image: tiny}\n'
SECRET = "s3cr3t"  # noqa: S105 - nobody's


@dataclass(slots=True)
class Asked:
    """What is to run on a host."""

    cube: CubeFolder
    options: Options
    run_file: Path
    optional: tuple[str, ...] = ()
    given: tuple[Override, ...] = ()
    digest: str = "sha256:0"

    def identity(self) -> str:
        """Return what the task is known by."""
        platform_file = PlatformFile(path=self.cube.root / "platform/ssh.yaml")
        cube = load_cube(self.cube.root, "tiny").cube
        cube = override_parameters(cube, self.given)
        (cube,) = make_optional([cube], self.optional)
        platform, problems = load_platform(platform_file, cube)
        assert problems == ()
        assert platform is not None
        assert platform.place is not None
        invocation = replace(cube.invocations[0], file=self.run_file)
        request = RunRequest(
            case_id="tiny-ssh-make",
            cube=cube,
            image=Image(name="tiny", digest=self.digest, origin="built"),
            platform=platform,
            invocation=invocation,
            workspace=cube.workspace,
            view=task_view(invocation, cube.workspace),
            options=self.options,
            stdout=cube.root,
            stderr=cube.root,
            watch=Watch(),
        )
        liveness = Liveness("tests")
        there = CubeThere(Connection(platform.place, liveness), cube, platform)
        return TaskThere(request, there, liveness).identity


@pytest.fixture
def asked(cube_folder: CubeFolder, tmp_path: Path) -> Asked:
    """Return something to run."""
    cube_folder.write("platform/ssh.yaml", PLATFORM)
    cube_folder.write("platform/docker.yaml", DOCKER)
    (tmp_path / "elsewhere.yaml").write_text("task_name: make\n")
    (tmp_path / "seed").write_text("given\n")
    (tmp_path / "ca.pem").write_text("BEGIN CERTIFICATE\n")
    options = Options(ca_bundle=tmp_path / "ca.pem", build_args={"WITH": "one"})
    return Asked(cube_folder, options, tmp_path / "elsewhere.yaml")


#: Another value for each option.
OPTIONS = {
    "build_args": {"WITH": SECRET},
    "environment": {"WORD": SECRET},
    "network": "none",
    "gpus": "",
    "build_strategy": "always",
    "ca_bundle": None,
    "configure_timeout": 1.0,
    "task_timeout": 1.0,
    "memory_limit": "1g",
    "pids_limit": 100,
    "max_log_size": 1000,
    "max_output_size": 1000,
    "max_files": 10,
}
#: What an image is called changes no result.
OF_NAMES = {"names_image", "retag"}


def test_each_option_has_another_value_here() -> None:
    assert {each.name for each in fields(Options)} == {*OPTIONS, *OF_NAMES}


@pytest.mark.parametrize("name", OPTIONS)
def test_other_options_make_another_run(name: str, asked: Asked) -> None:
    before = asked.identity()

    asked.options = replace(asked.options, **{name: OPTIONS[name]})  # type: ignore[arg-type]

    assert asked.identity() != before


def _edit(path: str, old: str, new: str) -> Callable[[Asked], None]:
    return lambda asked: asked.cube.edit(path, old, new)


def _outside(name: str) -> Callable[[Asked], None]:
    def change(asked: Asked) -> None:
        (asked.cube.root.parent / name).write_text("other\n")

    return change


def _give(asked: Asked) -> None:
    seed = asked.cube.root.parent / "seed"
    asked.given = (Override(name="make.seed", value=str(seed)),)


def _make_optional(asked: Asked) -> None:
    asked.optional = ("make.seed",)


def _replace_image(asked: Asked) -> None:
    asked.digest = "sha256:1"


CHANGES = {
    "code": _edit("build/task.sh", "echo making", "echo other"),
    "recipe": _edit("build/Dockerfile", "ENTRYPOINT", "ENV A=b\nENTRYPOINT"),
    "platform": _edit(
        "platform/docker.yaml", "image: tiny", "image: tiny, run_args: --memory=1g"
    ),
    "variables": _edit("platform/ssh.yaml", "ONE: place", "ONE: other"),
    "input": _edit("workspace/seed.txt", "seed", "another"),
    "run file": _outside("elsewhere.yaml"),
    "certificates": _outside("ca.pem"),
    "parameter": _give,
    "optional": _make_optional,
    "image": _replace_image,
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_cube_or_input_makes_another_run(name: str, asked: Asked) -> None:
    before = asked.identity()

    CHANGES[name](asked)

    assert asked.identity() != before


def test_the_same_is_the_same_run(asked: Asked) -> None:
    _give(asked)
    asked.options = replace(asked.options, environment={"WORD": SECRET})

    assert asked.identity() == asked.identity()
    os.utime(asked.cube.root / "mlcube.yaml", (1, 1))
    assert asked.identity() == asked.identity()
