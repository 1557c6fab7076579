"""What a task leaves can harm neither the user nor the task that comes next."""

from __future__ import annotations

import os
import stat
import subprocess
from fnmatch import fnmatch
from typing import TYPE_CHECKING

import pytest

from tests import warm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import RunSuite, SuiteRun
    from tests.cube_folders import CubeFolder

ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root makes device nodes")
DOCKER = pytest.param("docker", marks=pytest.mark.docker)
SINGULARITY = pytest.param("singularity", marks=pytest.mark.singularity)
PLATFORMS = ["local", DOCKER, SINGULARITY]
UNCHANGED = "test_inputs_are_unchanged"
WHOLE = "test_outputs_are_of_their_type"


def _run(
    run_suite: RunSuite, cube: CubeFolder, platform: str, *more: str | Path
) -> SuiteRun:
    return run_suite("--cube", cube.root, "--platform", platform, *more)


@ROOT_ONLY
@pytest.mark.parametrize("platform", ["local", DOCKER])
def test_devices_and_privileges_are_told_and_taken_away(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path, platform: str
) -> None:
    cube_folder.tasks(
        make='cd "$data"; echo x >part; mkdir -p deep; cp /bin/sh deep/sh; '
        "mknod deep/disk b 8 0; mknod null c 1 3; chmod 6755 deep/sh; chmod 2755 deep"
    )
    kept = tmp_path / "kept"

    run = _run(run_suite, cube_folder, platform, "--task=make", "--workspace", kept)

    text = run.verdict("failed")[f"{WHOLE}[tiny-{platform}-make]"]
    for each in ("deep/disk: a device node (8, 0)", "null: a device node (1, 3)"):
        assert each in text
    assert "deep/sh: a file setuid and setgid" in text
    left = {str(each.relative_to(kept / "data")) for each in kept.glob("data/**/*")}
    assert left == {"part", "deep", "deep/sh"}
    assert (kept / "data/deep/sh").stat().st_mode & 0o7777 == 0o755
    assert (kept / "data/deep").stat().st_mode & stat.S_ISGID


