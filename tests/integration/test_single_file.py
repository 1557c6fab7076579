"""Cubes of one file, as others write them, on every platform."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.snapshots import digests, snapshot
from tests.single_file_cubes import make_hello_world, make_matmul, make_metrics

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import RunSuite, SuiteRun

#: What the metrics cube declares and does not need.
DOES_WITHOUT = (
    *("--optional", "evaluate.checkpoint"),
    *("--optional", "evaluate.subjects"),
)


def _content(folder: Path) -> dict[str, str]:
    return digests(folder, snapshot(folder))


def _runs(run_suite: RunSuite, tmp_path: Path, *platforms: str) -> SuiteRun:
    """Run the three cubes, and hold that they are as they were."""
    make_hello_world(tmp_path / "hello")
    make_matmul(tmp_path / "matmul")
    make_metrics(tmp_path / "metrics")
    cubes = [tmp_path / "hello", tmp_path / "matmul", tmp_path / "metrics" / "mlcube"]
    before = [_content(each) for each in cubes]

    run = run_suite(
        *(word for each in cubes for word in ("--cube", each)),
        *(word for each in platforms for word in ("--platform", each)),
        *DOES_WITHOUT,
        *("--keep", "all"),
    )

    left = [_content(each) for each in cubes]
    for each in left:
        each.pop("workspace/.image/matmul.sif", None)
    assert left == before
    assert run.verdict("failed") | run.verdict("error") | run.verdict("skipped") == {}
    return run


def _kept(tmp_path: Path, path: str) -> str:
    (file,) = (tmp_path / "place" / ".mlcube-conformance").glob(f"*/{path}")
    return file.read_text(encoding="utf-8")


@pytest.mark.docker
@pytest.mark.singularity
def test_they_run_unchanged(run_suite: RunSuite, tmp_path: Path) -> None:
    run = _runs(run_suite, tmp_path, "docker", "singularity", "local")

    assert (
        "test_outputs_are_the_same_on_every_platform[FeTS-challenge-metrics-evaluate]"
        in run.outcomes
    )
    for platform in ("docker", "singularity", "local"):
        chat = _kept(tmp_path, f"hello/{platform}/workspace/chats/*alice.txt")
        assert chat == "hello, Alice!\nbye, Alice!\n"
        score = _kept(
            tmp_path, f"FeTS-challenge-metrics/{platform}/workspace/results/new/*.yaml"
        )
        assert score == "score: 1\n"
        # The entry point gets every parameter, those that do not exist too, and no
        # name; without one, the name comes first.
        said = _kept(tmp_path, f"FeTS-challenge-metrics/{platform}/evaluate.stdout.log")
        assert said.startswith("6 arguments, first --predictions=")
        said = _kept(
            tmp_path, f"FeTS-challenge-metrics/{platform}/sanity_check.stdout.log"
        )
        assert said == "3 arguments, first sanity_check\n"


@pytest.mark.docker
@pytest.mark.ssh
def test_they_run_unchanged_on_another_host(
    run_suite: RunSuite, tmp_path: Path
) -> None:
    platform = os.environ["MLCUBE_CONFORMANCE_SSH_DOCKER"]

    _runs(run_suite, tmp_path, platform)

    score = _kept(tmp_path, "FeTS-challenge-metrics/*/workspace/results/new/*.yaml")
    assert score == "score: 1\n"


@pytest.mark.docker
def test_an_input_that_is_never_there_is_told_with_the_way_out(
    run_suite: RunSuite, tmp_path: Path
) -> None:
    cube = make_metrics(tmp_path / "metrics")

    run = run_suite("--cube", cube.root, "--platform", "docker", "--task", "evaluate")

    (said,) = run.verdict("failed").values()
    assert "the input 'checkpoint' of task 'evaluate' is missing" in said
    assert "--optional evaluate.checkpoint" in said
    assert "the input 'subjects'" in said
    assert not (cube.root / "workspace" / "more").exists()


@pytest.mark.docker
def test_an_image_that_is_to_be_pulled_is_not_built_unless_asked(
    run_suite: RunSuite, tmp_path: Path
) -> None:
    cube = make_hello_world(tmp_path / "hello")
    cube.edit("mlcube.yaml", "  build_strategy: auto\n", "")
    cube.edit("mlcube.yaml", "image: mlcube", "image: localhost:9/mlcube")

    pulled = run_suite("--cube", cube.root, "--platform", "docker")
    built = run_suite(
        *("--cube", cube.root, "--platform", "docker", "--build-strategy", "auto")
    )

    assert "the recipe Dockerfile is not used: the image is pulled" in pulled.output
    assert "--build-strategy auto" in str(pulled.verdict("error"))
    assert built.exit_code == 0
