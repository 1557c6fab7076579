"""Values that the command line gives to tasks and builds are shown nowhere."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from tests import warm

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from tests.cube_folders import CubeFolder

SECRETS: Final = ("SECRETVALUE1", "SECRETVALUE2", "p@ss SECRETVALUE3 'x'")
WORDS: Final = (
    *("--env", "API_KEY", "--env", f"PW={SECRETS[2]}"),
    *("--build-arg", f"TOKEN={SECRETS[1]}"),
)
ON_EACH: Final = pytest.mark.parametrize(
    "platform",
    [
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param(
            "singularity", marks=[pytest.mark.singularity, pytest.mark.docker]
        ),
        "local",
    ],
)


def _call(cwd: Path, *words: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        [*warm.python(str(words[0])), *map(str, words[1:])],
        cwd=cwd,
        env={**os.environ, "API_KEY": SECRETS[0]},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@ON_EACH
def test_failure_shows_no_value(
    platform: str, cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.edit("build/Dockerfile", "COPY", "ARG TOKEN\nARG API_KEY\nCOPY")
    cube_folder.tasks(make='echo "the key is $API_KEY, $PW"; exit 3')

    code, said = _call(
        tmp_path,
        *("mlcube_conformance", "test", cube_folder.root, "--platform", platform),
        *("--junitxml=report.xml", "--live", *WORDS),
    )

    said += (tmp_path / "report.xml").read_text()
    assert code == 1
    for each in SECRETS:
        assert each not in said
    assert "SECRETVALUE" not in said
    assert "the key is ***, ***" in said
    assert "--build-arg TOKEN" in said
    assert "--env API_KEY --env PW" in said
    assert "by hand:" in said


@ON_EACH
def test_outcome_of_a_runner_stores_no_value(
    platform: str, cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.tasks(make='test "$API_KEY" = SECRETVALUE1 && exit 3')

    code, said = _call(
        tmp_path,
        *(f"mlcube_{platform}_run", "run", f"--mlcube={cube_folder.root}"),
        *(f"--platform={platform}", "--task=make", "--logs=logs", *WORDS),
    )

    stored = (tmp_path / "logs/outcome.json").read_text()
    assert code == 3, said
    assert "SECRETVALUE" not in said + stored
    assert "API_KEY=***" in stored


@pytest.mark.docker
def test_variable_of_a_task_does_not_reach_a_build(
    cube_folder: CubeFolder, docker_client: docker.DockerClient, tmp_path: Path
) -> None:
    cube_folder.edit(
        "build/Dockerfile",
        "COPY",
        "ARG API_KEY=none\nRUN echo built with $API_KEY\nCOPY",
    )

    code, said = _call(
        tmp_path,
        *("mlcube_conformance", "test", cube_folder.root, "--platform", "docker"),
        *("--keep", "all", "--env", "API_KEY"),
    )

    (log,) = tmp_path.glob(".mlcube-conformance/*/*/docker/configure.log")
    assert code == 0, said
    assert "built with none" in log.read_text()
    name = (cube_folder.root / "mlcube.yaml").read_text().split("name: ")[1].split()[0]
    (image,) = docker_client.images.list(filters={"label": f"test={name}"})
    kept = str(image.history())
    assert "echo built with" in kept
    assert "SECRETVALUE" not in kept


@pytest.mark.docker
def test_build_argument_may_come_from_the_environment(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.edit(
        "build/Dockerfile",
        "COPY",
        'ARG API_KEY=none\nRUN test "$API_KEY" = SECRETVALUE1\nCOPY',
    )

    code, said = _call(
        tmp_path,
        *("mlcube_docker_run", "configure", f"--mlcube={cube_folder.root}"),
        *("--platform=docker", "--build-arg", "API_KEY"),
    )

    assert code == 0, said
    assert "SECRETVALUE" not in said.replace("= SECRETVALUE1", "")


@pytest.mark.parametrize("option", ["--env", "--build-arg"])
def test_value_without_a_name_is_not_repeated(
    option: str, cube_folder: CubeFolder, tmp_path: Path
) -> None:
    words = ("--platform", "local", option, f"={SECRETS[1]}")

    code, said = _call(tmp_path, "mlcube_conformance", "test", cube_folder.root, *words)

    assert code == 4
    assert "SECRETVALUE" not in said


@pytest.mark.docker
@pytest.mark.singularity
def test_build_argument_is_no_part_of_an_image_of_singularity(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.edit(
        "build/Dockerfile",
        "COPY",
        "ARG TOKEN=none\n"
        'RUN case "$TOKEN" in *VALUE3*) echo given >/given;; esac\nCOPY',
    )
    cube_folder.tasks(make='cat /given >"$data/part"')
    value = SECRETS[2].replace("'", "'\"")
    words = ("--platform", "singularity", "--build-arg", f"TOKEN={value}")

    code, said = _call(
        tmp_path,
        *("mlcube_conformance", "test", cube_folder.root, "--keep=all", *words),
    )

    assert code == 0, said
    stored = {
        each.name: each.read_bytes()
        for folder in (tmp_path / ".mlcube-conformance", tmp_path / "home")
        for each in folder.rglob("*")
        if each.is_file() and not each.is_symlink()
    }
    assert any(b"Bootstrap: docker" in each for each in stored.values())
    assert [k for k, text in stored.items() if b"SECRETVALUE" in text] == []
    code, said = _call(
        tmp_path,
        *("mlcube_conformance", "test", cube_folder.root, *words[:-1], "TOKEN=other"),
    )
    assert code == 1, said  # Another value is another image.
