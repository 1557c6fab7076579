"""A task that says, writes or starts too much harms neither the run nor the machine."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests import warm
from tests.ssh_hosts import SshHost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

DOCKER = pytest.param("docker", marks=pytest.mark.docker)
SINGULARITY = pytest.param("singularity", marks=pytest.mark.singularity)
SSH = pytest.param("ssh", marks=[pytest.mark.ssh, pytest.mark.docker])
EXITS = "test_exits_zero"


@pytest.fixture
def platform(
    request: pytest.FixtureRequest, tmp_path: Path, cube_folder: CubeFolder
) -> Iterator[str]:
    """Return the name of a platform; ssh leads to a host of the test's own."""
    if request.param != "ssh":
        yield request.param
        return
    host = SshHost(tmp_path / "host")
    host.start()
    cube_folder.write("platform/ssh.yaml", host.platform("docker"))
    yield "ssh"
    host.stop()


def _log(place: Path, cube: str, stream: str) -> str:
    (log,) = place.glob(f".mlcube-conformance/*/{cube}/*/make.{stream}.log")
    return log.read_text(encoding="utf-8")


@pytest.mark.parametrize("platform", ["local", DOCKER, SINGULARITY, SSH], indirect=True)
def test_log_is_cut_in_the_middle_and_the_task_goes_on(
    platform: str, cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    cube_folder.tasks(
        make="echo first; echo one >&2; yes filling | head -c 5000000; "
        "yes more | head -c 900000 >&2; echo two >&2; echo last; exit 3"
    )

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", platform, "--task=make"),
        *("--max-log-size", "100kb"),
    )

    text = run.verdict("failed")[f"{EXITS}[tiny-{platform}-make]"]
    assert "exit code 3" in text
    for stream, begins, ends in (("stdout", "first", "last"), ("stderr", "one", "two")):
        log = _log(tmp_path / "place", "tiny", stream)
        assert 100 * 1024 <= len(log.encode()) < 101 * 1024
        assert log.startswith(f"{begins}\n")
        assert log.endswith(f"\n{ends}\n")
        assert "\n… cut: more than 102,400 bytes; the end follows …\n" in log
        assert f"{stream}: … cut: more than 102,400 bytes" in text
        assert f"{stream}: {ends}" in text


@pytest.mark.docker
@pytest.mark.parametrize("builder", ["buildkit", "classic"])
def test_log_of_a_build_is_cut_in_the_middle(
    builder: str,
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if builder == "classic":
        (tmp_path / "none").mkdir()
        monkeypatch.setenv("PATH", str(tmp_path / "none"))
    step = f"RUN echo {uuid4()}; yes filling | head -c 500000; echo last; exit 3\nCOPY"
    cube_folder.edit("build/Dockerfile", "COPY", step)

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", "docker"),
        *("--max-log-size", "20kb"),
    )

    text = run.verdict("failed")["test_image_builds[tiny-docker]"]
    (log,) = (tmp_path / "place").glob(".mlcube-conformance/**/configure.log")
    assert len(log.read_bytes()) < 21 * 1024
    assert "\n… cut: more than 20,480 bytes; the end follows …\n" in log.read_text()
    assert "last" in text


FILES = (
    "--max-files=200",
    'i=0; while :; do i=$((i+1)); mkdir -p "$data/$i"; done',
    "more than 200 files (--max-files)",
)
SIZE = (
    "--max-output-size=1mb",
    'yes filling > "$data/part"',
    "more than 1,048,576 bytes (--max-output-size)",
)
HOLE = (
    "--max-output-size=1tb",
    'truncate -s 2T "$data/part"',
    "more than 1,099,511,627,776 bytes (--max-output-size)",
)


@pytest.mark.parametrize(
    ("platform", "words", "makes", "says"),
    [
        ("local", *FILES),
        ("local", *HOLE),
        pytest.param("docker", *FILES, marks=pytest.mark.docker),
        pytest.param("singularity", *SIZE, marks=pytest.mark.singularity),
    ],
    ids=["local-files", "local-hole", "docker", "singularity"],
    indirect=["platform"],
)
def test_task_that_writes_too_much_is_ended(
    platform: str,
    words: str,
    makes: str,
    says: str,
    cube_folder: CubeFolder,
    run_suite: RunSuite,
) -> None:
    cube_folder.tasks(make=makes)

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", platform, "--task=make", words),
    )

    failed = run.verdict("failed")
    assert list(failed) == [f"{EXITS}[tiny-{platform}-make]"]
    (text,) = failed.values()
    assert "task 'make' wrote too much and was ended" in text
    assert says in text
    assert f"raise {words.partition('=')[0]}" in text
    skipped = run.verdict("skipped")
    assert (
        "wrote too much"
        in skipped[f"test_outputs_belong_to_the_user[tiny-{platform}-make]"]
    )


@pytest.mark.docker
def test_runner_of_a_task_that_writes_too_much_exits_124(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.tasks(make='touch "$data/a" "$data/b" "$data/c"')
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/seed.txt").write_text("seed")

    def run(most: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(*warm.python("mlcube_docker_run"), "run", "--task=make"),
                *(f"--mlcube={cube_folder.root}", "--platform=docker"),
                *(f"--workspace={tmp_path / 'kept'}", f"--max-files={most}"),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    over, again = run(2), run(2)

    assert over.returncode == 124
    assert "more than 2 files (--max-files)" in over.stderr
    # What was there before is no work of the task.
    assert again.returncode == 0, again.stderr


@pytest.mark.docker
def test_task_that_forks_for_ever_ends_alone(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.tasks(make="bomb() { bomb | bomb; }; bomb")
    run = run_suite(
        *("--cube", cube_folder.root, "--platform", "docker", "--task=make"),
        "--pids-limit=50",
    )

    (text,) = run.verdict("failed").values()
    assert "can't fork: Resource temporarily unavailable" in text
    assert "start fewer processes and threads" in text
    assert "--pids-limit 50" in text


@pytest.mark.docker
def test_task_has_the_limits_of_the_command_line_and_of_this_tool(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    one, two = "/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids.max"
    memory = "/sys/fs/cgroup/memory/memory.limit_in_bytes"
    cube_folder.tasks(
        make=f'cat {one} >"$data/pids" || cat {two} >"$data/pids"; '
        f'cat {memory} >"$data/memory" || cat /sys/fs/cgroup/memory.max >"$data/memory"'
    )
    found = []
    limits: tuple[list[str], ...] = ([], ["--pids-limit=100", "--memory-limit=64m"])
    for words in limits:
        kept = tmp_path / f"kept-{len(words)}"
        run_suite(
            *("--cube", cube_folder.root, "--platform", "docker", "--task=make"),
            *("--workspace", kept),
            *words,
        )
        found += [
            (kept / "data/pids").read_text().strip(),
            (kept / "data/memory").read_text().strip(),
        ]

    assert found[0] == "8192"
    assert found[2:] == ["100", str(64 * 1024**2)]


@pytest.mark.parametrize("option", ["--memory-limit=1g", "--pids-limit=9"])
def test_limit_that_a_platform_cannot_keep_is_refused(
    option: str, cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    run = run_suite("--cube", cube_folder.root, "--platform", "local", option)

    assert run.exit_code == 1
    assert not run.verdict("failed")
    (text, *_) = run.verdict("error").values()
    assert f"the platform local has no {option.partition('=')[0]}" in text
