"""Tasks and cubes that mean harm: nothing hangs, steers or breaks the run."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.command import call
from tests.cube_folders import CubeFolder, make_cube

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import RunSuite

DOCKER = pytest.param("docker", marks=pytest.mark.docker)
BROKEN = ("Traceback", "INTERNALERROR", "has a bug")
#: As `printf` of a shell takes it.
NAME = r"a\n::error::b\r\033[31m\047\"<&]]>\302\233\342\200\256##[group]c"


def test_names_of_files_steer_nothing(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    name = f"\"$(printf '{NAME}')\""
    cube_folder.tasks(
        make=f'cd "$data/.."; echo x >{name}; ln -s /etc/hostname "$data"/{name}'
    )

    run = run_suite("--cube", cube_folder.root, "--platform", "local", "--task=make")

    text = "\n".join(run.verdict("failed").values())
    assert r"a\n::error::b\r\x1b[31m" in text
    report = (tmp_path / "place/report.xml").read_text(encoding="utf-8")
    for written in (run.output, report):
        assert not {"\x1b", "\x9b", "\u202e"} & {*written}
        assert "##[group]" not in written
        assert not [each for each in written.splitlines() if each.startswith("::")]
    assert not any(word in run.output for word in BROKEN)


@pytest.mark.parametrize("platform", ["local", DOCKER])
def test_task_that_removes_its_outputs_folder_fails(
    platform: str, cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.tasks(make='rm -rf "$data" 2>/dev/null || :')

    run = run_suite("--cube", cube_folder.root, "--platform", platform)

    failed = run.verdict("failed")
    assert list(failed) == [f"test_outputs_appear[tiny-{platform}-make]"]
    assert not run.verdict("error")
    assert not any(word in run.output for word in BROKEN)


@pytest.mark.parametrize("platform", ["local", DOCKER])
def test_task_that_ignores_sigterm_is_killed(
    platform: str, cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.tasks(make='trap "" TERM INT HUP; while :; do sleep 1; done')
    began = time.monotonic()

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", platform, "--task=make"),
        "--task-timeout=1",
    )

    (text,) = run.verdict("failed").values()
    assert "ran past its deadline and was killed" in text
    assert time.monotonic() - began < 60


def test_cube_that_a_task_changes_is_tested_as_it_was_read(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    root = cube_folder.root
    cube_folder.tasks(
        make=f'cat "$seed" >"$data/part"; cd {root}; rm -r tasks run build/task.sh; '
        "mkfifo mlcube.yaml.new; mv mlcube.yaml.new mlcube.yaml; ln -s loop loop; "
        "mv loop build/Dockerfile"
    )

    run = run_suite("--cube", root, "--platform", "local")

    assert run.exit_code == 1
    assert "test_exits_zero[tiny-local-make]" not in run.verdict("failed")
    assert "test_exits_zero[tiny-local-use]" not in run.verdict("passed")
    assert not any(word in run.output for word in BROKEN), run.output


def test_cubes_that_change_while_they_are_read_are_valid_or_not(
    tmp_path: Path,
) -> None:
    cubes = [make_cube(tmp_path / f"cubes/c{number}") for number in range(30)]
    files = [
        each.root / name
        for each in cubes
        for name in ("mlcube.yaml", "run/make.yaml", "build/Dockerfile")
    ]
    texts = {each: each.read_bytes() for each in files}
    ended = threading.Event()

    def change() -> None:
        while not ended.is_set():
            for file in files:
                new = file.with_name("new")
                with suppress(OSError):
                    file.unlink()
                    file.symlink_to(file.name)
                    new.write_bytes(texts[file][:50])
                    new.replace(file)
                    file.unlink()
                    file.mkdir()
                    file.rmdir()
                new.write_bytes(texts[file])
                new.replace(file)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        done = [
            call(*words, place=tmp_path)
            for words in (
                ["validate", *(str(each.root) for each in cubes)],
                ["test", "cubes/*", "--platform=docker", "--collect-only", "-q"],
            )
        ]
    finally:
        ended.set()
        thread.join()

    for each in done:
        # A main file that is gone at that moment is no cube, and said to be none.
        gone = "there is no cube at" in each.stderr
        assert each.returncode in ({2} if gone else {0, 1}), each.stderr
        assert not any(word in each.stdout + each.stderr for word in BROKEN), each
