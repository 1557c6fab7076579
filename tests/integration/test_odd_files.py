"""Pipes, sockets and devices are told, and nobody reads or waits for them."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

DOCKER = pytest.param("docker", marks=pytest.mark.docker)
SINGULARITY = pytest.param("singularity", marks=pytest.mark.singularity)
PLATFORMS = ["local", DOCKER, SINGULARITY]
READY = "test_inputs_are_there"
WHOLE = "test_outputs_are_of_their_type"
SOCKET = 'cd "${result%/*}"; python -c "import socket; socket.socket(1).bind(\\"x\\")"'


def _make_odd(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with socket.socket(socket.AF_UNIX) as opened:
            here = os.open(path.parent, os.O_PATH)  # A short name: it may be long.
            opened.bind(f"/proc/self/fd/{here}/{path.name}")
            os.close(here)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_pipe_in_an_output_is_told_and_no_other_task_waits_for_it(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str
) -> None:
    cube_folder.tasks(
        make='cat "$seed" >"$data/part"; mkdir "$data/deep"; mkfifo "$data/deep/p"',
        use='cat "$data"/*/p >"$result"',
    )

    run = run_suite("--cube", cube_folder.root, "--platform", platform)

    failed = run.verdict("failed")
    assert list(failed) == [f"{WHOLE}[tiny-{platform}-make]"]
    text = failed[f"{WHOLE}[tiny-{platform}-make]"]
    assert "the output 'data' contains a pipe" in text
    assert "/workspace/data/deep/p: a pipe" in text
    assert "not run: case tiny-" in run.output


@pytest.mark.parametrize(
    ("platform", "kind", "makes", "given"),
    [
        ("local", "socket", f'{SOCKET}; mv x "$result"', False),
        ("local", "pipe", 'mkfifo "$result"', True),
        *(
            pytest.param(
                *("docker", "pipe", 'mkfifo "$result"', given), marks=pytest.mark.docker
            )
            for given in (False, True)
        ),
    ],
)
def test_output_that_holds_no_data_is_told(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    platform: str,
    kind: str,
    makes: str,
    given: bool,  # noqa: FBT001 - of the table
) -> None:
    cube_folder.tasks(use=makes)
    place = tmp_path / "mine/result.txt"
    more = ["--parameter", f"use.result={place}"] if given else []

    run = run_suite("--cube", cube_folder.root, "--platform", platform, *more)

    failed = run.verdict("failed")
    assert list(failed) == [f"{WHOLE}[tiny-{platform}-use]"]
    text = failed[f"{WHOLE}[tiny-{platform}-use]"]
    assert f"a {kind}: /" in text
    assert ("mine/result.txt" in text) == given


@pytest.mark.parametrize(
    ("kind", "how"), [("pipe", "given"), ("device", "given"), ("socket", "workspace")]
)
def test_input_that_holds_no_data_is_told(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path, kind: str, how: str
) -> None:
    cube_folder.fake_platform("pass")
    place = cube_folder.root / "workspace/seed.txt"
    if how == "given":
        place = tmp_path / "mine"
    else:
        place.unlink()
    _make_odd(place, kind)
    more = ["--parameter", f"make.seed={place}"] if how == "given" else []

    run = run_suite("--cube", cube_folder.root, "--platform", "fake", *more)

    failed = run.verdict("failed")
    assert list(failed) == [f"{READY}[tiny-fake-make]"]
    text = failed[f"{READY}[tiny-fake-make]"]
    assert "the input 'seed' of task 'make' is not a file" in text
    assert f"{kind} at " in text
    assert "put a file with the data in its place" in text


@pytest.mark.parametrize(
    ("platform", "kind", "how"),
    [
        ("fake", "pipe", "given"),
        ("fake", "socket", "workspace"),
        ("local", "pipe", "given"),
    ],
)
def test_input_folder_with_what_holds_no_data_is_told(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    platform: str,
    kind: str,
    how: str,
) -> None:
    cube_folder.fake_platform("pass")
    _seed_is_a_folder(cube_folder)
    top = tmp_path / "mine" if how == "given" else cube_folder.root / "workspace/seeds"
    (top / "deep").mkdir(parents=True)
    _make_odd(top / "deep/odd", kind)
    more = ["--parameter", f"make.seed={top}"] if how == "given" else []

    run = run_suite("--cube", cube_folder.root, "--platform", platform, *more)

    text = run.verdict("failed")[f"{READY}[tiny-{platform}-make]"]
    assert f"the input 'seed' contains a {kind}" in text
    assert f"{top}/deep/odd: a {kind}" in text


def test_only_the_task_that_reads_it_is_at_fault(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.fake_platform("pass")
    cube_folder.edit("run/use.yaml", "$WORKSPACE/data", "$WORKSPACE/in")
    cube_folder.write("workspace/in/x", "x")
    os.mkfifo(cube_folder.root / "workspace/in/p")

    run = run_suite("--cube", cube_folder.root, "--platform", "fake")

    assert list(run.verdict("failed")) == [f"{READY}[tiny-fake-use]"]


def _seed_is_a_folder(cube: CubeFolder) -> None:
    cube.edit("tasks/make.yaml", "seed, type: file", "seed, type: directory")
    cube.edit("run/make.yaml", "$WORKSPACE/seed.txt", "$WORKSPACE/seeds")
    cube.write("workspace/seeds/real.txt", "one\n")
    cube.tasks(make='ls "$seed" > "$data/part"')


@pytest.mark.parametrize(
    ("platform", "targets"),
    [
        ("fake", ["../real/x", "/etc/hostname", "../gone", "..", "link-4"]),
        ("fake", [".git/annex/objects/K1"]),
        ("local", ["../gone", ".git/annex/objects/K1", "link-2"]),
        ("local", [".."]),
    ],
)
def test_links_of_a_given_folder_that_a_task_cannot_follow_are_told(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    platform: str,
    targets: list[str],
) -> None:
    cube_folder.fake_platform("pass")
    _seed_is_a_folder(cube_folder)
    (tmp_path / "real").mkdir()
    (tmp_path / "real/x").write_text("mine")
    given = tmp_path / "mine"
    given.mkdir()
    for number, leads in enumerate(targets):
        (given / f"link-{number}").symlink_to(leads)

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", platform),
        *("--parameter", f"make.seed={given}"),
    )

    text = run.verdict("failed")[f"{READY}[tiny-{platform}-make]"]
    assert "the input 'seed' contains a link" in text
    for number, leads in enumerate(targets):
        assert f"{given}/link-{number}" in text
        assert targets == [".."] or f"→ {leads}" in text


def test_links_of_a_given_folder_that_can_be_followed_serve(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    cube_folder.fake_platform("pass")
    _seed_is_a_folder(cube_folder)
    cube_folder.tasks(make='cat "$seed"/*/x "$seed/out" >"$data/part"')
    (tmp_path / "real").write_text("mine")
    given = tmp_path / "mine"
    (given / "blobs").mkdir(parents=True)
    (given / "blobs/x").write_text("x")
    (given / "latest").symlink_to("blobs")
    again = ("--cube", cube_folder.root, "--parameter", f"make.seed={given}")

    fake = run_suite(*again, "--platform", "fake")
    (given / "out").symlink_to("../real")
    local = run_suite(*again, "--platform", "local")

    assert fake.exit_code == 0, fake.output
    assert local.exit_code == 0, local.output


def test_loop_of_folders_in_an_output_ends(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.tasks(
        make='mkdir "$data/a"; cat "$seed" >"$data/a/part"; ln -s .. "$data/a/up"',
        use='cat "$data/a/part" >"$result"',
    )

    run = run_suite("--cube", cube_folder.root, "--platform", "local")

    assert run.exit_code == 0, run.output
    assert len(run.verdict("passed")) == len(run.outcomes)
