"""Fixtures of the project's own tests."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import docker
import pytest

from mlcube_conformance.runners.docker.images import image_in_daemon
from mlcube_conformance.runners.docker.runner import DockerRunner
from mlcube_conformance.runners.singularity.engine import NAMES
from mlcube_conformance.runners.singularity.runner import SingularityRunner
from tests import warm
from tests.cube_folders import BUSYBOX, CubeFolder, drain_made, make_cube

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlcube_conformance.base.errors import MachineError
    from mlcube_conformance.runners.contract import Runner

#: Platforms whose absence is a failure: CI names those it has set up.
REQUIRED = os.environ.get("MLCUBE_CONFORMANCE_REQUIRED", "").split()
_HOW_TO_GET_DOCKER = "as root, `make test SETUP=docker` sets it up"
_HOW_TO_GET_SINGULARITY = "as root, `make test SETUP='docker singularity'` sets it up"
_HOW_TO_GET_SSH = "as root, `make test SETUP='docker ssh'` sets it up"
_HOW_TO_GET_BROWSER = "as root, `make test SETUP=browser` sets it up"
_PULLED: dict[str, bool] = {}
#: What keeps a platform from working, which is asked once.
_TROUBLES: dict[str, MachineError | None] = {}
#: Variables by which tools, pytest among them, see that they run in a workflow.
_OF_WORKFLOWS = (
    *("CI", "BUILD_NUMBER", "GITLAB_CI", "TF_BUILD"),
    *("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"),
)


def pytest_configure() -> None:
    """Hear signals that `nohup` or a shell's `&` made this process ignore.

    What tests start would ignore them too, and that is what it should do. Most tests
    read the lines of pytest; those of the terminal ask for others.
    """
    os.environ.setdefault("MLCUBE_CONFORMANCE_TERMINAL", "pytest")
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_finish() -> None:
    """Keep thousands of tests out of the search for garbage: all live to the end."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, for each reason, what was not tested here and how it could be."""
    skipped = terminalreporter.getreports("skipped")
    reasons = Counter(str(each.longrepr[2]) for each in skipped)
    for reason, count in reasons.most_common():
        text = reason.removeprefix("Skipped: ")
        terminalreporter.write_line(f"not tested here: {count} tests: {text}")
    _tell_of_the_zoo(terminalreporter)


def _tell_of_the_zoo(reporter: pytest.TerminalReporter) -> None:
    """Say how many broken cubes were found, and how many sound ones passed."""
    found: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for report in (*reporter.getreports("passed"), *reporter.getreports("failed")):
        for name, value in report.user_properties:
            if name == "zoo":
                half, right, count = value
                found[half] += right
                whole[half] += count
    for half, word in (("broken", "sensitivity"), ("sound", "specificity")):
        if whole[half]:
            share = found[half] / whole[half]
            reporter.write_line(
                f"zoo: {word} {share:.3f}: {found[half]} of {whole[half]} {half} cubes"
            )


@pytest.fixture
def cube_folder(tmp_path: Path) -> CubeFolder:
    """Return a small cube that is sound."""
    return make_cube(tmp_path / "tiny")


