"""Probe cubes: what their script writes down, and that both formats mean the same."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import conformance_tests.runner
from conformance_tests.runner.cubes import LOOK
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.plan.mounts import task_view
from mlcube_conformance.suites.runner.probe.cube import ProbeCube
from mlcube_conformance.suites.runner.probe.engines import gpus_asked, path_with_notes
from mlcube_conformance.suites.runner.probe.record import read_record
from mlcube_conformance.suites.runner.probe.writing import Site, write_cube

if TYPE_CHECKING:
    from mlcube_conformance.formats.runner_description import Format
    from mlcube_conformance.suites.runner.probe.record import Record

_SOURCES = Path(conformance_tests.runner.__file__).parent / "probe"


def _play(
    place: Path, plan: str, *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    (place / "plan.txt").write_text(plan)
    return subprocess.run(
        [
            *("/bin/sh", _SOURCES / "probe.sh", "look", f"--plan={place}/plan.txt"),
            *(f"--report={place}/report", *arguments),
        ],
        env={"PATH": os.environ["PATH"], "WORDS": "two words"},
        cwd=place,
        capture_output=True,
        timeout=20,
        check=False,
    )


def _record(place: Path) -> Record:
    record = read_record(place / "report")
    assert record is not None
    return record


def test_script_writes_down_what_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("content\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/part").touch()

    done = _play(tmp_path, "", f"--seed={tmp_path}/a file", f"--data={tmp_path}/data")

    record = _record(tmp_path)
    assert done.returncode == 0
    assert done.stdout == b"probe ran look\nprobe out \xff\xfe\n"
    assert done.stderr == b"probe err \xff\xfe\n"
    assert record.arguments == (
        "look",
        f"--plan={tmp_path}/plan.txt",
        f"--report={tmp_path}/report",
        f"--seed={tmp_path}/a file",
        f"--data={tmp_path}/data",
    )
    assert record.content("seed") == "content\n"
    assert record.listing("data") == ("part",)
    assert record.listing("seed") is None
    assert record.environment["WORDS"] == "two words"
    assert record.user == os.getuid()
    assert record.cwd == str(tmp_path)
    assert record.program == str(_SOURCES / "probe.sh")
    assert "/proc" in record.mounts


def test_environment_is_not_printed(tmp_path: Path) -> None:
    done = _play(tmp_path, "")

    assert b"two words" not in done.stdout + done.stderr


def test_report_that_is_not_whole_is_none(tmp_path: Path) -> None:
    _play(tmp_path, "")
    (tmp_path / "report/done").unlink()

    assert read_record(tmp_path / "report") is None


def test_writes_are_tried_and_noted(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    words = (f"--out={tmp_path}/out", f"--file={tmp_path}/f", "--no=/proc/nowhere/f")

    _play(tmp_path, "write out name\nwrite file\nwrite no\n", *words)

    assert _record(tmp_path).writes == {"out": True, "file": True, "no": False}
    assert (tmp_path / "out/name").read_text() == "made\n"
    assert (tmp_path / "f").read_text() == "made\n"


@pytest.mark.parametrize(
    ("plan", "code"), [("exit 42\n", 42), ("kill\n", -9), ("say a b\nexit 3\n", 3)]
)
def test_plan_says_how_it_ends(plan: str, code: int, tmp_path: Path) -> None:
    assert _play(tmp_path, plan).returncode == code


def test_fork_leaves_a_process_and_hang_does_not_end(tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_text("fork\nhang\n")
    probe = subprocess.Popen(
        [
            *("/bin/sh", _SOURCES / "probe.sh", "look"),
            *(f"--plan={tmp_path}/plan.txt", f"--report={tmp_path}/report"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        children = Path(f"/proc/{probe.pid}/task/{probe.pid}/children")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and len(_words(children)) < 2:
            time.sleep(0.05)
        assert len(_words(children)) == 2
        assert probe.poll() is None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(probe.pid, signal.SIGKILL)
        probe.wait(10)


def _words(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


def _site(folder: Path) -> Site:
    return Site(sources=_SOURCES, base_image="some/base:1", images=folder, kind="")


@pytest.mark.parametrize("form", ["multi-file", "single-file"])
def test_cube_is_sound_in_each_format(form: Format, tmp_path: Path) -> None:
    write_cube(LOOK, tmp_path / "cube", form, _site(tmp_path))

    loaded = load_cube(tmp_path / "cube", "cube")

    (invocation,) = loaded.cube.invocations
    assert loaded.problems == ()
    assert task_view(invocation, tmp_path / "cube/workspace").arguments == (
        "look",
        "--plan=/mlcube_io0/plan.txt",
        "--seed=/mlcube_io1/seed.txt",
        "--other=/mlcube_io1/other.txt",
        "--data=/mlcube_io2",
        "--report=/mlcube_io3",
        "--made=/mlcube_io4",
        "--result=/mlcube_io5/result.txt",
        "--beside=/mlcube_io6/beside.txt",
    )


def test_changes_come_last(tmp_path: Path) -> None:
    cube = (
        ProbeCube(recipe="LABEL a=b\n")
        .changed("build/Dockerfile", lambda text: text + "LABEL c=d\n")
        .without("platform")
    )

    write_cube(cube, tmp_path / "cube", "multi-file", _site(tmp_path))

    recipe = (tmp_path / "cube/build/Dockerfile").read_text()
    assert recipe.startswith("ARG BASE_IMAGE=some/base:1\n")
    assert recipe.endswith("LABEL a=b\nLABEL c=d\n")
    assert not (tmp_path / "cube/platform").exists()


@pytest.mark.parametrize(
    ("environment", "devices", "gpus"),
    [
        ({}, "", ()),
        ({}, "/dev/nvidia0\n", ("/dev/nvidia0",)),
        ({"CUDA_VISIBLE_DEVICES": ""}, "/dev/nvidia0\n", ()),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, "/dev/nvidia0\n", ()),
        ({"CUDA_VISIBLE_DEVICES": "0"}, "", ("CUDA_VISIBLE_DEVICES=0",)),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, "", ("NVIDIA_VISIBLE_DEVICES=all",)),
        ({"NVIDIA_VISIBLE_DEVICES": "void"}, "", ()),
    ],
)
def test_record_tells_whether_there_are_gpus(
    environment: dict[str, str], devices: str, gpus: tuple[str, ...], tmp_path: Path
) -> None:
    _play(tmp_path, "")
    lines = [f"{name}={value}\n" for name, value in environment.items()]
    (tmp_path / "report/environment").write_text("".join(lines))
    (tmp_path / "report/devices").write_text(devices)

    assert _record(tmp_path).gpus == gpus


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        ("run --rm image look", False),
        ("run --gpus=all image", True),
        ("run --gpus all image", True),
        ("run --gpus device=0 image", True),
        ("run --gpus=0 image", False),
        ("run --gpus 0 image", False),
        ("run --runtime=nvidia image", True),
        ("run --runtime nvidia image", True),
        ("run --device /dev/nvidia0 image", True),
        ("run -e NVIDIA_VISIBLE_DEVICES=all image", True),
        ("run -e NVIDIA_VISIBLE_DEVICES=void image", False),
        ("run --containall --nv image", True),
        ("run --nvccli image", True),
        ("run --rocm image", True),
        ("run image --nvidia=x", False),
    ],
)
def test_engine_is_noted_and_called(
    words: str,
    asks: bool,  # noqa: FBT001 - a column of the table
    tmp_path: Path,
) -> None:
    (tmp_path / "docker").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "docker").chmod(0o755)
    path = path_with_notes(tmp_path / "engines", f"{tmp_path}:/usr/bin:/bin")

    done = subprocess.run(
        ["docker", *words.split()],
        env={"PATH": path},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert done.stdout.split() == words.split()
    assert gpus_asked(tmp_path / "engines") == ((f"docker {words}",) if asks else ())
