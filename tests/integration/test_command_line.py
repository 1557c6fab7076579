"""`python -m mlcube_docker_run configure|run`, as a user calls it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import warm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cube_folders import CubeFolder

PROGRAM = (sys.executable, "-m", "mlcube_docker_run")


def _call(
    *words: str | Path, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*warm.python("mlcube_docker_run"), *map(str, words)],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _place(cube: CubeFolder) -> tuple[str, str]:
    return f"--mlcube={cube.root}", "--platform=docker"


@pytest.mark.docker
def test_configure_then_run_leaves_outputs_in_the_workspace(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.tasks(make='echo out; echo err >&2; cat "$seed" > "$data/part"')
    place = ("--mlcube=tiny", "--platform=docker")

    configured = _call("configure", *place, cwd=tmp_path)
    again = _call("configure", *place, cwd=tmp_path)
    make = _call("run", *place, "--task=tiny/run/make.yaml", cwd=tmp_path)
    use = _call("run", *place, "--task=tiny/run/use.yaml", cwd=tmp_path)

    assert [each.returncode for each in (configured, again, make, use)] == [0] * 4
    assert "0.1.0: built" in configured.stderr
    assert "0.1.0: up to date" in again.stderr
    assert make.stdout == "out\n"
    assert "err\n" in make.stderr
    assert (cube_folder.root / "workspace/out/result.txt").read_text() == "seed\n"


@pytest.mark.docker
@pytest.mark.parametrize("code", [1, 3, 255])
def test_exit_code_is_that_of_the_task(code: int, cube_folder: CubeFolder) -> None:
    cube_folder.tasks(make=f"exit {code}")

    done = _call(
        "run", *_place(cube_folder), f"--task={cube_folder.root}/run/make.yaml"
    )

    assert done.returncode == code
    assert f"found:    exit code {code}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.docker
def test_output_that_is_no_text_passes_unchanged(
    cube_folder: CubeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    cube_folder.tasks(make="printf '\\377\\000\\n'")

    done = subprocess.run(
        [
            *(*PROGRAM, "run", *_place(cube_folder)),
            f"--task={cube_folder.root}/run/make.yaml",
        ],
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert done.stdout == b"\xff\x00\n"


@pytest.mark.docker
def test_past_the_deadline_exits_124(cube_folder: CubeFolder) -> None:
    cube_folder.tasks(make="sleep 300")

    done = _call(
        *("run", *_place(cube_folder), "--task-timeout=1"),
        f"--task={cube_folder.root}/run/make.yaml",
    )

    assert done.returncode == 124
    assert "ran past its deadline and was killed" in done.stderr


@pytest.mark.docker
def test_recipe_that_fails_exits_125_and_shows_the_step(
    cube_folder: CubeFolder,
) -> None:
    cube_folder.edit("build/Dockerfile", "COPY", "RUN false\nCOPY")

    done = _call("configure", *_place(cube_folder))

    assert done.returncode == 125
    assert "cannot build the image of cube 'tiny'" in done.stderr
    assert "RUN false" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.docker
def test_interrupt_ends_with_130_and_says_so(cube_folder: CubeFolder) -> None:
    cube_folder.tasks(make="echo begun; sleep 300")
    process = subprocess.Popen(
        [
            *(*PROGRAM, "run", *_place(cube_folder)),
            f"--task={cube_folder.root}/run/make.yaml",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert b"Traceback" not in err


@pytest.mark.parametrize(
    "host", ["unix:///nowhere.sock", "tcp://[::1", "garbage", "tcp://u:secret@[::1"]
)
def test_daemon_that_is_down_exits_125(cube_folder: CubeFolder, host: str) -> None:
    done = _call(*("configure", *_place(cube_folder)), DOCKER_HOST=host)

    assert done.returncode == 125
    assert "its daemon does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("run", "--mlcube=tiny", "--platform=docker"),
            "has several tasks, and --task is missing",
        ),
        (("configure", "--mlcube=tiny"), "Missing option '--platform'"),
        (("configure", "--mlcube=tiny", "--gpu=1"), "No such option"),
        (
            ("configure", "--mlcube=none", "--platform=docker"),
            "the path of --mlcube does not exist",
        ),
        (
            ("configure", "--mlcube=tiny/run/make.yaml", "--platform=docker"),
            "has the wrong schema_type",
        ),
        (
            ("configure", "--mlcube=tiny", "--platform=none.yaml"),
            "the platform file none.yaml does not exist",
        ),
        (
            ("configure", "--mlcube=tiny", "--platform=tiny/platform/fake.yaml"),
            "the platform file is not for docker",
        ),
        (
            ("run", "--mlcube=tiny", "--platform=docker", "--task=tiny/run/x.yaml"),
            "has no task 'tiny/run/x.yaml'",
        ),
        (
            ("run", "--mlcube=tiny", "--platform=docker", "--task=tiny/mlcube.yaml"),
            "mlcube.yaml has the wrong schema_type",
        ),
        (
            ("configure", "--mlcube=tiny", "--platform=docker", "--network=lan"),
            "Invalid value for '--network'",
        ),
        (
            ("configure", "--mlcube=tiny", "--platform=docker", "--build-arg=x"),
            "the value of --build-arg is invalid",
        ),
    ],
)
def test_wrong_usage_exits_2_before_anything_happens(
    words: tuple[str, ...], says: str, cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.fake_platform("pass")

    done = _call(*words, cwd=tmp_path)

    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (cube_folder.root / "workspace/data").exists()


@pytest.mark.docker
def test_task_cannot_reach_out_of_the_cube(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (cube_folder.root / "workspace/data").symlink_to(outside)
    cube_folder.edit("run/use.yaml", "$WORKSPACE/out/result.txt", f"{outside}/x")

    link = _call(
        "run", *_place(cube_folder), f"--task={cube_folder.root}/run/make.yaml"
    )
    path = _call("run", *_place(cube_folder), f"--task={cube_folder.root}/run/use.yaml")

    assert [link.returncode, path.returncode] == [2, 2]
    assert "'data' leaves the workspace through a link" in link.stderr
    assert "'result' leaves the workspace" in path.stderr
    assert list(outside.iterdir()) == []


@pytest.mark.docker
def test_missing_input_exits_2_and_makes_nothing(cube_folder: CubeFolder) -> None:
    (cube_folder.root / "workspace/seed.txt").unlink()

    done = _call(
        "run", *_place(cube_folder), f"--task={cube_folder.root}/run/make.yaml"
    )

    assert done.returncode == 2
    assert "the input 'seed' of task 'make' is missing" in done.stderr
    assert not (cube_folder.root / "workspace/data").exists()


def test_help_lists_the_commands_and_exit_codes() -> None:
    done = _call("--help")

    assert done.returncode == 0
    for part in ("configure", "run", "124 past the deadline"):
        assert part in done.stdout


@pytest.mark.docker
def test_folders_may_have_any_name(cube_folder: CubeFolder, tmp_path: Path) -> None:
    words = ("run", *_place(cube_folder), f"--task={cube_folder.root}/run/make.yaml")
    bytes_alone = os.fsdecode(b"\xff")

    logs = _call(*words, f"--logs={bytes_alone} a:,'b", cwd=tmp_path)
    workspace = _call(*words, f"--workspace={bytes_alone}", cwd=tmp_path)

    assert logs.returncode == 0, logs.stderr
    assert workspace.returncode == 125
    assert "Docker cannot mount a folder whose name is not UTF-8" in workspace.stderr
    assert "Traceback" not in workspace.stderr


@pytest.mark.docker
@pytest.mark.parametrize("service", ["TF_BUILD", "GITHUB_ACTIONS"])
def test_no_task_gives_commands_to_a_service(
    service: str, cube_folder: CubeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(service, "true")
    cube_folder.tasks(make="printf '::set-output name=a::b\\n##vso[x]\\n\\033[31m'")

    done = _call(
        "run", *_place(cube_folder), f"--task={cube_folder.root}/run/make.yaml"
    )

    said = done.stdout + done.stderr
    assert "^[[31m" in said
    assert "\x1b" not in said
    assert "##vso[" not in said
    assert not any(line.startswith("::") for line in said.splitlines())
