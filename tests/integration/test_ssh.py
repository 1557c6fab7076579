"""The place ssh: real sshd, real rsync, Docker and Singularity behind them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from mlcube_conformance.base.process import end_session, processes_in_session
from mlcube_conformance.model import Platform
from mlcube_conformance.place import Place
from mlcube_conformance.runners.common.liveness import Liveness
from mlcube_conformance.runners.places.ssh import connection
from mlcube_conformance.runners.places.ssh.runner import SshRunner
from tests import warm
from tests.ssh_hosts import NamespaceHost, SshHost, programs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

pytestmark = pytest.mark.ssh

INNER = {
    "docker": "platform: {{name: docker, version: '>=18.01'}}\n"
    "container: {{image: 'mlcube-conformance/{name}:0.1.0'}}\n",
    "singularity": "platform: {{name: singularity, version: '>=3.5'}}\n"
    "container: {{image: image.sif}}\n",
}
ENGINES = [
    pytest.param("docker", marks=pytest.mark.docker),
    pytest.param("singularity", marks=pytest.mark.singularity),
]
#: How Apptainer works on this machine, which is the other host, too.
OF_APPTAINER = {
    name: text for name, text in os.environ.items() if name.startswith("APPTAINER_")
}


IN_PLACE = """\
schema_type: mlcube_task
schema_version: 1.0.0
inputs: [{name: data, type: directory}]
outputs: [{name: data, type: directory}]
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[SshHost]:
    """Return a host that has what this machine has."""
    host = SshHost(tmp_path / "host", environment=OF_APPTAINER)
    host.start()
    yield host
    host.stop()


def _place(
    cube: CubeFolder, host: SshHost, engine: str = "docker", /, **keys: str
) -> str:
    """Give a cube a platform file that points to a host; return its path."""
    name = (cube.root / "mlcube.yaml").read_text(encoding="utf-8").split("name: ")[1]
    inner = INNER[engine].format(name=name.split()[0])
    cube.write(f"platform/{engine}.yaml", inner)
    file = cube.write("platform/ssh.yaml", host.platform(f"{engine}.yaml", **keys))
    return str(file)


def _call(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*warm.python("mlcube_ssh_run"), *map(str, words)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _run(
    cube: CubeFolder, task: str = "make", *words: str | Path
) -> subprocess.CompletedProcess[str]:
    return _call(
        *("run", f"--mlcube={cube.root}", "--platform=ssh"),
        f"--task={cube.root}/run/{task}.yaml",
        *words,
    )


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(each.relative_to(folder)): hashlib.sha256(each.read_bytes()).hexdigest()
        for each in folder.rglob("*")
        if each.is_file()
    }


def _remote_workspace(host: SshHost) -> Path:
    (found,) = host.root.glob("workspaces/*/workspace")
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_suite_passes_and_outputs_are_the_same_on_both_hosts(
    engine: str,
    cube_folder: CubeFolder,
    host: SshHost,
    run_suite: RunSuite,
    tmp_path: Path,
) -> None:
    _place(cube_folder, host, engine)

    run = run_suite("--cube", cube_folder.root, "--platform", "ssh", "--keep", "all")

    assert run.exit_code == 0, run.output
    assert len(run.verdict("passed")) == len(run.outcomes) == 19
    assert "test_outputs_are_on_the_host[tiny-ssh-use]" in run.outcomes
    (here,) = tmp_path.glob("place/.mlcube-conformance/*/tiny/ssh/workspace")
    assert set(_hashes(here)) == {"seed.txt", "data/part", "out/result.txt"}
    assert _hashes(here) == _hashes(_remote_workspace(host))


@pytest.mark.parametrize("engine", ENGINES)
def test_commands_work_step_by_step(
    engine: str, cube_folder: CubeFolder, host: SshHost
) -> None:
    cube_folder.tasks(make='echo out; echo err >&2; cat "$seed" > "$data/part"')
    _place(cube_folder, host, engine)
    place = (f"--mlcube={cube_folder.root}", "--platform=ssh")

    configured = _call("configure", *place)
    again = _call("configure", *place)
    make, use = _run(cube_folder, "make"), _run(cube_folder, "use")

    assert [each.returncode for each in (configured, again, make, use)] == [0] * 4, (
        configured.stderr + make.stderr
    )
    assert ": built (" in configured.stderr
    assert ": up to date (" in again.stderr
    assert make.stdout == "out\n"
    assert "err\n" in make.stderr
    assert (cube_folder.root / "workspace/out/result.txt").read_text() == "seed\n"


@pytest.mark.docker
@pytest.mark.parametrize("code", [2, 125])
def test_exit_code_of_the_task_comes_back_and_so_do_its_outputs(
    code: int, cube_folder: CubeFolder, host: SshHost
) -> None:
    cube_folder.tasks(make=f'echo partial > "$data/part"; exit {code}')
    _place(cube_folder, host)

    done = _run(cube_folder)

    assert done.returncode == code, done.stderr
    assert f"exit code {code}" in done.stderr
    assert (cube_folder.root / "workspace/data/part").read_text() == "partial\n"


@pytest.mark.docker
def test_broken_cube_is_a_failure_with_the_paths_of_this_machine(
    cube_folder: CubeFolder, host: SshHost, run_suite: RunSuite
) -> None:
    cube_folder.write("build/Dockerfile", "FROM busybox\nRUNN nothing\n")
    _place(cube_folder, host)

    run = run_suite("--cube", cube_folder.root, "--platform", "ssh")

    ((name, text),) = run.verdict("failed").items()
    assert name == "test_image_builds[tiny-ssh]"
    assert f"{cube_folder.root}/build/Dockerfile" in text
    assert str(host.root) not in text
    assert not run.verdict("error")


@pytest.mark.docker
def test_task_that_fails_is_a_failure_with_advice_for_the_host(
    cube_folder: CubeFolder, host: SshHost, run_suite: RunSuite
) -> None:
    cube_folder.tasks(make="echo tar: x: No space left on device >&2; exit 2")
    _place(cube_folder, host)

    run = run_suite("--cube", cube_folder.root, "--platform", "ssh", "-k", "make")

    text = run.verdict("failed")["test_exits_zero[tiny-ssh-make]"]
    assert "exit code 2" in text
    assert "free some disk space on 127.0.0.1, then run again" in text


