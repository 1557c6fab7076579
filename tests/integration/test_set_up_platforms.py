"""The script that brings up platforms: its messages, its keys, its patience."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a machine like this one needs for Apptainer.
SET = {
    "APPTAINER_USERNS": "1",
    "APPTAINER_MKSQUASHFS_ARGS": "-comp gzip -Xcompression-level 1",
}
SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "set_up_platforms"


def _load(name: str) -> Any:  # noqa: ANN401 (a module that is not on the path)
    """Import a module of the script as Python does when it runs the folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPT)
        return importlib.import_module(name)


apptainer = _load("apptainer")
docker_daemon = _load("docker_daemon")
engine_api = _load("engine")
recipes = _load("recipes")
singularity_platform = _load("singularity_platform")
steps = _load("steps")
subordinate_ids = _load("subordinate_ids")


def _run(
    *arguments: str | Path, **environment: str | Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        env=os.environ | {key: str(value) for key, value in environment.items()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(name="requirements")
def _requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text("numpy==2.0.0\n", encoding="utf-8")
    return path


@pytest.fixture(name="empty")
def _empty(tmp_path: Path) -> Path:
    path = tmp_path / "empty"
    path.mkdir()
    return path


class _EverythingThere(BaseHTTPRequestHandler):
    """A daemon that has every image asked for, and refuses to change anything."""

    def do_GET(self) -> None:
        body = b'{"Version": "99.1"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture(name="daemon")
def _daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("d") / "s"
    with ThreadingUnixStreamServer(str(path), _EverythingThere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield path
        server.shutdown()
        thread.join()


def test_without_daemon_and_apt_one_message_says_what_to_do(empty: Path) -> None:
    missing = empty / "docker.sock"
    result = _run("docker", PATH=empty, DOCKER_HOST=f"unix://{missing}", TMPDIR=empty)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (
        "error: docker: no daemon answers, and none can be installed and started here\n"
        f"  where: unix socket {missing}\n"
        f"  found: user id {os.geteuid()} (0 is needed),"
        " dockerd: not on PATH, apt-get: not on PATH\n"
        "  do: start a Docker daemon (DOCKER_HOST may name its unix socket),"
        " or run this as root on a Debian-like system\n"
    )


def test_docker_host_that_is_no_unix_socket_is_refused(empty: Path) -> None:
    result = _run("docker", PATH=empty, DOCKER_HOST="tcp://10.0.0.1:2375")
    assert result.returncode == 1
    assert "where: environment variable DOCKER_HOST" in result.stderr
    assert "found: tcp://10.0.0.1:2375" in result.stderr
    assert "Traceback" not in result.stderr


def test_unknown_platform_is_a_usage_error_with_the_list() -> None:
    result = _run("dokcer")
    assert result.returncode == 2
    assert "invalid choice: 'dokcer' (choose from" in result.stderr
    assert "docker" in result.stderr.rpartition("choose from")[2]


def test_unreadable_requirements_are_named(daemon: Path, empty: Path) -> None:
    missing = empty / "requirements.txt"
    host = f"unix://{daemon}"
    result = _run("docker", "--requirements", missing, DOCKER_HOST=host, TMPDIR=empty)
    assert result.returncode == 1
    assert f"where: {missing}\n" in result.stderr
    assert "Traceback" not in result.stderr


def test_nothing_is_done_when_all_is_there(
    daemon: Path, requirements: Path, empty: Path, tmp_path: Path
) -> None:
    env_file = tmp_path / "env"
    env_file.write_text(
        "OTHER=stays\nMLCUBE_CONFORMANCE_BASE_TORCH=old\n", encoding="utf-8"
    )
    arguments = ("docker", "--requirements", requirements, "--env-file", env_file)
    for _ in range(2):
        result = _run(
            *arguments, PATH=empty, DOCKER_HOST=f"unix://{daemon}", TMPDIR=empty
        )
        assert result.returncode == 0, result.stderr
    busybox = recipes.busybox_recipe().image
    torch = recipes.torch_recipe("numpy==2.0.0\n").image
    assert result.stderr == (
        "docker: daemon answers (99.1)\n"
        f"base-busybox: nothing to do, {busybox} is there\n"
        f"base-torch: nothing to do, {torch} is there\n"
    )
    assert result.stdout == (
        f"MLCUBE_CONFORMANCE_BASE_BUSYBOX={busybox}\n"
        f"MLCUBE_CONFORMANCE_BASE_TORCH={torch}\n"
    )
    assert env_file.read_text(encoding="utf-8") == "OTHER=stays\n" + result.stdout


def test_key_of_torch_image_follows_the_requirements_and_nothing_else() -> None:
    recipe = recipes.torch_recipe
    before = (recipes.busybox_recipe(), recipes.debian_recipe())
    assert recipe("torch==2.13.0\n").image == recipe("torch==2.13.0\n").image
    assert recipe("torch==2.13.0\n").image != recipe("torch==2.12.0\n").image
    after = (recipes.busybox_recipe(), recipes.debian_recipe())
    assert [recipe.image for recipe in before] == [recipe.image for recipe in after]


def test_failed_command_is_reported_with_the_end_of_its_output() -> None:
    command = [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"]
    with pytest.raises(steps.CommandError) as caught:
        steps.run("step", command)
    message = str(caught.value)
    assert message.startswith("step: python")
    assert "exit code 3; the output ends with:\n    the reason" in message


def test_command_past_its_deadline_is_ended() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(steps.CommandError, match=r"no end within 0 s"):
        steps.run("step", command, seconds=0.2)


@pytest.mark.docker
def test_second_run_against_a_real_daemon_does_nothing() -> None:
    engine = engine_api.Engine(engine_api.DEFAULT_SOCKET)
    if not engine.answers():
        pytest.skip(f"no Docker daemon answers at {engine.socket_path}")
    requirements = SCRIPT.parents[1] / "cubes/mnist/build/requirements.txt"
    if not requirements.exists():
        pytest.skip(f"{requirements} is not there")
    text = requirements.read_text(encoding="utf-8")
    expected = (recipes.busybox_recipe(), recipes.torch_recipe(text))
    missing = [item.image for item in expected if not engine.has_image(item.image)]
    if missing:
        pytest.skip(f"not built yet: {missing}; run {SCRIPT} docker first")
    result = _run("docker", DOCKER_HOST=f"unix://{engine.socket_path}")
    assert result.returncode == 0, result.stderr
    assert "building" not in result.stderr
    assert [line.split("=")[1] for line in result.stdout.splitlines()] == [
        recipe.image for recipe in expected
    ]


def test_file_of_a_daemon_that_is_gone_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number may be another process's by now, as this one's here."""
    gone, nothing = tmp_path / "docker.pid", tmp_path / "containerd.pid"
    gone.write_text(str(os.getpid()), encoding="utf-8")
    monkeypatch.setattr(docker_daemon, "DAEMON_PID", gone)
    monkeypatch.setattr(docker_daemon, "CONTAINERD_PID", nothing)

    docker_daemon._forget_dead_daemon()  # noqa: SLF001 - starts no daemon here

    assert not gone.exists()


def _program(folder: Path, name: str, script: str = "exit 0") -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture(name="machine")
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a machine of its own with Apptainer, where root is as weak as it gets.

    Its programs are stubs, and there is no apt among them: to install is to fail.
    """
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in (*singularity_platform.TOOLS.values(), "singularity", "unshare"):
        _program(programs, name)
    _program(programs, "apptainer", "echo apptainer version 1.4.5")
    ids = (tmp_path / "subuid", tmp_path / "subgid")
    for path in ids:
        path.write_text("root:200000:65536\n", encoding="utf-8")
    (tmp_path / "fuse").touch()
    (tmp_path / "fuse").chmod(0o666)
    (tmp_path / "status").write_text("CapEff:\t000001fffeffffff\n", encoding="utf-8")
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(singularity_platform, "ID_FILES", ids)
    monkeypatch.setattr(singularity_platform, "FUSE", tmp_path / "fuse")
    monkeypatch.setattr(singularity_platform, "STATUS", tmp_path / "status")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def _set_up_singularity() -> dict[str, str]:
    options = steps.Options(requirements=Path("unused"))
    values: dict[str, str] = singularity_platform.set_up_singularity(options)
    return values


def _state(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mode, path.read_bytes()) for path in files}


def test_apptainer_with_all_it_needs_is_left_alone(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _state(machine)
    values = [_set_up_singularity() for _ in range(2)]
    assert values == [SET] * 2
    line = "singularity: apptainer version 1.4.5 answers\n"
    assert capsys.readouterr().err == line * 2
    assert _state(machine) == before


def test_root_with_all_capabilities_needs_no_user_namespace(machine: Path) -> None:
    (machine / "status").write_text("CapEff:\t000001ffffffffff\n", encoding="utf-8")
    assert "APPTAINER_USERNS" not in _set_up_singularity()


def test_plain_user_needs_no_setting(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (machine / "subuid").write_text("", encoding="utf-8")
    assert "APPTAINER_USERNS" not in _set_up_singularity()
    assert (machine / "subuid").read_text(encoding="utf-8") == ""


def test_root_puts_right_what_is_missing_around_apptainer(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (machine / "bin" / "singularity").unlink()
    (machine / "fuse").chmod(0o600)
    (machine / "subgid").unlink()
    _set_up_singularity()
    done = capsys.readouterr().err
    _set_up_singularity()
    assert (machine / "bin" / "singularity").readlink() == Path("apptainer")
    assert (machine / "fuse").stat().st_mode & 0o777 == 0o666
    assert (machine / "subgid").read_text(encoding="utf-8") == "root:200000:65536\n"
    assert done.count("\n") == 4
    assert capsys.readouterr().err.count("\n") == 1


def test_plain_user_is_told_all_that_is_missing(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("apptainer", "singularity", "newuidmap"):
        (machine / "bin" / name).unlink()
    (machine / "fuse").chmod(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(steps.SetUpError) as caught:
        _set_up_singularity()
    assert str(caught.value) == (
        "singularity: something is missing, and only root may provide it\n"
        f"  where: PATH={machine / 'bin'}\n"
        "  found: user id 1000, apptainer: not on PATH, singularity: not on PATH,"
        f" uidmap: missing, {machine / 'fuse'}: open to root alone\n"
        "  do: install Apptainer, or Singularity 3.5 or newer, and squashfs-tools,"
        " squashfuse, fuse-overlayfs, fuse3, uidmap, and let users read and write"
        f" {machine / 'fuse'}; or run this as root on a Debian-like system"
    )


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("singularity version 3.4.2", False),
        ("singularity version 3.5.0", True),
        ("singularity-ce version 4.1.0-jammy", True),
        ("2.6.1-dist", False),
        ("apptainer version 1.0.0", True),
    ],
)
def test_old_version_is_refused_and_stays(
    machine: Path, text: str, *, good: bool
) -> None:
    (machine / "bin" / "apptainer").unlink()
    _program(machine / "bin", "singularity", f"echo {text}")
    before = _state(machine)
    if good:
        _set_up_singularity()
    else:
        with pytest.raises(steps.SetUpError, match=f"too old.*\n.*\n  found: {text}"):
            _set_up_singularity()
    assert _state(machine) == before


def test_half_an_installation_is_made_again(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(machine / "bin", "apptainer", "echo no such loader; exit 127")

    def install() -> None:
        _program(machine / "bin", "apptainer", "echo apptainer version 1.4.5")

    monkeypatch.setattr(singularity_platform, "install_apptainer", install)
    assert _set_up_singularity() == SET


def test_machine_without_user_namespaces_is_told_how_to_allow_them(
    machine: Path,
) -> None:
    _program(machine / "bin", "unshare", "echo Operation not permitted; exit 1")
    with pytest.raises(steps.SetUpError) as caught:
        _set_up_singularity()
    message = str(caught.value)
    assert message.startswith("singularity: no user namespace can be made\n")
    assert "exit code 1; the output ends with:\n    Operation not perm" in message
    assert "  do: allow them: sysctl user.max_user_namespaces=15000" in message


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "root:200000:65536\n"),
        ("a:100000:65536", "a:100000:65536\nroot:200000:65536\n"),
        ("root:5:6\n", "root:5:6\n"),
        ("0:5:6\n", "0:5:6\n"),
        (
            "b:265536:65536\n# x\na:165536:65536\n",
            "b:265536:65536\n# x\na:165536:65536\nroot:331072:65536\n",
        ),
        ("rooted:200000:10\n", "rooted:200000:10\nroot:200010:65536\n"),
    ],
)
def test_root_gets_ids_that_nobody_else_has(
    tmp_path: Path, before: str, after: str
) -> None:
    path = tmp_path / "subuid"
    path.write_text(before, encoding="utf-8")
    assert subordinate_ids.give_range(path, ("root", "0")) is (before != after)
    assert not subordinate_ids.give_range(path, ("root", "0"))
    assert path.read_text(encoding="utf-8") == after


def test_libraries_are_picked_from_the_dependencies() -> None:
    text = "apptainer\n  Depends: libc6\n |Depends: libfuse3-4\n  Depends: uidmap\n"
    assert apptainer.libraries_in(text) == ["libc6", "libfuse3-4"]


def test_tree_is_put_with_its_empty_folders_links_and_last_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for folder in (source / "bin", source / "var" / "empty", target / "usr" / "bin"):
        folder.mkdir(parents=True)
    (target / "bin").symlink_to("usr/bin")
    for name in ("a", "z"):
        (source / "bin" / name).write_text("new", encoding="utf-8")
    (source / "bin" / "link").symlink_to("a")
    (target / "bin" / "a").write_text("old", encoding="utf-8")
    order = []
    put = apptainer.put

    def record(one: Path, other: Path) -> None:
        order.append(other.name)
        put(one, other)

    monkeypatch.setattr(apptainer, "put", record)
    for _ in range(2):
        apptainer.put_tree(source, target, last="bin/a")
    assert order == ["link", "z", "a"] * 2
    assert (target / "bin").is_symlink()
    assert (target / "var" / "empty").is_dir()
    assert (target / "usr" / "bin" / "a").read_text(encoding="utf-8") == "new"
    assert (target / "bin" / "link").readlink() == Path("a")
    assert len(list((target / "bin").iterdir())) == 3


@pytest.mark.ssh
def test_ssh_is_set_up_once_on_loopback_with_files_of_its_own(tmp_path: Path) -> None:
    state = {"XDG_STATE_HOME": tmp_path}

    first, second = (_run("ssh", **state) for _ in range(2))
    folder = tmp_path / "mlcube-conformance" / "ssh"
    pid = int((folder / "sshd.pid").read_text(encoding="ascii"))
    port = (folder / "port").read_text(encoding="ascii")
    done = subprocess.run(
        [
            *("ssh", "-F", "none", "-p", port, "-i", folder / "key"),
            *("-o", f"UserKnownHostsFile={folder}/known_hosts", "-o", "BatchMode=yes"),
            *("-o", "StrictHostKeyChecking=yes", "127.0.0.1", "echo", "reached"),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    os.kill(pid, signal.SIGTERM)

    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert first.stdout == (
        f"MLCUBE_CONFORMANCE_SSH_DOCKER={folder}/ssh-docker.yaml\n"
        f"MLCUBE_CONFORMANCE_SSH_SINGULARITY={folder}/ssh-singularity.yaml\n"
    )
    assert f"sshd answers on port {port} of loopback" in second.stderr
    assert done.stdout == "reached\n", done.stderr
    assert f"port: {port}\n" in (folder / "ssh-docker.yaml").read_text(encoding="utf-8")
    assert (folder / "key").stat().st_mode & 0o077 == 0
