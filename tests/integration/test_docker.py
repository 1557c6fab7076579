"""What the Docker runner does for a cube that is sound."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.cube_folders import BUSYBOX, CubeFolder, make_cube
from tests.other_users import let_others_in
from tests.records import RECORD_ALONE, left_by_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.conftest import RunSuite

pytestmark = pytest.mark.docker

RUN_LABEL = "mlcube-conformance.run"


def test_sound_cube_passes_and_leaves_nothing(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    before = _tree(cube_folder.root)

    run = run_suite("--cube", cube_folder.root, "--platform", "docker")

    assert run.exit_code == 0, run.output
    assert len(run.verdict("passed")) == len(run.outcomes) == 17
    assert _tree(cube_folder.root) == before
    assert left_by_run(tmp_path / "place") == RECORD_ALONE


def _tree(root: Path) -> dict[str, str]:
    return {
        str(each.relative_to(root)): each.read_text(encoding="utf-8")
        for each in root.rglob("*")
        if each.is_file()
    }


def test_second_run_does_not_build(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    first = run_suite("--cube", cube_folder.root, "--platform", "docker")
    second = run_suite("--cube", cube_folder.root, "--platform", "docker")
    cube_folder.tasks(make='echo other; cp "$seed" "$data/part"')
    third = run_suite("--cube", cube_folder.root, "--platform", "docker")
    fourth = run_suite(
        *("--cube", cube_folder.root, "--platform", "docker"),
        *("--build-arg", "WORD=other"),
    )

    assert "tiny-docker: built" in first.output
    assert "tiny-docker: up to date" in second.output
    assert "building" not in second.output
    assert "tiny-docker: built" in third.output
    assert "tiny-docker: built" in fourth.output


def test_workers_share_one_build_and_agree(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    name = cube_folder.root.joinpath("mlcube.yaml").read_text().split("name: ")[1]
    image = f"mlcube-conformance/{name.split()[0]}:0.1.0"
    other.write_text(
        "schema_type: mlcube_docker\nschema_version: 1.0.0\n"
        f"image: {image}\ndocker_runtime: docker\n"
    )

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", "docker", "--platform", other),
        # A comparison would keep both platforms on one worker.
        *("-n", "2", "--dist", "loadgroup", "-k", "not same"),
    )

    assert run.exit_code == 0, run.output
    assert len(run.verdict("passed")) == 33
    assert run.output.count(f"building {image}") == 1
    assert run.output.count("running tiny-docker-make") == 1
    assert run.output.count("running tiny-other-make") == 1


def test_worker_that_is_done_leaves_the_others_alone(
    tmp_path: Path, run_suite: RunSuite
) -> None:
    slow, fast = make_cube(tmp_path / "slow"), make_cube(tmp_path / "fast")
    slow.tasks(make='sleep 6; cat "$seed" > "$data/part"')

    run = run_suite(
        *("--cube", slow.root, "--cube", fast.root, "--platform", "docker", "-n", "2"),
    )

    assert run.exit_code == 0, run.output


def test_container_is_gone_when_its_task_is_over(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    seen = cube_folder.root.parent / "place/test_own.py"
    seen.write_text(
        "import docker\n"
        "def test_none_left(task_run):\n"
        "    found = docker.from_env().containers.list(all=True, ignore_removed=True)\n"
        "    place = str(task_run.workspace)\n"
        "    assert not [c for c in found if place in str(c.attrs['Mounts'])]\n"
    )

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", "docker", "test_own.py"),
        *("-W", "ignore::ResourceWarning"),
        *("-W", "ignore::pytest.PytestUnraisableExceptionWarning"),
    )

    assert run.exit_code == 0, run.output
    assert len(run.verdict("passed")) == 2


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_outputs_belong_to_a_plain_user(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    user, group = 12345, Path("/var/run/docker.sock").stat().st_gid
    cube_folder.tasks(use='id -u > "$result"; echo "$HOME" >> "$result"')
    place = tmp_path / "place"
    for folder in (place, tmp_path / "cache"):
        folder.mkdir(exist_ok=True)
        os.chown(folder, user, user)
    let_others_in(tmp_path)

    done = subprocess.run(
        [
            *("setpriv", f"--reuid={user}", f"--regid={user}", f"--groups={group}"),
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
            *("-c", os.devnull, "--rootdir", str(place), "--keep", "all"),
            *("--cube", str(cube_folder.root), "--platform", "docker"),
        ],
        cwd=place,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = place.glob(".mlcube-conformance/*/tiny/docker/workspace/out/result.txt")
    assert result.read_text() == f"{user}\n/tmp\n"
    assert result.stat().st_uid == user


def test_producer_runs_for_a_task_alone(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    run = run_suite("--cube", cube_folder.root, "--platform", "docker", "--task", "use")

    assert run.exit_code == 0, run.output
    assert "running tiny-docker-make" in run.output
    assert not [name for name in run.outcomes if "docker-make" in name]


def test_workspace_option_runs_there_and_counts_only_what_is_new(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    place = tmp_path / "kept"
    options = ("--cube", cube_folder.root, "--platform", "docker", "--workspace", place)

    first = run_suite(*options)
    made = (place / "out/result.txt").read_text()
    # The second time it writes nothing, but what the first wrote is there.
    cube_folder.tasks(use=":")
    second = run_suite(*options)

    assert first.exit_code == 0, first.output
    assert made == "seed\n"
    failed = second.verdict("failed")
    assert list(failed) == ["test_outputs_appear[tiny-docker-use]"]
    assert "unchanged since before the task ran" in next(iter(failed.values()))


def test_values_reach_the_task_as_they_are(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    odd = "a=b $(touch y) `touch y` '\"; &.txt"
    cube_folder.edit(
        "run/use.yaml", "$WORKSPACE/out/result.txt", json.dumps(f"o/{odd}")
    )
    kept = tmp_path / "kept"

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", "docker", "--workspace", kept),
    )

    assert run.exit_code == 0, run.output
    assert [each.name for each in (kept / "o").iterdir()] == [odd]


def test_daemon_that_is_down_is_one_error(
    cube_folder: CubeFolder, run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    run = run_suite("--cube", cube_folder.root, "--platform", "docker")

    assert run.exit_code == pytest.ExitCode.TESTS_FAILED
    (message,) = run.verdict("error").values()
    assert "its daemon does not answer" in message
    assert "unix:///nowhere/docker.sock" in message
    assert "systemctl start docker" in message
    assert not run.verdict("failed")
    assert all("cannot use Docker" in t for t in run.verdict("skipped").values())
    assert "Traceback" not in run.output


class _EmptyRegistry(BaseHTTPRequestHandler):
    """A registry that has no image at all."""

    def do_GET(self) -> None:
        found = self.path == "/v2/"
        body = b"{}" if found else b'{"errors":[{"code":"NAME_UNKNOWN","message":"?"}]}'
        self.send_response(200 if found else 404)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    """Return the address of a registry on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _EmptyRegistry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def _platform(cube: CubeFolder, image: str) -> None:
    cube.write(
        "platform/docker.yaml",
        "platform: {name: docker, version: '>=20.10'}\n"
        f"container: {{image: '{image}'}}\n",
    )