@pytest.mark.docker
def test_task_past_its_deadline_is_ended_on_the_host(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    cube_folder.tasks(
        make='echo begun > "$data/part"; sleep 60; echo no >> "$data/part"'
    )
    _place(cube_folder, host)

    done = _run(cube_folder, "make", "--task-timeout", "3")

    assert done.returncode == 124, done.stderr
    assert "ran past its deadline and was killed" in done.stderr
    assert (cube_folder.root / "workspace/data/part").read_text() == "begun\n"
    assert not list(host.root.glob("workspaces/*/run"))


@pytest.mark.docker
@pytest.mark.parametrize(
    "name", ["""it's "Übergröße" $(touch x) * [a]""", "new\nline"], ids=["odd", "line"]
)
def test_paths_with_odd_signs_work(
    name: str, tmp_path: Path, cube_folder: CubeFolder, host: SshHost
) -> None:
    root = tmp_path / name / f"tiny {name}"
    shutil.copytree(cube_folder.root, root)
    cube = type(cube_folder)(root)
    _place(cube, host)
    run = cube.root / "run" / "deep er" / "make.yaml"
    run.parent.mkdir()
    (cube.root / "run/make.yaml").rename(run)
    given = tmp_path / name / f"given {name}"
    given.write_text("given\n", encoding="utf-8")

    done = _run(cube, "deep er/make")
    other = _run(cube, "deep er/make", "--parameter", f"seed={given}")

    assert done.returncode == 0, done.stderr
    assert other.returncode == 0, other.stderr
    assert (cube.root / "workspace/data/part").read_text() == "given\n"


@pytest.mark.docker
def test_no_shell_reads_a_value(
    cube_folder: CubeFolder, host: SshHost, tmp_path: Path
) -> None:
    trap = f"trap-{tmp_path.parent.name}"
    evil = f"""$(touch {trap}) `touch {trap}` '; touch {trap}; " & touch {trap}\n| x"""
    cube_folder.write(f"workspace/{evil}", "seed\n")
    binding = {"input_binding": {"seed": evil}, "output_binding": {"data": "data"}}
    run = {"schema_type": "mlcube_invoke", "schema_version": "1.0.0"}
    document = yaml.safe_dump({**run, "task_name": "make", **binding})
    cube_folder.write("run/make.yaml", document)
    cube_folder.tasks(make='printf %s "$seed|$EVIL" > "$data/part"')
    # What YAML takes for a value in quotes, JSON writes.
    variables = json.dumps({"EVIL": evil})
    _place(cube_folder, host, env=f"{{path: {host.root}, variables: {variables}}}")

    done = _run(cube_folder, "make", "--build-arg", f"EVIL={evil}")

    assert done.returncode == 0, done.stderr
    part = (cube_folder.root / "workspace/data/part").read_text(encoding="utf-8")
    assert part == f"/mlcube_io0/{evil}|{evil}"
    assert not list(tmp_path.rglob(trap))
    assert not [each for each in (Path.home(), Path.cwd()) if (each / trap).exists()]


@pytest.mark.docker
def test_variables_reach_tasks_and_arguments_builds(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    cube_folder.edit("build/Dockerfile", "COPY", "ARG WORD=none\nENV BUILT=$WORD\nCOPY")
    cube_folder.tasks(make='echo "$BUILT $WORD $PYTHONPATH" > "$data/part"')
    variables = "{WORD: a b, PYTHONPATH: /app}"
    _place(cube_folder, host, env=f"{{path: {host.root}, variables: {variables}}}")

    done = _run(cube_folder, "make", "--build-arg", "WORD=built with it")

    assert done.returncode == 0, done.stderr
    part = cube_folder.root / "workspace/data/part"
    assert part.read_text() == "built with it a b /app\n"


@pytest.mark.docker
def test_large_input_and_many_files_are_sent_once(
    cube_folder: CubeFolder, host: SshHost, run_suite: RunSuite
) -> None:
    with (cube_folder.root / "workspace/seed.txt").open("wb") as seed:
        for _ in range(64):
            seed.write(os.urandom(1024 * 1024))
    cube_folder.tasks(
        make="i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); echo $i > $data/$i; done",
        use='ls "$data" | wc -l > "$result"',
    )
    _place(cube_folder, host)

    first, second = (
        run_suite("--cube", cube_folder.root, "--platform", "ssh") for _ in range(2)
    )

    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert sum(_megabytes_sent(first.output)) > 64
    # The names of the files of `use` are what is sent.
    assert sum(_megabytes_sent(second.output)) < 1


@pytest.mark.docker
def test_sparse_input_stays_sparse_on_the_host(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    seed = cube_folder.root / "workspace/seed.txt"
    with seed.open("ab") as file:
        file.truncate(256 * 1024 * 1024)
    cube_folder.tasks(make='echo made > "$data/part"')
    _place(cube_folder, host)

    done = _run(cube_folder)

    there = (_remote_workspace(host) / "seed.txt").stat()
    assert done.returncode == 0, done.stderr
    assert there.st_size == seed.stat().st_size
    assert there.st_blocks * 512 < 1024 * 1024


def _megabytes_sent(output: str) -> list[float]:
    found = re.findall(r"sent ([\d.]+) (MB|kB)", output)
    return [float(each) / {"MB": 1, "kB": 1000}[unit] for each, unit in found]


@pytest.mark.docker
def test_what_a_task_changes_and_removes_is_changed_and_removed_here(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    cube_folder.write("tasks/use.yaml", IN_PLACE)
    cube_folder.write(
        "run/use.yaml",
        "schema_type: mlcube_invoke\nschema_version: 1.0.0\ntask_name: use\n"
        "input_binding: {data: data}\noutput_binding: {data: data}\n",
    )
    data = cube_folder.root / "workspace/data"
    for name in ("kept", "changed", "gone", "sub/gone"):
        cube_folder.write(f"workspace/data/{name}", "old\n")
    (data / "kept").chmod(0o640)
    os.utime(data / "kept", ns=(10**18, 10**18 + 5))
    before = (data / "kept").stat()
    cube_folder.tasks(
        use='cd "$data"; echo new > changed; rm -r gone sub; ln -s kept link; '
        "echo '#!/bin/sh' > tool; chmod 750 tool; touch -d @1000000000 tool"
    )
    _place(cube_folder, host)

    done = _run(cube_folder, "use")

    assert done.returncode == 0, done.stderr
    assert sorted(each.name for each in data.iterdir()) == [
        *("changed", "kept", "link", "tool"),
    ]
    assert (data / "changed").read_text() == "new\n"
    assert (data / "link").readlink() == Path("kept")
    kept = (data / "kept").stat()
    assert (kept.st_ino, kept.st_mode) == (before.st_ino, before.st_mode)
    assert kept.st_mtime_ns == before.st_mtime_ns
    assert (data / "tool").stat().st_mode & 0o777 == 0o750
    assert (data / "tool").stat().st_mtime == 1_000_000_000


@pytest.mark.docker
def test_link_that_a_task_leaves_is_not_followed(
    cube_folder: CubeFolder, host: SshHost, tmp_path: Path
) -> None:
    """What the next one would read or write through it stays as it is."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "part").write_text("mine\n", encoding="utf-8")
    cube_folder.tasks(
        make=f'echo seed > "$data/part"; ln -s {elsewhere} "$data/way"',
        use='cat "$data/way/part" > "$result" || echo none > "$result"',
    )
    _place(cube_folder, host)

    made = _run(cube_folder, "make")
    used = _run(cube_folder, "use")
    cube_folder.tasks(make='mkdir "$data/way"; echo seed > "$data/way/part"')
    (cube_folder.root / "workspace/data/part").unlink()
    again = _run(cube_folder, "make")

    assert (made.returncode, used.returncode) == (0, 2), made.stderr + used.stderr
    assert "contains a link to a path outside it" in used.stderr
    assert not (cube_folder.root / "workspace/out/result.txt").exists()
    assert (elsewhere / "part").read_text() == "mine\n"
    assert again.returncode != 0  # the link stands in its way, there as here


@pytest.mark.docker
def test_equal_names_do_not_collide(
    cube_folder: CubeFolder, host: SshHost, tmp_path: Path
) -> None:
    """One platform file, outside of both cubes, serves both."""
    file = tmp_path / "hosts" / "ssh.yaml"
    other = type(cube_folder)(tmp_path / "other" / "tiny")
    shutil.copytree(cube_folder.root, other.root)
    other.write("workspace/seed.txt", "other\n")
    _place(cube_folder, host)
    file.parent.mkdir()
    for name in ("ssh.yaml", "docker.yaml"):
        (cube_folder.root / "platform" / name).rename(file.with_name(name))

    done = [
        _call(
            *("run", f"--mlcube={each.root}", f"--platform={file}"),
            f"--task={each.root}/run/make.yaml",
        )
        for each in (cube_folder, other, cube_folder)
    ]

    assert [each.returncode for each in done] == [0, 0, 0], done[0].stderr
    assert (cube_folder.root / "workspace/data/part").read_text() == "seed\n"
    assert (other.root / "workspace/data/part").read_text() == "other\n"


@pytest.mark.docker
def test_runs_at_once_send_an_equal_cube_in_turn(
    cube_folder: CubeFolder, host: SshHost, tmp_path: Path
) -> None:
    """A sender removes what the cube lacks: also what another has half sent."""
    _place(cube_folder, host)
    for folder in range(60):
        for file in range(20):
            cube_folder.write(f"more/{folder}/{file}", os.urandom(2000).hex())
    others = [tmp_path / str(each) / "tiny" for each in range(3)]
    for each in others:
        shutil.copytree(cube_folder.root, each)
    words = warm.python("mlcube_ssh_run")

    runs = [
        subprocess.Popen(
            [*words, "configure", f"--mlcube={each}", "--platform=ssh"],
            stderr=subprocess.PIPE,
            text=True,
        )
        for each in others
    ]
    said = [each.communicate(timeout=120)[1] for each in runs]

    assert [each.returncode for each in runs] == [0, 0, 0], said


# Hosts that lack something, or do not let us in.


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        ("unknown", ("the key of the host is unknown", "SHA256:", "fingerprint")),
        ("changed", ("the key of the host differs",)),
        ("key", ("accepts none of the keys for that user", "identity_file")),
        ("no key", ("cannot use the key identity_file", "/none")),
        ("down", ("cannot reach the host", "Connection refused")),
        ("name", ("the name of the host is unknown",)),
    ],
)
def test_host_that_does_not_let_us_in_is_an_error(
    break_it: str,
    said: tuple[str, ...],
    cube_folder: CubeFolder,
    host: SshHost,
    run_suite: RunSuite,
    tmp_path: Path,
) -> None:
    keys = {}
    other = SshHost(tmp_path / "other")
    if break_it in {"changed", "key"}:
        other.start()
        other.stop()
    if break_it == "unknown":
        keys["known_hosts"] = ""
    elif break_it == "changed":
        key = other.known_hosts.read_text(encoding="utf-8").split(maxsplit=1)[1]
        host.known_hosts.write_text(f"[127.0.0.1]:{host.port} {key}", encoding="utf-8")
    elif break_it == "key":
        keys["authentication"] = f"{{identity_file: {other.key}}}"
    elif break_it == "no key":
        keys["authentication"] = f"{{identity_file: {tmp_path}/none}}"
    elif break_it == "down":
        host.stop()
    else:
        keys["host"] = "nowhere.invalid"
    _place(cube_folder, host, **keys)

    run = run_suite("--cube", cube_folder.root, "--platform", "ssh")

    assert not run.verdict("failed")
    ((name, text),) = run.verdict("error").items()
    assert name == "test_image_builds[tiny-ssh]"
    for each in (*said, "cannot connect to" if keys.get("host") else "where:"):
        assert each in text
    assert "Traceback" not in run.output


NEEDED = ("sh", "bash", "env", "mkdir", "find", "id", "df", "printenv", "uname", "cat")


@pytest.mark.parametrize(
    ("has", "keys", "said"),
    [
        (
            ("rsync", "docker"),
            {"interpreter": "{type: system}"},
            "no Python: 'python3'",
        ),
        (("rsync",), {}, "no docker, which docker.yaml asks for"),
        (("docker",), {}, "no rsync"),
        (("rsync", "docker"), {"platform": "odd.yaml"}, "asks for >=99"),
        (
            ("rsync", "docker"),
            {"env": "{path: /proc/nothing}"},
            "0 MiB free on the disk of /proc/nothing",
        ),
    ],
)
@pytest.mark.docker
def test_what_a_host_lacks_is_said_in_one_message(
    has: tuple[str, ...],
    keys: dict[str, str],
    said: str,
    cube_folder: CubeFolder,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    if "no docker" in said and Path("/var/run/docker.sock").exists():
        keys = {**keys, "platform": "singularity.yaml"}
        cube_folder.write("platform/singularity.yaml", INNER["singularity"].format())
        said = "no singularity, which singularity.yaml asks for"
    path = programs(tmp_path / "bin", *NEEDED, *has)
    host = SshHost(tmp_path / "host", environment={"PATH": path})
    host.start()
    request.addfinalizer(host.stop)
    cube_folder.write(
        "platform/odd.yaml",
        "platform: {name: docker, version: '>=99'}\ncontainer: {image: busybox}\n",
    )
    _place(cube_folder, host, **keys)

    done = _call("configure", f"--mlcube={cube_folder.root}", "--platform=ssh")

    assert done.returncode == 125, done.stderr
    assert "lacks what the cube needs" in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of its own with 96 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ("-t", "tmpfs", "-o", "size=96m", "tmpfs")
    mounted = subprocess.run(
        ["mount", *options, folder], capture_output=True, timeout=60, check=False
    )
    if mounted.returncode:
        pytest.skip("a disk of its own needs the right to mount")
    yield folder
    subprocess.run(["umount", "--lazy", folder], timeout=60, check=True)


@pytest.mark.docker
def test_full_disk_of_the_host_is_an_error(
    cube_folder: CubeFolder, host: SshHost, small_disk: Path
) -> None:
    (cube_folder.root / "workspace/seed.txt").write_bytes(os.urandom(128 * 1024**2))
    _place(cube_folder, host, env=f"{{path: {small_disk}/root}}")

    sent = _run(cube_folder)
    (small_disk / "more").write_bytes(bytes(64 * 1024**2))
    begun = _call("configure", f"--mlcube={cube_folder.root}", "--platform=ssh")

    assert sent.returncode == 125
    assert "the disk of root@127.0.0.1" in sent.stderr
    assert "is full" in sent.stderr
    assert begun.returncode == 125
    assert "MiB are needed" in begun.stderr


@pytest.mark.docker
def test_task_that_fills_the_disk_of_the_host_fails(
    cube_folder: CubeFolder, host: SshHost, small_disk: Path
) -> None:
    cube_folder.tasks(make='dd if=/dev/zero of="$data/part" bs=1M count=200')
    _place(cube_folder, host, env=f"{{path: {small_disk}/root}}")

    done = _run(cube_folder)

    assert done.returncode in {1, 125}, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


# What is left when a connection, or this side of it, ends.


@pytest.fixture
def far_host(tmp_path: Path) -> Iterator[NamespaceHost]:
    """Return a host in a network of its own, whose link can be cut."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("a network of its own needs root and iproute2")
    host = NamespaceHost(tmp_path / "host", environment=OF_APPTAINER)
    host.start()
    yield host
    host.stop()


def _begin(cube: CubeFolder, *words: str) -> subprocess.Popen[str]:
    """Begin to run `make`."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "mlcube_ssh_run", "run", f"--mlcube={cube.root}"),
            *("--platform=ssh", f"--task={cube.root}/run/make.yaml"),
            *words,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _cut_in_the_middle(
    cube: CubeFolder, host: NamespaceHost
) -> subprocess.CompletedProcess[str]:
    """Run `make`, which waits for a file, and cut the link while it does."""
    cube.tasks(
        make='echo half > "$data/first"; echo begun; '
        "until [ -e /mlcube_io0/go ]; do sleep 0.1; done; "
        'echo seed > "$data/part"; echo done'
    )
    with _begin(cube) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        host.cut()
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    return subprocess.CompletedProcess((), process.returncode, first + out, err)


def _wait_for_glob(root: Path, pattern: str) -> Path:
    deadline = time.monotonic() + 60
    while not (found := list(root.glob(pattern))):
        assert time.monotonic() < deadline, f"no {pattern} below {root}"
        time.sleep(0.05)
    return found[0]


@pytest.mark.docker
def test_task_goes_on_when_the_link_is_cut_and_the_next_run_follows_it(
    cube_folder: CubeFolder, far_host: NamespaceHost
) -> None:
    _place(cube_folder, far_host)
    data = cube_folder.root / "workspace/data"
    cube_folder.edit("run/use.yaml", "$WORKSPACE/data", "$WORKSPACE/seed.d")
    cube_folder.write("workspace/seed.d/part", "x\n")

    cut = _cut_in_the_middle(cube_folder, far_host)
    left = sorted(each.name for each in data.parent.rglob("*"))
    far_host.mend()
    other = _run(cube_folder, "use")
    with _begin(cube_folder) as followed:
        assert followed.stdout is not None
        assert followed.stdout.readline() == "begun\n"
        (_remote_workspace(far_host) / "go").touch()
        out, err = followed.communicate(timeout=60)

    assert cut.returncode == 125, cut.stderr
    assert "was lost while tiny-ssh-make ran there" in cut.stderr
    assert "the task goes on there" in cut.stderr
    assert cut.stdout == "begun\n"
    assert left == ["data", "part", "seed.d", "seed.txt"]
    assert other.returncode == 125
    assert "an earlier task still runs on" in other.stderr
    assert followed.returncode == 0, err
    assert "still runs: following it" in err
    assert "sent" not in err
    assert out == "done\n"
    assert (data / "part").read_text() == "seed\n"


@pytest.mark.docker
def test_task_that_ended_while_the_link_was_cut_is_not_run_again(
    cube_folder: CubeFolder, far_host: NamespaceHost
) -> None:
    _place(cube_folder, far_host)
    data = cube_folder.root / "workspace/data"

    _cut_in_the_middle(cube_folder, far_host)
    (_remote_workspace(far_host) / "go").touch()
    _wait_for_glob(far_host.root, "workspaces/*/run/logs/outcome.json")
    far_host.mend()
    fetched = _run(cube_folder, "make")

    assert fetched.returncode == 0, fetched.stderr
    assert "has ended since: fetching its results" in fetched.stderr
    assert "sent" not in fetched.stderr
    assert fetched.stdout == "begun\ndone\n"
    assert (data / "first").read_text() == "half\n"
    assert (data / "part").read_text() == "seed\n"


@pytest.mark.docker
def test_suite_says_that_the_link_was_cut_and_fetches_the_results_next_time(
    cube_folder: CubeFolder,
    far_host: NamespaceHost,
    run_suite: RunSuite,
    tmp_path: Path,
) -> None:
    _place(cube_folder, far_host)
    cube_folder.tasks(make='echo begun; sleep 25; echo seed > "$data/part"')

    def cut_when_it_runs() -> None:
        log = _wait_for_glob(tmp_path, "place/*/*/tiny/ssh/make.stdout.log")
        while "begun" not in log.read_text(encoding="utf-8"):
            time.sleep(0.05)
        far_host.cut()

    cut = threading.Thread(target=cut_when_it_runs)
    cut.start()

    first = run_suite("--cube", cube_folder.root, "--platform", "ssh")
    cut.join()
    _wait_for_glob(far_host.root, "workspaces/*/run/logs/outcome.json")
    far_host.mend()
    cube_folder.tasks()
    second = run_suite("--cube", cube_folder.root, "--platform", "ssh")

    assert not first.verdict("failed")
    ((_, text),) = first.verdict("error").items()
    assert "was lost while tiny-ssh-make ran there" in text
    assert second.exit_code == 0, second.output
    assert "has ended since with exit code 0" in second.output
    earlier = min(tmp_path.glob("place/.mlcube-conformance/*/tiny/ssh/workspace"))
    assert (earlier / "data/part").read_text() == "seed\n"


@pytest.mark.docker
def test_interrupt_ends_the_task_on_the_host(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    cube_folder.tasks(make='echo begun > "$data/first"; sleep 60; echo no > "$data/x"')
    _place(cube_folder, host)
    with _begin(cube_folder) as process:
        _wait_for_glob(host.root, "workspaces/*/workspace/data/first")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    again = _run(cube_folder, "make", "--task-timeout", "2")

    assert process.returncode != 0
    # It is over: the next one is not told to wait.
    assert again.returncode == 124, again.stderr
    assert "still runs" not in again.stderr


@pytest.mark.docker
def test_results_of_a_task_that_ended_before_an_interrupt_are_fetched_next_time(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    begun = tmp_path / "fetching"
    slow = (
        f'case "$SSH_ORIGINAL_COMMAND" in *--sender*) echo > {begun}; sleep 9 ;; esac'
    )
    script = f'[ -e {begun} ] || {slow}; exec sh -c "exec $SSH_ORIGINAL_COMMAND"'
    cube_folder.tasks(make='echo made | tee "$data/part"')
    part = cube_folder.root / "workspace/data/part"
    settings = [f"ForceCommand {script}"]
    with SshHost(tmp_path / "host", settings=settings) as host:
        _place(cube_folder, host)
        with _begin(cube_folder) as process:
            _wait_for_glob(tmp_path, "fetching")
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        kept = part.exists()
        again = _run(cube_folder)

    assert (process.returncode, kept) == (130, False), said
    assert "interrupted after tiny-ssh-make ended on" in said
    assert "has ended since: fetching its results" in again.stderr
    assert (again.returncode, part.read_text(encoding="utf-8")) == (0, "made\n")


@pytest.mark.docker
def test_clean_removes_what_is_not_in_use(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    file = _place(cube_folder, host)
    _run(cube_folder)
    (foreign := host.root / "cubes" / "foreign").mkdir()
    (foreign / "place.json").write_text('{"owner": "other@host", "cube": "/c"}')

    young = _call("clean", f"--platform={file}", "--older-than", "1")
    kept = len(list(host.root.glob("*/*/place.json")))
    cleaned = _call("clean", f"--platform={file}")

    assert (young.returncode, kept) == (0, 3)
    assert cleaned.returncode == 0, cleaned.stderr
    assert cleaned.stderr.count(f"(of {cube_folder.root})") == 2
    assert " MB freed on 127.0.0.1" in cleaned.stderr
    assert [each.parent for each in host.root.glob("*/*/place.json")] == [foreign]


# How a host is reached.


@pytest.mark.docker
def test_fingerprint_in_the_platform_file_is_trusted(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    wrong = f"SHA256:{'A' * 43}"

    _place(
        cube_folder, host, known_hosts="", fingerprint=f"[{wrong}, {host.fingerprint}]"
    )
    right = _run(cube_folder)
    _place(cube_folder, host, fingerprint=wrong)
    refused = _run(cube_folder)

    assert right.returncode == 0, right.stderr
    assert refused.returncode == 125
    shown = f"the host shows the key ssh-ed25519 {host.fingerprint}, but"
    assert f"{shown} the platform file trusts {wrong}" in refused.stderr


@pytest.mark.docker
def test_names_jumps_and_keys_of_the_users_configuration_count(
    cube_folder: CubeFolder, host: SshHost, tmp_path: Path
) -> None:
    """The host is named as in the configuration of ssh, and is behind another."""
    gate = SshHost(tmp_path / "gate")
    gate.start()
    both = host.known_hosts.read_text() + gate.known_hosts.read_text()
    (tmp_path / "known").write_text(both)
    shutil.copy(host.folder / "key.pub", gate.folder / "authorized_keys")
    config = tmp_path / "ssh config"
    config.write_text(
        f"Host *\n  IdentityFile {host.key}\n  UserKnownHostsFile {tmp_path}/known\n"
        f"  StrictHostKeyChecking no\n"
        f"Host gate\n  HostName 127.0.0.1\n  Port {gate.port}\n"
        f"Host the-server\n  HostName 127.0.0.1\n  Port {host.port}\n  ProxyJump gate\n"
    )
    _place(
        cube_folder,
        host,
        host="the-server",
        port="",
        authentication="",
        known_hosts="",
        ssh_config=str(config),
    )
    refused = _run(cube_folder)
    # Settings of ssh may start programs here: no file of a cube names them.
    own = tmp_path / "ssh.yaml"
    (cube_folder.root / "platform/ssh.yaml").rename(own)

    through = _run(cube_folder, "make", f"--platform={own}")
    (tmp_path / "known").write_text(host.known_hosts.read_text())
    unknown = _run(cube_folder, "make", f"--platform={own}")
    gate.stop()
    log = (gate.folder / "sshd.log").read_text()

    assert "must not name an ssh_config" in refused.stderr
    assert through.returncode == 0, through.stderr
    assert "Accepted publickey" in log
    # What the configuration says of keys of hosts does not.
    assert unknown.returncode == 125
    assert "Host key verification failed" in unknown.stderr


@pytest.mark.docker
def test_key_in_the_agent_is_used(cube_folder: CubeFolder, host: SshHost) -> None:
    socket = host.folder / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", socket]) as agent:
        _wait_for_glob(host.folder, "agent")
        environment = {"SSH_AUTH_SOCK": str(socket)}
        subprocess.run(
            ["ssh-add", "-q", host.key],
            env=os.environ | environment,
            timeout=60,
            check=True,
        )
        _place(cube_folder, host, authentication="")

        done = _call(
            *("run", f"--mlcube={cube_folder.root}", "--platform=ssh"),
            f"--task={cube_folder.root}/run/make.yaml",
            **environment,
        )
        agent.terminate()

    assert done.returncode == 0, done.stderr


# What the runner is started with on the host.


@pytest.mark.docker
def test_packages_are_made_from_the_wheel_that_is_sent(
    cube_folder: CubeFolder, host: SshHost, tmp_path: Path
) -> None:
    python = _bare_python(tmp_path)
    before = _installed(python)
    # Its schema is no code, and is sent, too.
    cube_folder.write("conformance.yaml", "tasks: {make: {timeout: 60}}\n")
    _place(cube_folder, host, interpreter=f"{{type: system, python: {python}}}")

    wheel = _run_and_configure_again(cube_folder, host, "packages/*/python3*")

    assert wheel.exists()
    assert _installed(python) == before


@pytest.mark.docker
def test_environment_is_made_from_the_wheel_and_anew_when_it_broke(
    cube_folder: CubeFolder, host: SshHost, tmp_path: Path
) -> None:
    bare = _bare_python(tmp_path, "--without-pip")
    cube_folder.write("conformance.yaml", "tasks: {make: {timeout: 60}}\n")
    interpreter = f"{{type: virtualenv, python: {bare}, name: of-the-test}}"
    _place(cube_folder, host, interpreter=interpreter)

    wheel = _run_and_configure_again(cube_folder, host, "environments/of-the-test")
    # A virtual environment that has the package needs none.
    assert not wheel.exists()
    python = host.root / "environments" / "of-the-test" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "uninstall", "--yes", "--quiet", "click"],
        timeout=60,
        check=True,
    )
    second = _run(cube_folder)
    (code,) = host.root.glob("environments/*/lib/*/*/mlcube_conformance/place.py")
    text = code.read_text(encoding="utf-8")
    code.write_text(f"{text}# of another version\n", encoding="utf-8")
    third = _call("configure", f"--mlcube={cube_folder.root}", "--platform=ssh")

    assert second.returncode == 0, second.stderr
    assert third.returncode == 0, third.stderr
    assert code.read_text(encoding="utf-8") == text


def _bare_python(folder: Path, *words: str) -> Path:
    """Return a Python without our package, in an environment of its own."""
    subprocess.run([sys.executable, "-m", "venv", *words, folder / "bare"], check=True)
    return folder / "bare" / "bin" / "python"


def _run_and_configure_again(cube: CubeFolder, host: SshHost, place: str) -> Path:
    """Let a host make what it needs, and use it once more; return the wheel's path."""
    made = _run(cube)
    assert made.returncode == 0, made.stderr
    (marker,) = host.root.glob(f"{place}/mlcube-conformance.json")
    written = marker.stat().st_mtime_ns
    (wheel,) = host.root.glob("packages/*/*.whl")
    wheel.unlink()
    again = _call("configure", f"--mlcube={cube.root}", "--platform=ssh")
    assert again.returncode == 0, again.stderr
    assert marker.stat().st_mtime_ns == written
    return wheel


def _installed(python: Path) -> str:
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return listed.stdout


@pytest.mark.docker
def test_package_that_a_variable_of_the_host_brings_is_not_used(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    (other := tmp_path / "other/mlcube_conformance").mkdir(parents=True)
    (other / "__init__.py").write_text("raise SystemExit('of another version')")
    variables = {"PYTHONPATH": str(other.parent)}
    with SshHost(tmp_path / "host", environment=variables) as host:
        _place(cube_folder, host)
        done = _run(cube_folder)

    assert done.returncode == 0, done.stderr


@pytest.mark.docker
def test_environment_that_is_not_there_is_named_where_none_is_sent(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    env = f"{{path: {host.root}, sync: false}}"
    _place(cube_folder, host, env=env, interpreter="{type: virtualenv, name: none}")

    done = _run(cube_folder)

    assert done.returncode == 125
    assert f"no program {host.root}/environments/none/bin/python" in done.stderr
    assert "env.sync: true" in done.stderr


@pytest.mark.docker
def test_requirements_that_bring_another_package_are_refused(
    cube_folder: CubeFolder, host: SshHost, tmp_path: Path
) -> None:
    python = _bare_python(tmp_path, "--without-pip")
    _place(
        cube_folder,
        host,
        interpreter=f"{{type: virtualenv, python: {python}, requirements: click}}",
    )

    done = _call("configure", f"--mlcube={cube_folder.root}", "--platform=ssh")

    assert done.returncode == 125, done.stderr
    assert "has no mlcube-conformance" in done.stderr
    assert "Traceback" not in done.stderr


# What the suite sees on the host.


@pytest.mark.docker
@pytest.mark.parametrize(
    ("make", "found"),
    [
        ('mkfifo "$data/pipe"', "pipe: a pipe, only on the host"),
        ('chown 12345 "$data/part"', "part: belongs to another user on the host"),
    ],
)
def test_output_that_does_not_come_back_as_it_is_fails_one_clause(
    make: str, found: str, cube_folder: CubeFolder, host: SshHost, run_suite: RunSuite
) -> None:
    cube_folder.tasks(make=f'echo seed > "$data/part"; {make}')
    _place(cube_folder, host)

    run = run_suite("--cube", cube_folder.root, "--platform", "ssh", "--task", "make")

    ((name, text),) = run.verdict("failed").items()
    assert name == "test_outputs_are_on_the_host[tiny-ssh-make]"
    assert found in text
    assert "REMOTE-1" in text
    assert not run.verdict("error")


# What belongs to the user stays as it is.


@pytest.mark.docker
def test_input_that_is_changed_meanwhile_stays_changed(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    cube_folder.tasks(make='cat "$seed" > "$data/part"; echo begun; sleep 2')
    _place(cube_folder, host)
    seed = cube_folder.root / "workspace/seed.txt"

    with _begin(cube_folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        seed.write_text("mine\n", encoding="utf-8")
        process.communicate(timeout=60)

    assert process.returncode == 0
    assert seed.read_text() == "mine\n"
    assert (cube_folder.root / "workspace/data/part").read_text() == "seed\n"


@pytest.mark.docker
def test_output_counts_by_its_content_and_not_by_its_time(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    cube_folder.tasks(
        make='cat "$seed" > "$data/part"; touch -d @1000000000 "$data/part"'
    )
    _place(cube_folder, host)

    _run(cube_folder)
    cube_folder.write("workspace/seed.txt", "SEED\n")
    done = _run(cube_folder)

    assert done.returncode == 0, done.stderr
    assert (cube_folder.root / "workspace/data/part").read_text() == "SEED\n"


@pytest.mark.docker
def test_odd_names_and_pipes_of_the_user_stay(
    cube_folder: CubeFolder, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Also where the host's programs know no letter but those of English."""
    language = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    host = SshHost(tmp_path / "host", environment=language)
    host.start()
    request.addfinalizer(host.stop)
    _place(cube_folder, host)
    names = ["é.txt", "two\nlines", "-r", "#x", os.fsdecode(b"\xff\xfe")]
    data = cube_folder.root / "workspace/data"
    for name in names:
        cube_folder.write(f"workspace/data/{name}", "mine\n")
    os.mkfifo(data / "pipe")

    done = _run(cube_folder)

    assert done.returncode == 0, done.stderr
    assert {each.name for each in data.iterdir()} == {*names, "pipe", "part"}


@pytest.mark.docker
def test_folder_of_the_cube_on_the_host_is_that_of_one_cube(
    cube_folder: CubeFolder, host: SshHost, tmp_path: Path
) -> None:
    place = tmp_path / "on the host" / "a" / "cube"
    cube_folder.edit("build/Dockerfile", "COPY", "COPY . /all/\nCOPY")
    cube_folder.write("build/extra.txt", "extra")
    cube_folder.tasks(make='ls /all > "$data/part"')
    _place(cube_folder, host, mlcube=f"{{path: {json.dumps(str(place))}}}")
    other = type(cube_folder)(tmp_path / "other")
    shutil.copytree(cube_folder.root, other.root)

    first = _run(cube_folder)
    with_extra = (cube_folder.root / "workspace/data/part").read_text()
    (cube_folder.root / "build/extra.txt").unlink()
    second = _run(cube_folder)
    refused = _run(other)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert with_extra == "Dockerfile\nextra.txt\ntask.sh\n"
    part = (cube_folder.root / "workspace/data/part").read_text()
    assert part == "Dockerfile\ntask.sh\n"
    assert refused.returncode == 125
    assert f"the cube {cube_folder.root} of " in refused.stderr


@pytest.mark.docker
def test_linked_platform_file_and_hidden_run_file_are_brought(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    _place(cube_folder, host)
    (cube_folder.root / "platform/docker.yaml").rename(cube_folder.root / "common.yaml")
    (cube_folder.root / "platform/docker.yaml").symlink_to("../common.yaml")
    run = cube_folder.root / ".runs" / "common.yaml"
    run.parent.mkdir()
    (cube_folder.root / "run/make.yaml").rename(run)

    done = _call(
        *("run", f"--mlcube={cube_folder.root}", "--platform=ssh", f"--task={run}")
    )

    assert done.returncode == 0, done.stderr
    assert (cube_folder.root / "workspace/data/part").read_text() == "seed\n"


@pytest.mark.docker
def test_clean_keeps_what_is_in_use_unless_it_is_forced(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    cube_folder.tasks(make='echo begun; sleep 60; echo no > "$data/part"')
    file = _place(cube_folder, host)

    with _begin(cube_folder) as process:
        assert process.stdout is not None
        process.stdout.readline()
        kept = _call("clean", f"--platform={file}")
        left = len(list(host.root.glob("*/*/place.json")))
        forced = _call("clean", "--force", f"--platform={file}")
        process.communicate(timeout=60)

    assert kept.stderr.count("a task of its cube runs") == left == 2
    assert forced.stderr.count("removed ") == 2
    assert process.returncode == 125
    assert not (cube_folder.root / "workspace/data/part").exists()
    assert "nothing to remove" in _call("clean", f"--platform={file}").stderr


@pytest.mark.docker
def test_what_follows_a_task_may_be_killed(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    noted = tmp_path / "agents"
    notes = f'case "$SSH_ORIGINAL_COMMAND" in *agent) echo $$ >> {noted} ;; esac'
    script = f'{notes}; exec sh -c "exec $SSH_ORIGINAL_COMMAND"'
    cube_folder.tasks(make='echo begun; sleep 4; echo made | tee "$data/part"')
    settings = [f"ForceCommand {script}"]
    with SshHost(tmp_path / "host", settings=settings) as host:
        _place(cube_folder, host)
        with _begin(cube_folder) as process:
            assert process.stdout is not None
            process.stdout.readline()
            os.kill(int(noted.read_text("utf-8").split()[-1]), signal.SIGKILL)
            said, errors = process.communicate(timeout=60)

    assert process.returncode == 0, errors
    # What passes it on starts from the beginning.
    assert said == "begun\nmade\n"
    part = cube_folder.root / "workspace/data/part"
    assert part.read_text(encoding="utf-8") == "made\n"


def test_package_is_sent_once(cube_folder: CubeFolder, host: SshHost) -> None:
    file = _place(cube_folder, host, interpreter="{type: virtualenv, name: not-made}")
    host.root.mkdir(parents=True)
    assert _call("clean", f"--platform={file}").returncode == 0
    (wheel,) = host.root.glob("packages/*/*.whl")
    sent = wheel.stat().st_ino

    assert _call("clean", f"--platform={file}").returncode == 0

    assert wheel.stat().st_ino == sent


@pytest.fixture
def odd_host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SshHost]:
    """Return a host that runs a script in the place of each command."""
    settings = [f"ForceCommand {request.param}"]
    host = SshHost(tmp_path / "host", settings=settings)
    host.start()
    yield host
    host.stop()


@pytest.mark.parametrize(
    "odd_host",
    [
        'echo "Welcome to gpu42"; eval "$SSH_ORIGINAL_COMMAND"',
        'printf "Welcome to gpu42"; eval "$SSH_ORIGINAL_COMMAND"',
        'eval "$SSH_ORIGINAL_COMMAND"; code=$?; echo "Welcome to gpu42"; exit $code',
    ],
    ids=["before", "without an end of line", "after"],
    indirect=True,
)
def test_shell_that_says_something_of_its_own_is_named(
    odd_host: SshHost, cube_folder: CubeFolder
) -> None:
    _place(cube_folder, odd_host)

    done = _run(cube_folder)

    assert done.returncode == 125, done.stderr
    assert f"127.0.0.1:{odd_host.port} says something with each command" in done.stderr
    assert re.search("^ *found: +Welcome to gpu42$", done.stderr, re.MULTILINE)
    assert "~/.bashrc" in done.stderr


#: Scripts of hosts that run no commands.
NO_COMMANDS = {
    "no account": "echo This account is not available; exit 1",
    "a full disk": "echo This account is not available | tee /dev/full",
    "on standard error": "echo This account is not available >&2; exit 128",
}


@pytest.mark.parametrize(
    "odd_host", NO_COMMANDS.values(), ids=NO_COMMANDS, indirect=True
)
def test_host_that_runs_no_commands_is_named(
    odd_host: SshHost, cube_folder: CubeFolder
) -> None:
    _place(cube_folder, odd_host)

    done = _run(cube_folder)

    assert done.returncode == 125, done.stderr
    assert f"127.0.0.1:{odd_host.port} runs no commands" in done.stderr
    assert "This account is not available" in done.stderr
    assert "~/.bashrc" not in done.stderr


@pytest.mark.parametrize(
    "odd_host", ['eval "$SSH_ORIGINAL_COMMAND" | head -c 9'], indirect=True
)
def test_answer_that_breaks_off_is_named(
    odd_host: SshHost, cube_folder: CubeFolder
) -> None:
    _place(cube_folder, odd_host)

    done = _run(cube_folder)

    assert done.returncode == 125, done.stderr
    assert re.search("the answer of .* breaks off", done.stderr)


@pytest.mark.parametrize(
    "odd_host", ['eval "$SSH_ORIGINAL_COMMAND"; echo who is there'], indirect=True
)
def test_clean_on_a_host_that_says_more_finds_nothing_and_makes_nothing(
    odd_host: SshHost, cube_folder: CubeFolder
) -> None:
    file = _place(cube_folder, odd_host)

    done = _call("clean", f"--platform={file}")

    assert done.returncode == 0, done.stderr
    assert "nothing to remove" in done.stderr
    assert not odd_host.root.exists()


@pytest.mark.parametrize(
    "odd_host", NO_COMMANDS.values(), ids=NO_COMMANDS, indirect=True
)
def test_clean_names_a_host_that_runs_no_commands(
    odd_host: SshHost, cube_folder: CubeFolder
) -> None:
    file = _place(cube_folder, odd_host)

    done = _call("clean", f"--platform={file}")

    assert done.returncode == 125, done.stderr
    assert "cannot look for a folder on" in done.stderr
    assert "| This account is not available" in done.stderr
    assert "nothing to remove" not in done.stderr


@pytest.mark.docker
def test_client_of_an_engine_may_warn_before_its_version(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    client = tmp_path / "bin/docker"
    client.parent.mkdir()
    says = "echo gcc version 11.2.0; echo 20.10.24+dfsg1; exit"
    asked = f'[ "$1" != version ] || {{ {says}; }}'
    client.write_text(f'#!/bin/sh\n{asked}\nexec {shutil.which("docker")} "$@"\n')
    client.chmod(0o755)
    environment = {"PATH": f"{client.parent}:{os.environ['PATH']}"}
    with SshHost(tmp_path / "host", environment=environment) as host:
        _place(cube_folder, host)
        file = cube_folder.root / "platform/docker.yaml"
        text = file.read_text("utf-8").replace(">=18.01", "==20.10.24")
        file.write_text(text, "utf-8")
        done = _run(cube_folder)

    assert done.returncode == 0, done.stderr


@pytest.mark.docker
@pytest.mark.parametrize(
    ("script", "says"),
    [
        (
            """echo '{"python": 7}'""",
            "making the environment of the runner is invalid",
        ),
        ("""echo '{"error": 7}'""", "fails at making the environment of the runner"),
        ("echo 7", "fails at making the environment of the runner"),
        ("echo '[[[['", "fails at making the environment of the runner"),
    ],
)
def test_answer_of_another_program_is_told(
    script: str, says: str, cube_folder: CubeFolder, host: SshHost
) -> None:
    other = host.folder / "python"
    agent = f"*package_key*) {script} ;; *agent) cat > /dev/null; {script} ;;"
    others = f'*) exec {sys.executable} "$@" ;;'
    other.write_text(f'#!/bin/sh\ncase "$*" in {agent} {others} esac\n', "utf-8")
    other.chmod(0o755)
    _place(cube_folder, host, interpreter=f"{{type: system, python: {other}}}")

    done = _run(cube_folder)

    assert done.returncode == 125, done.stderr
    assert says in done.stderr
    assert "has a bug" not in done.stderr


@pytest.mark.docker
@pytest.mark.parametrize(
    ("script", "code", "says"),
    [
        ('echo "Python of this site"; exec {python} "$@"', 0, ""),
        ('{python} "$@"; code=$?; echo; echo bye >&2; exit $code', 0, ""),
        ("echo 3.x", 125, "does not start (interpreter.python)"),
        ("echo 3.11.9 of this site", 125, "does not start (interpreter.python)"),
    ],
)
def test_program_in_the_place_of_python_may_say_something_first(
    script: str, code: int, says: str, cube_folder: CubeFolder, host: SshHost
) -> None:
    wrapper = host.folder / "python"
    wrapper.write_text(f"#!/bin/sh\n{script.format(python=sys.executable)}\n")
    wrapper.chmod(0o755)
    _place(cube_folder, host, interpreter=f"{{type: system, python: {wrapper}}}")

    done = _run(cube_folder)

    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "has a bug" not in done.stderr


def test_request_to_end_waits_until_all_connections_have_ended(
    host: SshHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions: list[int] = []
    runner = SshRunner("test")
    monkeypatch.setattr(
        Liveness, "remember_session", lambda _, session: sessions.append(session)
    )
    python = (sys.executable, "-m", "mlcube_conformance.runners.places.agent")
    names = {"do": "names", "base": str(tmp_path), "names": ["host/key"]}
    file = tmp_path / "ssh.yaml"
    folders = []
    for root in ("one", "two"):
        place = Place(
            host=host.address,
            port=host.port,
            identity_file=host.key,
            known_hosts=host.known_hosts,
            root=root,
            file=file,
        )
        platform = Platform(id="ssh", kind="ssh", image="", file=file, place=place)
        link = runner._connection(platform)  # noqa: SLF001 - no task is to run
        link.open()
        link.use_agent(python, stays=True)
        assert link.ask(names, doing="looking") == {"names": ["host/key"]}
        folders.append(link.folder)

    def interrupted(process: subprocess.Popen[bytes], grace: float = 5) -> None:
        signal.raise_signal(signal.SIGINT)
        end_session(process, grace)

    monkeypatch.setattr(connection, "end_session", interrupted)
    with pytest.raises(KeyboardInterrupt):
        runner.close()

    assert not [each for each in folders if each.exists()]
    assert len(sessions) > 3
    assert not [one for each in sessions for one in processes_in_session(each)]


@pytest.mark.docker
def test_host_that_allows_one_session_at_a_time_is_enough(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    host.stop()
    host.settings = ("MaxSessions 1", "LogLevel VERBOSE")
    host.start()
    cube_folder.tasks(make='echo made > "$data/file"; exit 3')
    _place(cube_folder, host)

    done = _run(cube_folder)

    assert done.returncode == 3, done.stderr
    made = cube_folder.root / "workspace/data/file"
    assert made.read_text(encoding="utf-8") == "made\n"
    assert "refused" not in done.stderr
    # One was tried, and no other was asked for, nor did anything log in again.
    log = (host.folder / "sshd.log").read_text("utf-8")
    assert log.count("no more sessions") == 1
    assert log.count("Accepted publickey") == 1


@pytest.mark.docker
def test_second_checkout_and_a_second_workspace_have_their_own_results(
    cube_folder: CubeFolder, host: SshHost, tmp_path: Path
) -> None:
    """Equal content, equal sizes, equal times: still another seed."""
    _place(cube_folder, host)
    copy = type(cube_folder)(tmp_path / "b" / "tiny")
    shutil.copytree(cube_folder.root, copy.root)
    parts = []
    for cube, seed in ((cube_folder, "AAAA"), (copy, "BBBB"), (cube_folder, "CCCC")):
        workspace = tmp_path / seed
        workspace.mkdir()
        (workspace / "seed.txt").write_text(seed, encoding="utf-8")
        os.utime(workspace / "seed.txt", (10**9, 10**9))

        done = _run(cube, "make", "--workspace", workspace)

        assert done.returncode == 0, done.stderr
        parts.append((workspace / "data/part").read_text())

    assert parts == ["AAAA", "BBBB", "CCCC"]


@pytest.mark.docker
def test_given_folders_in_one_another_links_and_odd_names_work(
    cube_folder: CubeFolder, host: SshHost, tmp_path: Path
) -> None:
    cube_folder.edit(
        "tasks/make.yaml", "outputs:\n", "outputs:\n  - {name: log, type: directory}\n"
    )
    binding = "output_binding: {log: $WORKSPACE/log, "
    cube_folder.edit("run/make.yaml", "output_binding: {", binding)
    cube_folder.tasks(make='cat "$seed" | tee "$log/l.txt" > "$data/part"')
    _place(cube_folder, host)
    out = tmp_path / "out"
    (out / "logs").mkdir(parents=True)
    (tmp_path / "link").symlink_to(out)
    given: tuple[str, ...] = ("--parameter", f"make.data={tmp_path}/link")
    given += ("--parameter", f"make.log={out}/logs")
    for text in ("one", "two"):
        for name in ("#seed", ";seed", "-seed"):
            (tmp_path / name).write_text(f"{text}{name}", encoding="utf-8")
            seed = ("--parameter", f"make.seed={tmp_path}/{name}")

            done = _run(cube_folder, "make", *given, *seed)

            assert done.returncode == 0, done.stderr
            assert (out / "part").read_text() == f"{text}{name}"
            assert (out / "logs/l.txt").read_text() == f"{text}{name}"


@pytest.mark.docker
def test_output_that_is_a_link_in_the_workspace_is_filled(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    _place(cube_folder, host)
    workspace = cube_folder.root / "workspace"
    (workspace / "real").mkdir()
    (workspace / "data").symlink_to("real")

    done = _run(cube_folder)

    assert done.returncode == 0, done.stderr
    assert (workspace / "data").is_symlink()
    assert (workspace / "real/part").read_text() == "seed\n"


@pytest.mark.docker
def test_what_was_not_sent_is_not_missed_when_results_are_fetched_later(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    cube_folder.tasks(make='rm "$data/old"; echo begun; sleep 2; echo x > "$data/part"')
    _place(cube_folder, host)
    data = cube_folder.root / "workspace/data"
    cube_folder.write("workspace/data/old", "sent\n")
    with _begin(cube_folder) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    _wait_for_glob(host.root, "workspaces/*/run/logs/outcome.json")
    cube_folder.write("workspace/data/notes.txt", "mine\n")

    done = _run(cube_folder)

    assert done.returncode == 0, done.stderr
    assert "has ended since: fetching its results" in done.stderr
    assert sorted(each.name for each in data.iterdir()) == ["notes.txt", "part"]


@pytest.mark.docker
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (("--env", "WORD=one"), ("--env", "WORD=two")),
        (("--env", "WORD=one"), ("--env", "WORD=one", "--build-strategy=always")),
    ],
)
def test_results_of_a_run_with_other_options_are_not_taken_over(
    first: tuple[str, ...],
    then: tuple[str, ...],
    cube_folder: CubeFolder,
    host: SshHost,
) -> None:
    cube_folder.tasks(make='echo begun; echo "$WORD" > "$data/part"')
    _place(cube_folder, host)
    with _begin(cube_folder, *first) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    _wait_for_glob(host.root, "workspaces/*/run/logs/outcome.json")

    done = _run(cube_folder, "make", *then)

    assert done.returncode == 0, done.stderr
    assert "has ended since with exit code 0" in done.stderr
    assert "sent " in done.stderr
    part = cube_folder.root / "workspace/data/part"
    assert part.read_text() == f"{then[1].partition('=')[2]}\n"


@pytest.mark.docker
def test_values_of_variables_are_not_kept_on_the_host(
    cube_folder: CubeFolder, host: SshHost
) -> None:
    _place(cube_folder, host)

    with _begin(cube_folder, "--env", "TOKEN=s3cr3t", "--build-arg=B=h1dden") as run:
        assert run.stdout is not None
        run.stdout.readline()
        run.kill()
    _wait_for_glob(host.root, "workspaces/*/run/logs/outcome.json")

    kept = [each.read_bytes() for each in host.root.rglob("*") if each.is_file()]
    assert kept
    assert not any(b"s3cr3t" in each or b"h1dden" in each for each in kept)
