"""The suite for runners, on real ones: ours, and the official command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import conformance_tests.runner
from mlcube_conformance.results.judgements import Scorecard
from mlcube_conformance.runners.common.image_names import own_name
from tests import warm
from tests.conftest import REQUIRED
from tests.cube_folders import BUSYBOX

if TYPE_CHECKING:
    import docker

_MLCUBE = "MLCUBE_CONFORMANCE_MLCUBE"
_PLACES = ("MLCUBE_CONFORMANCE_SSH_DOCKER", "MLCUBE_CONFORMANCE_SSH_SINGULARITY")
_DESCRIPTIONS = Path(conformance_tests.runner.__file__).parent / "descriptions"
_EXPECTED = _DESCRIPTIONS / "mlcube.expected.yaml"
#: What was seen by hand of the official command line, before there was a suite.
_SEEN = {"PATH-1", "PATH-2", "PATH-4", "INPUT-4", "RUN-1", "ARG-18"}


def _put_on_trial(place: Path, *words: str | Path) -> tuple[int, Scorecard, str]:
    """Run the suite as a user does; return its exit code, its card and its output."""
    card = place / "card.json"
    done = subprocess.run(
        [
            *(*warm.python("pytest"), "-p", "no:cacheprovider"),
            *("-c", os.devnull, "--rootdir", place, "-W", "error"),
            *("--pyargs", "conformance_tests.runner", "--base-image", BUSYBOX),
            *("--scorecard", card, "-n", "2", *words),
        ],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    output = done.stdout + done.stderr
    assert card.exists(), output
    return done.returncode, Scorecard.from_json(card.read_text()), output


def _with_imports_done(runner: str, place: Path) -> Path:
    """Write a description of our runner that starts with its modules imported."""
    text = (_DESCRIPTIONS / f"{runner}.yaml").read_text(encoding="utf-8")
    module = f"mlcube_{runner}_run"
    plain = f'"{{python}}", -m, {module}'
    assert text.count(plain) == 2
    started = json.dumps(warm.python(module))[1:-1]
    file = place / f"{runner}.yaml"
    file.write_text(text.replace(plain, started), "utf-8")
    return file


def _assert_sound(
    place: Path, runner: str | Path, *words: str
) -> tuple[Scorecard, str]:
    code, card, output = _put_on_trial(place, "--runner", runner, *words)
    broken = {each.clause: each.reason for each in card.judgements if each.broken}
    assert broken == {}, output
    assert code == 0, output
    # The suite has no way to pass by leaving everything out.
    assert {each.clause for each in card.judgements if each.verdict == "passed"} >= {
        *("EXIT-2", "PATH-1", "MOUNT-3", "ARG-1", "FILE-3", "RUN-2"),
    }
    return card, output


def _images_of_tests_in(client: docker.DockerClient, output: str) -> list[str]:
    """Return the images of single tests that a run of the suite has left."""
    (run,) = re.findall(r"logs in \S*/\.mlcube-conformance/(\S+)", output)
    sources = Path(conformance_tests.runner.__file__).parent.glob("*.py")
    uses = {
        use
        for file in sources
        for use in re.findall(r'\.image\("(\w+)"\)', file.read_text())
    }
    assert len(uses) > 3
    given = [f"mlcube-conformance-probe-{use}:{run}" for use in uses]
    # One request: `client.images.list()` asks for each image of its list once more, and
    # a test beside this one may have removed it.
    has = {tag for image in client.api.images() for tag in image["RepoTags"] or ()}
    return sorted(has.intersection([*given, *map(own_name, given)]))


@pytest.mark.docker
@pytest.mark.parametrize("form", ["multi-file", "single-file"])
def test_docker_meets_every_clause(
    form: str, tmp_path: Path, docker_client: docker.DockerClient
) -> None:
    # Half of a call is the import of modules. For the runner `local`, Python starts as
    # it does for users.
    runner = _with_imports_done("docker", tmp_path)
    card, output = _assert_sound(tmp_path, runner, "--format", form)

    assert not [each for each in card.judgements if each.verdict == "unsupported"]
    assert _images_of_tests_in(docker_client, output) == []


@pytest.mark.singularity
def test_singularity_meets_every_clause(tmp_path: Path) -> None:
    runner = _with_imports_done("singularity", tmp_path)
    _assert_sound(tmp_path, runner, "--format", "single-file")


def test_local_meets_every_clause(tmp_path: Path) -> None:
    _assert_sound(tmp_path, "local", "--format", "multi-file")


@pytest.mark.docker
@pytest.mark.singularity
@pytest.mark.ssh
def test_ssh_meets_every_clause_of_a_place(tmp_path: Path) -> None:
    missing = [
        name
        for name in (
            "MLCUBE_CONFORMANCE_SSH_DOCKER",
            "MLCUBE_CONFORMANCE_SSH_SINGULARITY",
        )
        if name not in os.environ
    ]
    if missing and "ssh" not in REQUIRED:
        pytest.skip(f"{missing[0]} is not set; `make test SETUP='docker ssh'` sets it")
    # Arguments and definitions are read before anything is sent, by the code that the
    # other runners are judged by; here, one clause of each is enough.
    few = "test_argv or test_missing_definition or not (test_arg.py or test_file.py)"
    # Most of a run is waiting for the other host.
    runner = _with_imports_done("ssh", tmp_path)
    _assert_sound(tmp_path, runner, "--runner-timeout", "120", "-n", "4", "-k", few)


@pytest.mark.docker
def test_official_command_line_fails_where_it_was_seen_to(tmp_path: Path) -> None:
    if _MLCUBE not in os.environ and "mlcube" not in REQUIRED:
        pytest.skip(f"{_MLCUBE} is not set; `make test SETUP='docker mlcube'` sets it")
    code, card, output = _put_on_trial(
        tmp_path, "--runner", "mlcube", "--expected-failures", _EXPECTED
    )

    failed = {each.clause for each in card.judgements if each.verdict == "failed"}
    assert failed >= _SEEN, output
    assert all(each.expected for each in card.judgements if each.broken), output
    assert code == 0, output
