"""What a machine can run, and which cubes there are, by the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.command import call
from tests.cube_folders import make_cube

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def test_what_is_missing_is_told_with_the_way_to_get_it(tmp_path: Path) -> None:
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/none", "PATH": str(tmp_path)}

    done = call("doctor", more=nowhere)
    facts = json.loads(call("doctor", "--json", more=nowhere).stdout)

    assert done.returncode == 0, done.stderr
    assert "no   docker       cannot use Docker: its daemon does not answer" in (
        done.stdout
    )
    assert "     found:       nothing listens there" in done.stdout
    assert "     do:          start it (`sudo " in done.stdout
    assert ", or fix or unset DOCKER_HOST\n" in done.stdout
    assert "no   singularity" in done.stdout
    assert "yes  local" in done.stdout
    assert "Without --platform, cubes run on local." in done.stdout
    works = {each["platform"]: each["works"] for each in facts["platforms"]}
    assert works["docker"] is works["singularity"] is False
    assert works["local"] is True
    assert facts["chosen"] == "local"


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("tcp://127.0.0.1:1", "nothing listens there"),
        ("tcp://no-host.invalid:2375", "no host has this name"),
        ("ssh://no-host.invalid", "this tool does not reach a daemon by ssh://"),
    ],
)
def test_a_daemon_that_cannot_be_reached_is_told_in_plain_words(
    host: str, found: str, tmp_path: Path
) -> None:
    done = call("doctor", more={"DOCKER_HOST": host, "PATH": str(tmp_path)})

    assert f"     found:       {found}\n" in done.stdout


def test_a_program_of_a_driver_is_no_gpu(tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'No devices were found'\n")
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    without, beside = (
        json.loads(call("doctor", "--json", more={"PATH": each}).stdout)["gpus"]
        for each in (os.environ["PATH"], path)
    )

    assert beside == without
    devices = ("/dev/nvidia0", "/dev/dxg", "/dev/kfd")
    assert without == [] or any(Path(each).exists() for each in devices)


@pytest.mark.docker
@pytest.mark.singularity
def test_what_works_is_told_with_its_version() -> None:
    facts = json.loads(call("doctor", "--json").stdout)

    engines = {each["platform"]: each["engine"] for each in facts["platforms"]}
    assert engines["docker"].startswith(("Docker ", "Podman "))
    assert engines["singularity"].partition(" ")[0] in {"apptainer", "singularity"}


def test_cubes_are_listed_with_tasks_and_platforms() -> None:
    (found,) = json.loads(call("list", EXAMPLES, "--json").stdout)
    text = call("list", "examples", place=EXAMPLES.parent).stdout

    assert found["name"] == "mnist"
    assert found["tasks"] == ["download", "train"]
    assert set(found["platforms"]) == {"docker", "singularity", "local"}
    assert text.startswith("examples/mnist (mnist)\n  tasks:     download, train\n")


def test_what_is_wrong_with_a_cube_and_its_name_harm_no_list(tmp_path: Path) -> None:
    cube = make_cube(tmp_path / "a \x1b[31m cube")
    cube.write("run/use.yaml", "task_name: [")

    done = call("list", place=tmp_path)

    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "problems:  " in done.stdout
    assert "make" in done.stdout


def test_where_there_is_no_cube_says_so(tmp_path: Path) -> None:
    done = call("list", place=tmp_path)

    assert done.returncode == 2
    assert "there is no cube" in done.stderr


def test_a_program_that_says_too_much_is_told_in_short(tmp_path: Path) -> None:
    for name in ("singularity", "apptainer"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\nhead -c 30000000 /dev/zero | tr '\\0' x\n")
        program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"

    done = call("doctor", "--json", more={"PATH": path})

    assert "says 'xxx" in done.stdout
    (told,) = [
        each
        for each in json.loads(done.stdout)["platforms"]
        if each["platform"] == "singularity"
    ]
    assert told["do"].startswith(
        "see what this says by hand, and fix the program:\n"
        f"  {tmp_path}/singularity --version\n"
        "or install Apptainer"
    )
    assert len(done.stdout) < 10_000
