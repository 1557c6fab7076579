"""Where images of Singularity are, and which of them are whole."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from mlcube_conformance.base.errors import Violation
from mlcube_conformance.model import Cube, Platform
from mlcube_conformance.runners.singularity.image import image_path, what_is_wrong

CUBE = Cube(id="c", root=Path("/cubes/c"), name="c", version="1.0.0", invocations=())


def _path(image: str) -> Path:
    file = Path("/p/singularity.yaml")
    platform = Platform(id="singularity", kind="singularity", image=image, file=file)
    return image_path(CUBE, platform)


@pytest.mark.parametrize(
    ("image", "path"),
    [
        ("/opt/singularity/mnist-0.01.simg", "/opt/singularity/mnist-0.01.simg"),
        ("mnist.sif", "/cubes/c/workspace/mnist.sif"),
        ("deep/er/mnist.sif", "/cubes/c/workspace/deep/er/mnist.sif"),
        ("../images/mnist.sif", "/cubes/c/images/mnist.sif"),
        ("${HOME}/i/mnist.sif", "/home/me/i/mnist.sif"),
        ("$HOME/mnist.sif", "/home/me/mnist.sif"),
        ("~/mnist.sif", "/home/me/mnist.sif"),
        ("~me/mnist.sif", "/cubes/c/workspace/~me/mnist.sif"),
        ("$WORKSPACE/mnist.sif", "/cubes/c/workspace/mnist.sif"),
        ("/a b/ü $(id).sif", "/a b/ü $(id).sif"),
    ],
)
def test_place(image: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")

    assert _path(image) == Path(path)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("$TOKEN/mnist.sif", ("$TOKEN in $TOKEN/mnist.sif", "$HOME, ~ or $WORKSPACE")),
        ("", ("is not the path of a file", "found:    nothing")),
        (".", ("is not the path of a file",)),
        ("/opt/", ("is not the path of a file", "/opt/")),
        ("/", ("is not the path of a file",)),
        ("/usr/..", ("is not the path of a file",)),
        ("..", ("is not the path of a file",)),
        ("x" * 256, ("is not the path of a file",)),
        ("a\0b", ("invalid characters", "'a\\x00b'")),
        ("a\nb", ("invalid characters",)),
    ],
)
def test_place_that_is_none(image: str, says: tuple[str, ...]) -> None:
    with pytest.raises(Violation) as caught:
        _path(image)

    for part in ("/p/singularity.yaml, key image", *says):
        assert part in str(caught.value)


def _sif(offset: int, length: int) -> bytes:
    start = b"#!/usr/bin/env run-singularity\n\0" + b"SIF_MAGIC\0"
    return start.ljust(112, b"\0") + struct.pack("<2q", offset, length)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (_sif(128, 72).ljust(200, b"x"), ""),
        (_sif(128, 72).ljust(199, b"x"), "it is cut short: 199 of 200 bytes"),
        (_sif(128, 72)[:100], "it is cut short: 100 of 128 bytes"),
        (b"hsqs".ljust(500, b"x"), ""),
        (_sif(128, 72)[:20], "it is cut short: 20 of 128 bytes"),
        (b"", "it is not a Singularity image"),
        (b"#!/bin/sh\n", "it is not a Singularity image"),
    ],
    ids=["whole", "cut", "header-cut", "squashfs", "start-cut", "empty", "script"],
)
def test_whole(content: bytes, wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "image.sif"
    file.write_bytes(content)

    assert what_is_wrong(file) == wrong


def test_place_behind_a_link_is_the_place(tmp_path: Path) -> None:
    (tmp_path / "link.sif").symlink_to(tmp_path / "data" / "real.sif")

    assert _path(str(tmp_path / "link.sif")) == tmp_path / "data" / "real.sif"


def test_only_an_unpacked_image_is_a_folder(tmp_path: Path) -> None:
    assert what_is_wrong(tmp_path) == "it is a folder, but not an unpacked image"

    (tmp_path / ".singularity.d").mkdir()

    assert what_is_wrong(tmp_path) == ""


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "image.sif"
    os.mkfifo(pipe)

    assert what_is_wrong(pipe) == "it is not a regular file"


def test_what_is_not_there_is_no_image(tmp_path: Path) -> None:
    assert what_is_wrong(tmp_path / "none") == "No such file or directory"
