"""What decides whether an image is up to date, and whose fault a failure is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.model import Platform
from mlcube_conformance.runners.contract import ConfigureRequest, Options, Watch
from mlcube_conformance.runners.docker.context import BuildContext

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cube_folders import CubeFolder


def _key(
    cube: CubeFolder,
    build_args: dict[str, str] | None = None,
    ca_bundle: Path | None = None,
    base: str = "",
) -> str:
    file = cube.root / "platform.yaml"
    request = ConfigureRequest(
        cube=load_cube(cube.root, "tiny").cube,
        platform=Platform(id="x", kind="docker", image="x:1", file=file),
        options=Options(build_args=build_args or {}, ca_bundle=ca_bundle),
        log=cube.root / "log",
        watch=Watch(),
    )
    return BuildContext.of(request).key({"base": base})


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "task.sh").write_text("other"),
        lambda root: (root / "task.sh").rename(root / "task2.sh"),
        lambda root: (root / "task.sh").chmod(0o600),
        lambda root: (root / "new").touch(),
        lambda root: (root / "link").symlink_to("task.sh"),
        lambda root: (root / "Dockerfile").write_text("FROM scratch"),
    ],
    ids=["content", "name", "mode", "new-file", "link", "recipe"],
)
def test_key_changes_with_the_context(
    change: Callable[[Path], object], cube_folder: CubeFolder
) -> None:
    before = _key(cube_folder)

    change(cube_folder.root / "build")

    assert _key(cube_folder) != before


def test_key_changes_with_arguments_and_certificates(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("BEGIN CERTIFICATE")

    keys = {
        _key(cube_folder),
        _key(cube_folder, {"A": "1"}),
        _key(cube_folder, {"A": "2"}),
        _key(cube_folder, ca_bundle=bundle),
    }

    assert len(keys) == 4


def test_key_leaves_out_what_dockerignore_leaves_out(cube_folder: CubeFolder) -> None:
    cube_folder.write("build/.dockerignore", "# comment\n*.log\n")
    before = _key(cube_folder)

    cube_folder.write("build/some.log", "noise")

    assert _key(cube_folder) == before