def test_image_that_no_registry_has_is_a_failure(
    cube_folder: CubeFolder, run_suite: RunSuite, registry: str
) -> None:
    (cube_folder.root / "build/Dockerfile").unlink()
    _platform(cube_folder, f"{registry}/none:1")

    run = run_suite("--cube", cube_folder.root, "--platform", "docker")

    assert list(run.verdict("failed")) == ["test_image_builds[tiny-docker]"], run.output
    message = run.verdict("failed")["test_image_builds[tiny-docker]"]
    assert "cannot pull the image of cube 'tiny'" in message
    assert "platform/docker.yaml" in message
    assert "none" in message
    assert "Traceback" not in run.output


def test_registry_that_does_not_answer_is_an_error(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    (cube_folder.root / "build/Dockerfile").unlink()
    _platform(cube_folder, "127.0.0.1:9/none:1")

    run = run_suite("--cube", cube_folder.root, "--platform", "docker")

    assert list(run.verdict("error")) == ["test_image_builds[tiny-docker]"], run.output
    assert "connection refused" in run.output
    assert not run.verdict("failed")


def test_image_without_recipe_is_used_as_it_is(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    (cube_folder.root / "build/Dockerfile").unlink()
    _platform(cube_folder, BUSYBOX)

    run = run_suite("--cube", cube_folder.root, "--platform", "docker", "-k", "image")

    assert run.exit_code == 0, run.output
    assert "tiny-docker: present" in run.output


def test_proxies_reach_build_and_run_and_stay_secret(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name in ("http_proxy", "HTTPS_PROXY", "no_proxy"):
        monkeypatch.setenv(name, f"http://me:secret@proxy.invalid/{name}")
    cube_folder.edit("build/Dockerfile", "COPY", "RUN env > /seen\nCOPY")
    cube_folder.tasks(
        use='cat /seen > "$result"; echo RUN >> "$result"; env >> "$result"; exit 4'
    )
    kept = tmp_path / "kept"

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", "docker", "--workspace", kept),
    )

    build, task = (kept / "out/result.txt").read_text().split("RUN\n")
    for name in ("http_proxy", "HTTPS_PROXY", "no_proxy"):
        line = f"{name}=http://me:secret@proxy.invalid/{name}\n"
        assert line in build
        assert line in task
    assert "https_proxy" not in task
    assert "http_proxy=http://***@proxy.invalid" in run.output
    assert "secret" not in run.output


def test_certificates_are_trusted_in_build_and_run(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("-----BEGIN CERTIFICATE-----\nours\n")
    cube_folder.edit(
        "build/Dockerfile", "COPY", 'RUN cat "$SSL_CERT_FILE" > /seen\nCOPY'
    )
    cube_folder.tasks(use='cat /seen "$SSL_CERT_FILE" > "$result"')
    kept = tmp_path / "kept"

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", "docker", "--workspace", kept),
        *("--ca-bundle", bundle),
    )

    assert run.exit_code == 0, run.output
    assert (kept / "out/result.txt").read_text() == 2 * bundle.read_text()


def test_network_is_off_where_asked(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    cube_folder.tasks(use='ls /sys/class/net > "$result"')
    kept = tmp_path / "kept"

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", "docker", "--workspace", kept),
        *("--network", "none"),
    )

    assert run.exit_code == 0, run.output
    assert (kept / "out/result.txt").read_text().split() == ["lo"]


def test_live_output_is_shown_as_it_comes(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.tasks(make='echo said-by-$task; echo x > "$data/part"')

    quiet = run_suite("--cube", cube_folder.root, "--platform", "docker")
    live = run_suite("--cube", cube_folder.root, "--platform", "docker", "--live")

    assert "said-by-make" not in quiet.output
    assert "said-by-make" in live.output


@pytest.mark.filterwarnings("error")
def test_long_work_says_what_it_waits_for(
    cube_folder: CubeFolder,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("work", "docker.following", "docker.build"):
        monkeypatch.setattr(f"mlcube_conformance.runners.{module}.HEARTBEAT", 1)
    cube_folder.edit(
        "build/Dockerfile", "COPY", f"RUN echo {uuid4()}; echo stirring; sleep 3\nCOPY"
    )
    cube_folder.tasks(make='echo kneading; sleep 3; echo x > "$data/part"')

    result = pytester.runpytest_inprocess(
        "--cube", cube_folder.root, "--platform", "docker", "-W", "error"
    )

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "mlcube: still configuring tiny after * s: *stirring",
            "mlcube: still running tiny-docker-make after * s: kneading",
        ]
    )


def test_collecting_starts_nothing(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    docker_client: docker.DockerClient,
    tmp_path: Path,
) -> None:
    name = (cube_folder.root / "mlcube.yaml").read_text().split("name: ")[1].split()[0]

    run = run_suite(
        "--cube", cube_folder.root, "--platform", "docker", "--collect-only", "-q"
    )

    assert run.exit_code == 0
    assert "[tiny-docker-use]" in run.output
    assert docker_client.images.list(name=f"mlcube-conformance/{name}") == []
    assert not (tmp_path / "place/.mlcube-conformance").exists()


def _containers(client: docker.DockerClient, cube: CubeFolder) -> list[str]:
    """Return the names of our containers that see a folder of this test."""
    found = client.containers.list(
        all=True, filters={"label": RUN_LABEL}, ignore_removed=True
    )
    place = str(cube.root.parent)
    return [str(each.name) for each in found if place in str(each.attrs["Mounts"])]


def _start_and_wait_for_container(
    client: docker.DockerClient, cube: CubeFolder, place: Path, *options: str
) -> subprocess.Popen[bytes]:
    cube.tasks(make="sleep 300")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "pytest", "-c", os.devnull),
            *("--rootdir", str(place), "--cube", str(cube.root)),
            *("--platform", "docker", *options),
        ],
        cwd=place,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not _containers(client, cube):
        assert time.monotonic() < deadline, "no container was started"
        assert process.poll() is None, "pytest ended early"
        time.sleep(0.1)
    return process