@ROOT_ONLY
@pytest.mark.docker
def test_dangerous_files_are_taken_away_after_a_task_that_fails_too(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.tasks(make='mknod "$data/disk" b 8 0; exit 3')

    done = subprocess.run(
        [
            *(*warm.python("mlcube_docker_run"), "run", "--task=make"),
            *(f"--mlcube={cube_folder.root}", "--platform=docker"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 3
    assert "data/disk: a device node (8, 0), removed" in done.stderr
    assert list((cube_folder.root / "workspace/data").iterdir()) == []


@ROOT_ONLY
def test_another_name_of_a_privileged_file_keeps_its_bits(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    mine.chmod(0o4755)
    kept = tmp_path / "kept"
    cube_folder.tasks(make=f'ln {mine} "$data/link"; echo x >"$data/part"')

    _run(run_suite, cube_folder, "local", "--task=make", "--workspace", kept)

    assert mine.stat().st_mode & 0o7777 == 0o4755
    assert [each.name for each in (kept / "data").iterdir()] == ["part"]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("harm", ['rm "$x"', 'echo more >>"$x"', 'chmod 600 "$x"'])
def test_input_is_changed_through_a_link_that_another_task_left(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str, harm: str
) -> None:
    cube_folder.edit("tasks/use.yaml", "data, type: directory", "data, type: file")
    cube_folder.edit("run/use.yaml", "$WORKSPACE/data", "$WORKSPACE/data/link")
    cube_folder.edit("run/use.yaml", "$WORKSPACE/out/", "$WORKSPACE/data/")
    cube_folder.tasks(
        make='cd "$data"; echo x >real; chmod 644 real; ln -s real link',
        use=f'cat "$data" >"$result"; x=${{data%/*}}/real; {harm}',
    )

    run = _run(run_suite, cube_folder, platform)

    text = run.verdict("failed")[f"{UNCHANGED}[tiny-{platform}-use]"]
    assert "the input 'data' was changed" in text
    assert "data/real" in text


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("harm", ["rm -r", "touch", "chmod 600"])
def test_what_another_task_made_or_reads_is_changed(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str, harm: str
) -> None:
    cube_folder.edit("tasks/make.yaml", "data, type: directory", "data, type: file")
    cube_folder.edit("run/make.yaml", "$WORKSPACE/data", "$WORKSPACE/out/data")
    cube_folder.edit("tasks/use.yaml", "data, type: directory", "data, type: file")
    cube_folder.edit("run/use.yaml", "$WORKSPACE/data", "$WORKSPACE/seed.txt")
    cube_folder.tasks(
        make='cat "$seed" >"$data"',
        use=f'cat "$data" >"$result"; {harm} "${{result%/*}}/data"',
    )

    run = _run(run_suite, cube_folder, platform)

    text = run.verdict("failed")[f"{UNCHANGED}[tiny-{platform}-use]"]
    assert "the output 'data' of task 'make' was changed by the task" in text
    assert list(run.verdict("failed")) == [f"{UNCHANGED}[tiny-{platform}-use]"]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("leads", ["..", "../seed.txt", "../nowhere", "/nowhere/x"])
def test_link_out_of_an_output_is_told(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str, leads: str
) -> None:
    cube_folder.tasks(make=f'cat "$seed" >"$data/part"; ln -s {leads} "$data/up"')

    run = _run(run_suite, cube_folder, platform, "--task=make")

    text = run.verdict("failed")[f"{WHOLE}[tiny-{platform}-make]"]
    assert "the output 'data' contains a link to a path outside it" in text
    assert f"data/up → {leads}" in text


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    ("leads", "value"), [("..", "data/up"), ("../..", "data/up"), ("..", "data/up/a")]
)
def test_link_out_of_an_output_opens_nothing_to_the_next_task(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    platform: str,
    leads: str,
    value: str,
) -> None:
    cube_folder.edit("run/use.yaml", "$WORKSPACE/out/", f"$WORKSPACE/{value}/")
    cube_folder.tasks(
        make=f'cat "$seed" >"$data/part"; ln -s {leads} "$data/up"',
        use='rm -rf "${result%/*}"/*; echo x >"$result"',
    )
    kept = tmp_path / "kept"

    run = _run(run_suite, cube_folder, platform, "--workspace", kept)

    text = run.verdict("failed")[f"test_inputs_are_there[tiny-{platform}-use]"]
    assert "through a link" in text
    assert f"{kept}/data/up →" in text
    assert (kept / "seed.txt").read_text() == "seed\n"
    assert (kept / "data/part").read_text() == "seed\n"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_links_inside_of_an_output_serve(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str
) -> None:
    cube_folder.edit("run/use.yaml", "$WORKSPACE/data", "$WORKSPACE/data/latest")
    cube_folder.tasks(
        make='cd "$data"; mkdir -p v1 blobs; cat "$seed" >blobs/x; '
        "ln -s ../blobs/x v1/name; ln -s v1 latest; cp blobs/x v1/part"
    )

    run = _run(run_suite, cube_folder, platform)

    assert run.exit_code == 0, run.output


@pytest.mark.parametrize(
    ("writes", "says"),
    [
        ('echo x >"${0%/*}/lost.txt"', "make.stdout.root-*/lost.txt"),
        ("mkdir -p sub; echo x >sub/lost.txt", "make.stdout.root-*/sub/lost.txt"),
        ("echo x >~/lost.txt", "lost.txt in HOME, which was removed"),
    ],
)
def test_file_that_a_task_left_beside_its_program_is_told(
    cube_folder: CubeFolder, run_suite: RunSuite, writes: str, says: str
) -> None:
    cube_folder.tasks(make=writes)

    run = _run(run_suite, cube_folder, "local", "--task=make")

    text = run.verdict("failed")["test_outputs_appear[tiny-local-make]"]
    told = text.partition("written elsewhere: ")[2].partition("\n")[0]
    assert fnmatch(told, f"*{says}"), text