@pytest.fixture(autouse=True)
def _only_what_is_marked(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Keep tests away from platforms that they have no mark for."""
    monkeypatch.setenv("MLCUBE_CONFORMANCE_FAKE", "1")
    # What tests start is no step of the workflow that starts the tests.
    for each in _OF_WORKFLOWS:
        monkeypatch.delenv(each, raising=False)
    # What pytester starts, too; the name is not public, and it has no other place.
    monkeypatch.setattr(
        pytest.Pytester, "_getpytestargs", lambda _: warm.python("pytest")
    )
    # What a failed run keeps for its user is where the test's own things are.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    marks = {mark.name for mark in request.node.iter_markers()}
    if not marks & {"docker", "singularity"}:
        monkeypatch.setenv("DOCKER_HOST", "unix:///needs/the/mark/docker.sock")
    if "singularity" not in marks:
        hidden = request.getfixturevalue("no_singularity")
        monkeypatch.setenv("PATH", f"{hidden}:{os.environ['PATH']}")
    else:
        _need_singularity()
        # The images of the cubes of a test are below its home, and go with it; what
        # is kept between runs stays where it is.
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        monkeypatch.setenv("XDG_CACHE_HOME", cache)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if "ssh" in marks:
        _need_ssh()
    else:
        hidden = request.getfixturevalue("no_ssh")
        monkeypatch.setenv("PATH", f"{hidden}:{os.environ['PATH']}")
    if "docker" in marks:
        _need_docker(request)
    if "browser" in marks:
        need_browser()


@pytest.fixture(scope="session")
def no_singularity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose programs stand before those that need a mark."""
    return _hidden(tmp_path_factory.mktemp("needs-the-mark-singularity"), NAMES)


@pytest.fixture(scope="session")
def no_ssh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose programs stand before those that need a mark."""
    return _hidden(tmp_path_factory.mktemp("needs-the-mark-ssh"), ("ssh",))


def _hidden(folder: Path, names: Sequence[str]) -> Path:
    for name in names:
        (folder / name).write_text("#!/bin/sh\necho this test has no mark for it\n")
        (folder / name).chmod(0o755)
    return folder


def _need(make: Callable[[str], Runner], name: str, how: str) -> None:
    """Skip where a platform does not exist; fail where it should have been set up."""
    if name not in _TROUBLES:
        runner = make("tests")
        _TROUBLES[name] = runner.unavailable()
        runner.close()
    trouble = _TROUBLES[name]
    if trouble is None:
        return
    message = f"{trouble.messages[0].what}; {how}"
    if name in REQUIRED:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def _need_singularity() -> None:
    _need(SingularityRunner, "singularity", _HOW_TO_GET_SINGULARITY)
    if "singularity" not in REQUIRED and not image_in_daemon(BUSYBOX):
        pytest.skip(f"no daemon has the image {BUSYBOX}; {_HOW_TO_GET_SINGULARITY}")


def _need_ssh() -> None:
    missing = [name for name in ("sshd", "ssh", "rsync") if not _which(name)]
    if not find_spec("testinfra"):
        missing.append("testinfra")
    _need_none_of(missing, "ssh", _HOW_TO_GET_SSH)


def _need_none_of(missing: Sequence[str], name: str, how: str) -> None:
    """Skip where a part of a platform is missing; fail where it should be there."""
    if not missing:
        return
    message = f"no {' and no '.join(missing)}; {how}"
    if name in REQUIRED:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def chromium() -> str | None:
    """Return the program of the browser, if there is one."""
    return _which("chromium") or _which("chromium-browser") or _which("google-chrome")


def need_browser() -> None:
    """Skip without a browser; a fixture of a module comes before the marks are read."""
    missing = [] if chromium() else ["Chromium"]
    missing += [] if find_spec("playwright") else ["playwright"]
    _need_none_of(missing, "browser", _HOW_TO_GET_BROWSER)


def _which(name: str) -> str | None:
    # Where Debian keeps sshd is not on every user's PATH.
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


def _need_docker(request: pytest.FixtureRequest) -> None:
    client: docker.DockerClient = request.getfixturevalue("docker_client")
    if not _has_base_image(client) and "docker" not in REQUIRED:
        pytest.skip(f"the image {BUSYBOX} cannot be pulled; {_HOW_TO_GET_DOCKER}")
    # Not a fixture's own end, since it serves some tests only.
    request.addfinalizer(partial(_remove_images_of_test, client))


def _has_base_image(client: docker.DockerClient) -> bool:
    """Say whether the small cubes can be built; the image is pulled once if need be."""
    if BUSYBOX not in _PULLED:
        try:
            client.images.get(BUSYBOX)
            _PULLED[BUSYBOX] = True
        except docker.errors.ImageNotFound:
            try:
                client.images.pull(BUSYBOX)
                _PULLED[BUSYBOX] = True
            except docker.errors.DockerException:
                _PULLED[BUSYBOX] = False
    return _PULLED[BUSYBOX]


def _remove_images_of_test(client: docker.DockerClient) -> None:
    """Remove the images of the cubes that this process has made."""
    for name in drain_made():
        # By its label: the tool gives each image a second name.
        for image in client.images.list(filters={"label": f"test={name}"}):
            client.images.remove(str(image.id), force=True)


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    """Return a client of the daemon, for tests that have the mark `docker`."""
    # It is made before the marks are read.
    _need(DockerRunner, "docker", _HOW_TO_GET_DOCKER)
    client = docker.from_env(timeout=60)
    yield client
    client.close()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test of the suite ended."""

    verdict: str
    """`passed`, `failed`, `error` or `skipped`."""
    text: str


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """What a run of the suite in a process of its own gave."""

    exit_code: int
    output: str
    outcomes: dict[str, Outcome]
    """By test and id, as in `test_exits_zero[tiny-docker-make]`."""

    def verdict(self, verdict: str) -> dict[str, str]:
        """Return the tests that ended in that way, with their text."""
        return {
            name: outcome.text
            for name, outcome in self.outcomes.items()
            if outcome.verdict == verdict
        }


class RunSuite(Protocol):
    """Runs the suite on cubes, as a user does."""

    def __call__(self, *arguments: str | Path) -> SuiteRun:
        """Run `pytest` with these arguments."""


@pytest.fixture
def run_suite(tmp_path: Path) -> RunSuite:
    """Return what runs the suite, in an empty folder of its own."""
    place = tmp_path / "place"
    place.mkdir()

    def run(*arguments: str | Path) -> SuiteRun:
        report = place / "report.xml"
        report.unlink(missing_ok=True)
        done = subprocess.run(
            [
                *(*warm.python("pytest"), "-p", "no:cacheprovider"),
                *("--junit-xml", report, "-c", os.devnull, "--rootdir", place, "-v"),
                *("-W", "error"),
                *map(str, arguments),
            ],
            cwd=place,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        return SuiteRun(
            exit_code=done.returncode,
            output=done.stdout + done.stderr,
            outcomes=_outcomes(report) if report.exists() else {},
        )

    return run


def run_by_hand(line: str) -> subprocess.CompletedProcess[str]:
    """Run in a shell what a line of a message says after "by hand:"."""
    return subprocess.run(
        ["bash", "-c", line.partition("by hand:")[2]],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _outcomes(report: Path) -> dict[str, Outcome]:
    outcomes = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        verdict, text = "passed", ""
        for child in case:
            if child.tag in {"failure", "error", "skipped"}:
                verdict = {"failure": "failed"}.get(child.tag, child.tag)
                text = f"{child.get('message', '')}\n{child.text or ''}"
        outcomes[case.get("name", "")] = Outcome(verdict, text)
    return outcomes