@pytest.fixture
def _own_locks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no other test take what this one leaves behind for its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("_own_locks")
@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "workers"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupt_leaves_no_container(
    number: signal.Signals,
    options: tuple[str, ...],
    cube_folder: CubeFolder,
    docker_client: docker.DockerClient,
    tmp_path: Path,
) -> None:
    process = _start_and_wait_for_container(
        docker_client, cube_folder, tmp_path, *options
    )

    # As a terminal does: to all of them.
    os.killpg(process.pid, number)

    assert process.wait(timeout=60) == pytest.ExitCode.INTERRUPTED
    assert _containers(docker_client, cube_folder) == []


@pytest.mark.usefixtures("_own_locks")
def test_next_run_removes_what_a_killed_one_left(
    cube_folder: CubeFolder,
    docker_client: docker.DockerClient,
    run_suite: RunSuite,
    tmp_path: Path,
) -> None:
    process = _start_and_wait_for_container(docker_client, cube_folder, tmp_path)
    other = make_cube(tmp_path / "other")

    beside = run_suite("--cube", other.root, "--platform", "docker")
    still_there = _containers(docker_client, cube_folder)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    left = _containers(docker_client, cube_folder)
    after = run_suite("--cube", other.root, "--platform", "docker")

    assert beside.exit_code == 0, beside.output
    assert still_there == left
    assert len(left) == 1
    assert f"removed {left[0]}, left over from an earlier run" in after.output
    assert _containers(docker_client, cube_folder) == []
