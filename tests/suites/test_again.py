"""The line "again:" of a failure, which is run here as a user would run it."""

from __future__ import annotations

import shlex
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import pytest

from tests.command import call
from tests.cube_folders import CubeFolder, make_cube
from tests.runner_descriptions import refuser

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., str]

_RUNNER: Final = refuser(formats="single-file, multi-file")
_FAILS: Final = "task 'make' failed"
_FAKE: Final = ("--platform", "fake")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what runs the project's command, which must find a failure."""

    def run(*words: str, env: dict[str, str] | None = None) -> str:
        done = call("test", *words, place=tmp_path, more=env, timeout=120)
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def _again(said: str) -> list[str]:
    """Return what the first line that runs a test again gives to the command."""
    line = next(each for each in said.splitlines() if "again: " in each)
    program, command, *words = shlex.split(line.partition("again: ")[2])
    assert (program, command) == ("mlcube-conformance", "test")
    return words


@pytest.mark.parametrize("name", ["@cube", "-cube", "cube.py", "a::b", "a b", "~"])
def test_cube_of_any_name_runs_again(name: str, run: Run, tmp_path: Path) -> None:
    make_cube(tmp_path / name).fake_platform("fail")

    said = run(f"--cube=./{name}", *_FAKE)

    assert _FAILS in run(*_again(said))


@pytest.mark.parametrize("name", ["@x.yaml", "-x.yaml", "fake", "fake.yaml"])
def test_platform_file_of_any_name_runs_again(
    name: str, run: Run, tmp_path: Path
) -> None:
    cube = make_cube(tmp_path / "tiny")
    cube.fake_platform("fail")
    (cube.root / "platform/fake.yaml").rename(tmp_path / name)
    cube.fake_platform("pass")

    said = run("tiny", f"--platform=./{name}")

    assert _FAILS in run(*_again(said))


def test_section_of_the_main_file_runs_again(run: Run, tmp_path: Path) -> None:
    CubeFolder(tmp_path / "single").write(
        "mlcube.yaml", "docker: {image: a}\ntasks: {work: }\n"
    )
    other = CubeFolder(tmp_path).write(
        "other/docker.yaml",
        "platform: {name: docker, version: '>=0'}\ncontainer: {image: a}\n",
    )

    # Their names are the same, so their ids tell more than the name.
    said = run("single", "--platform", "docker", f"--platform={other}")

    words = _again(said)
    assert words == ["single", "--platform", "docker"]
    assert "cannot use Docker" in run(*words)


@pytest.mark.parametrize("name", ["@run", "-run", "a/b"])
def test_run_file_of_any_name_runs_again(name: str, run: Run, tmp_path: Path) -> None:
    cube = make_cube(tmp_path / "tiny")
    cube.fake_platform("fail")
    cube.write(f"run/{name}.yaml", (cube.root / "run/make.yaml").read_text())

    said = run("tiny", *_FAKE, f"--task={name}")

    assert _FAILS in run(*_again(said))


_VALUES: Final = (
    *("--parameter=make.seed=seed.txt", "--optional=use.data", "--workspace=place"),
    *("--build-arg=B=1", "--build-strategy=auto", "--network=none", "--gpus="),
    *("--env=A", "--ca-bundle=ca.pem", "--configure-timeout=7", "--task-timeout=8"),
)


def test_all_that_changes_what_is_found_is_told_again(run: Run, tmp_path: Path) -> None:
    make_cube(tmp_path / "tiny").fake_platform("fail")
    (tmp_path / "ca.pem").write_text("BEGIN CERTIFICATE")
    (tmp_path / "seed.txt").write_text("mine")

    files = ("--record=record.json", "--report=report.html", "--junit-xml=x.xml")
    more = ("--keep=all", "--live", *files)
    said = run("tiny", *_FAKE, *_VALUES, *more, env={"A": "value"})

    words = _again(said)
    found = set(pairwise(words))
    shown = {each: each.partition("=")[::2] for each in _VALUES}
    shown["--build-arg=B=1"] = ("--build-arg", "B")  # Its value may be a secret.
    assert set(shown.values()) <= found
    # What a folder of a CI is called is nothing to those who run it elsewhere.
    assert not {"--keep", "--live", "--record", "--report"} & set(words)
    assert _FAILS in run(*words, env={"A": "value", "B": "1"})


def test_value_that_may_be_a_secret_is_asked_for(run: Run, tmp_path: Path) -> None:
    make_cube(tmp_path / "tiny").fake_platform("fail")

    words = _again(run("tiny", *_FAKE, "--env", "PASSWORD=correct horse"))

    with pytest.raises(AssertionError, match=r"found: .*PASSWORD"):
        run(*words)


def test_image_that_fails_is_made_again_for_the_same_tasks(
    run: Run, tmp_path: Path
) -> None:
    make_cube(tmp_path / "tiny").fake_platform("nothing-builds")

    words = _again(run("tiny", *_FAKE, "--task", "make"))

    assert words == ["tiny", *_FAKE, "--task", "make"]
    assert "the image does not build" in run(*words)


def test_own_test_runs_again(run: Run, tmp_path: Path) -> None:
    make_cube(tmp_path / "tiny").fake_platform("nothing-builds")
    (tmp_path / "test_own.py").write_text("def test_it(image): pass\n")

    words = _again(run("tiny", *_FAKE, "test_own.py"))

    assert "test_own.py" in words
    assert "1 failed" in run(*words) or "1 error" in run(*words)


def test_test_of_a_runner_runs_again(run: Run, tmp_path: Path) -> None:
    (tmp_path / "refuser.yaml").write_text(_RUNNER)
    (tmp_path / "known.yaml").write_text("- {clause: ARG-1, reason: known}\n")
    given = {
        "--base-image": "some/base:1",
        "--format": "multi-file",
        "--runner-platform": "singularity",
        "--runner-timeout": "7",
        "--expected-failures": "known.yaml",
    }

    said = run(
        *("--runner", "refuser.yaml", "-k", "exit_code_of_task"),
        *(f"{name}={value}" for name, value in given.items()),
        "--scorecard=card.json",
    )

    words = _again(said)
    (tmp_path / "card.json").unlink()
    assert given.items() <= dict(pairwise(words)).items()
    assert "EXIT-2: " in run(*words)
    # It would say of all other clauses that they were not tested.
    assert not (tmp_path / "card.json").exists()
