"""Links of a cube or a task neither lose files nor open other places to a task."""

from __future__ import annotations

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
UNCHANGED = "test_inputs_are_unchanged"


def _seed_is_a_folder(cube: CubeFolder) -> None:
    cube.edit("tasks/make.yaml", "seed, type: file", "seed, type: directory")
    cube.edit("run/make.yaml", "$WORKSPACE/seed.txt", "$WORKSPACE/seeds")
    cube.write("workspace/seeds/real.txt", "one\n")
    cube.tasks(make='ls "$seed" > "$data/part"')


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("a.txt", "../../../store/a.txt"),
        ("deep/a.txt", "../../../store/a.txt"),
        ("a.txt", "../seed.txt"),
        ("a.txt", "/etc/hostname"),
        ("a.txt", ".git/annex/objects/K1/MD5E-s6.txt"),
        ("a.txt", "a.txt"),
        ("deep", "../.."),
    ],
)
def test_link_in_an_input_that_a_task_cannot_follow_is_told(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    platform: str,
    link: str,
    leads: str,
) -> None:
    _seed_is_a_folder(cube_folder)
    place = cube_folder.root / "workspace/seeds" / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(leads)
    (cube_folder.root.parent / "store").mkdir()
    (cube_folder.root.parent / "store/a.txt").write_text("one")

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", platform, "--task=make")
    )

    text = run.verdict("failed")[f"{READY}[tiny-{platform}-make]"]
    assert "the input 'seed' contains a link to a path outside it" in text
    assert f"seeds/{link} → {leads}" in text


@pytest.mark.parametrize("platform", PLATFORMS)
def test_links_inside_of_an_input_serve(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str
) -> None:
    _seed_is_a_folder(cube_folder)
    (cube_folder.root / "workspace/seeds/deep").mkdir()
    (cube_folder.root / "workspace/seeds/deep/a").symlink_to("../real.txt")
    (cube_folder.root / "workspace/seeds/latest").symlink_to("deep")

    run = run_suite("--cube", cube_folder.root, "--platform", platform)

    assert run.exit_code == 0, run.output


@pytest.mark.parametrize("platform", PLATFORMS)
def test_link_that_a_task_left_at_the_top_is_no_way_to_an_input(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path, platform: str
) -> None:
    cube_folder.write("workspace/seeds/seed.txt", "mine\n")
    cube_folder.edit("run/make.yaml", "/seed.txt", "/seeds/seed.txt")
    cube_folder.edit("tasks/make.yaml", "data, type: directory", "data, type: file")
    cube_folder.edit("tasks/use.yaml", "data, type: directory", "data, type: file")
    cube_folder.tasks(
        make='echo x > "$data"; ln -s seeds "${data%/*}/out"',
        use='rm -rf "${result%/*}"/*; echo other > "$result"',
    )
    kept = tmp_path / "kept"

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", platform, "--workspace", kept)
    )

    text = run.verdict("failed")[f"{READY}[tiny-{platform}-use]"]
    assert "the value of 'result' reaches the input 'seed' through a link" in text
    assert f"{kept}/out/result.txt → {kept}/seeds/result.txt" in text
    assert (kept / "seeds/seed.txt").read_text() == "mine\n"


def test_link_in_a_shared_output_is_no_way_out_of_it(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    cube_folder.edit("tasks/use.yaml", "result, type: file", "result, type: directory")
    cube_folder.edit("run/use.yaml", "$WORKSPACE/out/result.txt", "$WORKSPACE/data")
    cube_folder.edit("run/use.yaml", "data: $WORKSPACE/data", "data: $WORKSPACE/in")
    cube_folder.write("workspace/in/x", "x\n")
    cube_folder.tasks(
        make='echo x > "$data/part"; ln -s ../seed.txt "$data/up"',
        use='echo y > "$result/y"; echo other > "$result/up"',
    )
    kept = tmp_path / "kept"

    run_suite("--cube", cube_folder.root, "--platform", "local", "--workspace", kept)

    assert (kept / "seed.txt").read_text() == "seed\n"


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("harm", ['echo more >> "$x"', 'rm "$x"', 'cp -p "$x" "$x.b"'])
def test_what_one_task_made_stays_in_a_folder_that_another_writes_to(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str, harm: str
) -> None:
    cube_folder.edit("tasks/use.yaml", "result, type: file", "result, type: directory")
    cube_folder.edit("run/use.yaml", "$WORKSPACE/out/result.txt", "$WORKSPACE/data")
    cube_folder.edit("run/use.yaml", "data: $WORKSPACE/data", "data: $WORKSPACE/in")
    cube_folder.write("workspace/in/x", "x\n")
    cube_folder.tasks(use=f'echo y > "$result/y"; x="$result/part"; {harm}')

    run = run_suite("--cube", cube_folder.root, "--platform", platform)

    failed = run.verdict("failed")
    if ".b" in harm:
        assert failed == {}, run.output
        return
    text = failed[f"{UNCHANGED}[tiny-{platform}-use]"]
    assert "the output 'data' of task 'make' was changed by the task" in text
    assert "data/part" in text


@pytest.mark.parametrize("platform", PLATFORMS)
def test_two_outputs_with_one_path_are_told(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str
) -> None:
    cube_folder.edit(
        "tasks/make.yaml", "outputs:\n", "outputs:\n  - {name: more, type: directory}\n"
    )
    cube_folder.edit(
        "run/make.yaml",
        "{data: $WORKSPACE/data}",
        "{data: $WORKSPACE/data, more: ./x/../data/}",
    )

    run = run_suite("--cube", cube_folder.root, "--platform", platform)

    text = run.verdict("failed")[f"{READY}[tiny-{platform}-make]"]
    assert "two outputs of task 'make' have the same path" in text
    assert "of both 'data' and 'more'" in text


@pytest.mark.parametrize("platform", PLATFORMS)
def test_file_that_was_written_beside_its_place_is_named(
    cube_folder: CubeFolder, run_suite: RunSuite, platform: str
) -> None:
    cube_folder.tasks(use='echo x > "${result%/*}/results.txt"')

    run = run_suite("--cube", cube_folder.root, "--platform", platform)

    text = run.verdict("failed")[f"test_outputs_appear[tiny-{platform}-use]"]
    assert "written elsewhere: /" in text
    assert "workspace/out/results.txt" in text
