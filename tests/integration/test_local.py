"""The platform local: processes of this machine in an environment of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mlcube_conformance
from mlcube_conformance.base.process import processes_with
from tests.cube_folders import CubeFolder, make_cube
from tests.records import RECORD_ALONE, left_by_run

if TYPE_CHECKING:
    from tests.conftest import RunSuite

MADE = "making the environment"
_LOCAL = """\
platform: {{name: local, version: ">=3.11"}}
container: {{run_args: {}}}
"""
ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount a disk")


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a cache folder of the test's own, so nothing is made already."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _environments(cache: Path) -> list[Path]:
    return list((cache / "mlcube-conformance/environments").glob("*"))


def _require(cube: CubeFolder, package: str) -> None:
    """Let the cube need a package that only a folder beside it has."""
    wheels = cube.root.parent / "wheels"
    wheels.mkdir(exist_ok=True)
    info = f"{package}-1.0.dist-info"
    with zipfile.ZipFile(wheels / f"{package}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{package}.py", f"name = {package!r}\n")
        wheel.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n",
        )
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{info}/RECORD", "")
    cube.write(
        "build/requirements.txt", f"--no-index\n--find-links {wheels}\n{package}==1.0\n"
    )
    cube.write(
        "build/Dockerfile",
        "FROM python:3\nWORKDIR /app\nCOPY . .\n"
        'ENTRYPOINT ["python3", "/app/task.py"]\n',
    )
    cube.write(
        "build/task.py",
        "import pathlib, sys\n"
        f"import {package} as package\n"
        "values = dict(each[2:].split('=', 1) for each in sys.argv[2:])\n"
        "if sys.argv[1] == 'make':\n"
        "    (pathlib.Path(values['data']) / 'part').write_text(package.name)\n"
        "else:\n"
        "    pathlib.Path(values['result']).write_text(sys.prefix)\n",
    )


def _run(run_suite: RunSuite, cube: CubeFolder, *options: str | Path) -> list[str]:
    """Run the suite, which must pass; return its lines."""
    run = run_suite("--cube", cube.root, "--platform", "local", *options)
    assert run.exit_code == 0, run.output
    return run.output.splitlines()


def test_sound_cube_passes_and_the_header_says_what_is_not_isolated(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    lines = _run(run_suite, cube_folder)

    assert sum("isolates nothing" in line for line in lines) == 1
    assert left_by_run(tmp_path / "place") == RECORD_ALONE


def test_task_sees_its_own_environment_and_nothing_of_ours(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET", "secret")
    monkeypatch.setenv("https_proxy", "http://proxy.invalid")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    cube_folder.edit("build/Dockerfile", "COPY", "ENV WORD=from-recipe\nCOPY")
    cube_folder.tasks(use='env > "$result"; pwd >> "$result"')

    _run(run_suite, cube_folder, "--workspace", tmp_path / "kept")

    seen = (tmp_path / "kept/out/result.txt").read_text()
    assert "SECRET" not in seen
    assert "WORD=from-recipe\n" in seen
    assert "https_proxy=http://proxy.invalid\n" in seen
    assert "CUDA_VISIBLE_DEVICES=\n" in seen
    assert f"HOME={os.environ['HOME']}\n" not in seen


def test_environment_is_made_once_and_anew_for_other_requirements(
    cube_folder: CubeFolder, run_suite: RunSuite, cache: Path, tmp_path: Path
) -> None:
    _require(cube_folder, "one")
    first = _run(run_suite, cube_folder)
    second = _run(run_suite, cube_folder)
    other = make_cube(tmp_path / "other")
    _require(other, "one")
    shared = _run(run_suite, other)
    _require(cube_folder, "two")
    changed = _run(run_suite, cube_folder, "--workspace", tmp_path / "kept")

    # What nobody has imported was not compiled.
    unused = "pip/_internal/commands/__pycache__/wheel.*"
    assert not list(cache.rglob(unused))
    made = [any(MADE in x for x in lines) for lines in (first, second, shared, changed)]
    assert made == [True, False, False, True]
    assert len(_environments(cache)) == 2
    assert (tmp_path / "kept/data/part").read_text() == "two"
    assert (tmp_path / "kept/out/result.txt").read_text().startswith(str(cache))


def test_two_runs_at_once_make_one_environment(
    cube_folder: CubeFolder, tmp_path: Path, cache: Path
) -> None:
    _require(cube_folder, "one")
    command = [
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull),
        *("--rootdir", str(tmp_path), "--cube", str(cube_folder.root)),
        *("--platform", "local"),
    ]
    runs = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]

    outputs = [run.communicate(timeout=120)[0] for run in runs]

    assert [run.returncode for run in runs] == [0, 0], outputs
    assert sum(MADE in output for output in outputs) == 1
    assert len(_environments(cache)) == 1


def test_environment_has_a_pip_whatever_ours_is(
    cube_folder: CubeFolder, cache: Path, tmp_path: Path
) -> None:
    """Ours is broken here; one that is missing or too old fails as well."""
    _require(cube_folder, "one")
    folder = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/*/site-packages")
    code = Path(mlcube_conformance.__file__).parents[1]
    there = [each for each in sys.path if each.endswith("site-packages")]
    (packages / "ours.pth").write_text("\n".join([str(code), *there]))
    # One of this folder comes before those of the others.
    (packages / "pip").mkdir()
    (packages / "pip/__init__.py").touch()

    done = subprocess.run(
        [
            *(folder / "bin" / "python", "-m", "mlcube_conformance", "test"),
            *(cube_folder.root, "--platform", "local", "--task", "make"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    (environment,) = _environments(cache)
    # `ensurepip` compiles what nobody has imported.
    assert list(environment.rglob("pip/_internal/commands/__pycache__/wheel.*"))


def test_half_made_environment_is_not_used(
    cube_folder: CubeFolder, run_suite: RunSuite, cache: Path
) -> None:
    _require(cube_folder, "one")
    _run(run_suite, cube_folder)
    (environment,) = _environments(cache)
    (environment / ".mlcube-conformance-complete").unlink()
    (environment / "junk").write_text("junk")

    lines = _run(run_suite, cube_folder)

    assert any(MADE in line for line in lines)
    assert not (environment / "junk").exists()


def test_requirement_that_does_not_exist_is_a_failure(
    cube_folder: CubeFolder, run_suite: RunSuite, cache: Path
) -> None:
    _require(cube_folder, "one")
    cube_folder.edit("build/requirements.txt", "one==1.0", "no-such-thing==9")

    run = run_suite("--cube", cube_folder.root, "--platform", "local")

    message = run.verdict("failed")["test_image_builds[tiny-local]"]
    assert "cannot make the environment of cube 'tiny'" in message
    assert "No matching distribution found for no-such-thing==9" in message
    assert "build/requirements.txt" in message
    assert "configure.log" in message
    assert "Traceback" not in run.output
    assert _environments(cache) == []


def test_index_that_cannot_be_reached_is_an_error(
    cube_folder: CubeFolder, run_suite: RunSuite, cache: Path
) -> None:
    _require(cube_folder, "one")
    cube_folder.write(
        "build/requirements.txt", "--index-url http://127.0.0.1:9/simple\nno-such==9\n"
    )

    run = run_suite("--cube", cube_folder.root, "--platform", "local")

    (message,) = run.verdict("error").values()
    assert "cannot make the environment of cube 'tiny'" in message
    assert "an index and a disk that work" in message
    assert "configure.log" in message
    assert not run.verdict("failed")
    assert _environments(cache) == []


@ROOT_ONLY
def test_disk_that_is_full_is_an_error(
    cube_folder: CubeFolder, tmp_path: Path, cache: Path
) -> None:
    _require(cube_folder, "one")
    cache.mkdir()
    script = 'mount -t tmpfs -o size=1m small "$XDG_CACHE_HOME" && exec "$@"'

    done = subprocess.run(
        [
            *("unshare", "--mount", "sh", "-c", script, "sh"),
            *(sys.executable, "-m", "pytest", "-c", os.devnull),
            *("--rootdir", tmp_path, "--cube", cube_folder.root, "--platform", "local"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "cannot make the environment of cube 'tiny'" in done.stdout
    assert "No space left on device" in done.stdout
    assert "1 error" in done.stdout.splitlines()[-1]
    assert "failed" not in done.stdout.splitlines()[-1]


def test_nothing_outlives_its_task(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    cube_folder.tasks(make='sleep 300 & setsid sleep 300 & cat "$seed" > "$data/part"')

    _run(run_suite, cube_folder)

    left = [at for _, at in processes_with("MLCUBE_CONFORMANCE_TASK")]
    assert not [at for at in left if at.startswith(str(tmp_path))]


def _start_and_wait_for_task(cube: CubeFolder, place: Path) -> subprocess.Popen[bytes]:
    cube.tasks(make='touch "$data/begun"; sleep 300')
    kept = place / "kept"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "pytest", "-c", os.devnull),
            *("--rootdir", str(place), "--cube", str(cube.root)),
            *("--platform", "local", "--workspace", str(kept)),
        ],
        cwd=place,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (kept / "data/begun").exists():
        assert time.monotonic() < deadline, "no task was started"
        assert process.poll() is None, "pytest ended early"
        time.sleep(0.05)
    return process


def _tasks_of(place: Path) -> list[int]:
    found = processes_with("MLCUBE_CONFORMANCE_TASK")
    return [pid for pid, at in found if at.startswith(str(place))]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupt_leaves_no_process(
    number: signal.Signals, cube_folder: CubeFolder, tmp_path: Path
) -> None:
    process = _start_and_wait_for_task(cube_folder, tmp_path)

    os.killpg(process.pid, number)

    assert process.wait(timeout=60) == pytest.ExitCode.INTERRUPTED
    assert _tasks_of(tmp_path) == []


def test_next_run_kills_what_a_killed_one_left(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    process = _start_and_wait_for_task(cube_folder, tmp_path)
    other = make_cube(tmp_path / "other")

    _run(run_suite, other)
    still_there = _tasks_of(tmp_path)
    process.kill()
    process.wait(timeout=60)
    after = _run(run_suite, other)

    assert still_there
    assert any("left over from an earlier run" in line for line in after)
    assert _tasks_of(tmp_path) == []


def test_package_of_the_cube_is_installed_from_its_own_folder(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A path in the requirements is in build/, never where pytest was started."""
    _require(cube_folder, "one")
    wheel = tmp_path / "wheels/one-1.0-py3-none-any.whl"
    wheel.rename(cube_folder.root / "build" / wheel.name)
    cube_folder.write("build/requirements.txt", f"--no-index\n./{wheel.name}\n")
    # Neither may what the caller has set change what is installed.
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "one.py").write_text("raise SystemExit('not this one')")
    monkeypatch.setenv("PIP_USER", "1")

    _run(run_suite, cube_folder, "--workspace", tmp_path / "kept")

    assert (tmp_path / "kept/data/part").read_text() == "one"


@pytest.mark.parametrize("path", ["{}:", ":{}", "/nowhere::{}", ".:{}"])
def test_program_of_the_cube_does_not_stand_for_one_of_the_machine(
    path: str,
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pip works in a copy of build/, and asks the program hg for what hg+ names."""
    _require(cube_folder, "one")
    cube_folder.write("build/requirements.txt", "--no-index\nhg+file:///nowhere\n")
    fake = cube_folder.write("build/hg", f"#!/bin/sh\ntouch {tmp_path}/started\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", path.format(os.environ["PATH"]))

    run = run_suite("--cube", cube_folder.root, "--platform", "local")

    message = run.verdict("failed")["test_image_builds[tiny-local]"]
    assert "hg" in message
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("recipe", "given", "found"),
    [
        ("ENV PATH=/opt/none:$PATH\nWORKDIR /tools", "", False),
        ("ENV PATH=$PATH:/opt/none::/opt/none\nWORKDIR /tools", "", False),
        ("WORKDIR /tools", "PATH=:", False),
        ("WORKDIR /tools", "PATH=/usr/bin::/bin", False),
        ("ENV PATH=/tools:$PATH", "", True),
        ("", "PATH=/tools", True),
        ("ENV PATH=.:$PATH\nWORKDIR /tools", "", True),
    ],
)
def test_task_finds_programs_where_its_image_says_and_nowhere_else(
    recipe: str,
    given: str,
    found: bool,  # noqa: FBT001 - a column of the table
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
) -> None:
    cube_folder.write("build/tool", "#!/bin/sh\necho the tool\n").chmod(0o755)
    cube_folder.edit("build/Dockerfile", "COPY", f"COPY tool /tools/\n{recipe}\nCOPY")
    cube_folder.tasks(use='tool > "$result" || echo none > "$result"')
    words = ("--env", given) if given else ()

    _run(run_suite, cube_folder, "--workspace", tmp_path / "kept", *words)

    seen = (tmp_path / "kept/out/result.txt").read_text()
    assert seen == ("the tool\n" if found else "none\n")


def test_words_of_a_build_do_not_blame_the_network(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    _require(cube_folder, "one")
    cube_folder.write("build/requirements.txt", "--no-index\n./\n")
    cube_folder.write(
        "build/setup.py", "raise SystemExit('connection refused by our own bug')"
    )

    run = run_suite("--cube", cube_folder.root, "--platform", "local")

    assert list(run.verdict("failed")) == ["test_image_builds[tiny-local]"], run.output


def test_environment_that_a_cleaner_damaged_is_made_anew(
    cube_folder: CubeFolder, run_suite: RunSuite, cache: Path
) -> None:
    _require(cube_folder, "one")
    _run(run_suite, cube_folder)
    (environment,) = _environments(cache)
    (environment / "bin/python").unlink()

    lines = _run(run_suite, cube_folder)

    assert any(MADE in line for line in lines)


def test_environment_past_its_deadline_is_an_error(
    cube_folder: CubeFolder, run_suite: RunSuite, cache: Path
) -> None:
    _require(cube_folder, "one")

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", "local"),
        *("--configure-timeout", "0.2"),
    )

    message = run.verdict("error")["test_image_builds[tiny-local]"]
    assert "stopped at its deadline" in message
    assert not run.verdict("failed")
    assert _environments(cache) == []


@pytest.mark.parametrize(
    "recipe",
    [
        'COPY ./ /app/\nENTRYPOINT ["sh", "/app/task.sh"]',
        'ARG F=none\nCOPY ${F}.sh /t.sh\nENTRYPOINT ["sh", "/t.sh"]',
        (
            'FROM x AS one\nCOPY task.sh /\nENTRYPOINT exec /bin/sh /task.sh "$@"\n'
            'FROM one\nWORKDIR /app\nENTRYPOINT ["sh", "../task.sh"]'
        ),
        (
            "COPY task.sh /lib/\nENV T=/lib/task.sh\n"
            'ENTRYPOINT ["sh", "-c", "exec sh $T $0 $@"]'
        ),
    ],
    ids=["all", "argument", "stages", "path-in-environment"],
)
def test_recipes_of_many_forms_are_laid_out(
    recipe: str, cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.write("build/Dockerfile", f"FROM busybox\n{recipe}\n")

    _run(run_suite, cube_folder, "--build-arg", "F=task")


@pytest.mark.parametrize(
    "recipe",
    [
        "COPY a b /",
        "COPY *.sh /task.sh",
        "COPY outside /x",
        "COPY task.sh /x\nWORKDIR /x",
        "COPY task.sh /x\nCOPY task.sh /x/y",
        f"COPY {'a' * 300} /x",
        "COPY link /app\nCOPY into /app",
    ],
)
def test_recipe_that_cannot_be_laid_out_is_one_failure_and_does_no_harm(
    recipe: str, cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    cube_folder.write("build/other.sh", "")
    (cube_folder.root / "build/outside").symlink_to("/etc/passwd")
    (cube_folder.root / "build/link").mkdir()
    (cube_folder.root / "build/link/out").symlink_to(victim)
    cube_folder.write("build/into/out/pwned", "")
    cube_folder.write("build/Dockerfile", f"FROM busybox\n{recipe}\n")

    run = run_suite("--cube", cube_folder.root, "--platform", "local")

    message = run.verdict("failed")["test_image_builds[tiny-local]"]
    assert "cannot lay out the image of cube 'tiny'" in message
    assert not run.verdict("error")
    assert "Traceback" not in run.output
    assert list(victim.iterdir()) == []


def test_gpus_and_certificates_are_told_to_the_task(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("BEGIN CERTIFICATE")
    cube_folder.tasks(use='env > "$result"')
    options = ("--workspace", tmp_path / "kept", "--gpus", "2", "--ca-bundle", bundle)

    _run(run_suite, cube_folder, *options)

    seen = (tmp_path / "kept/out/result.txt").read_text()
    assert "CUDA_VISIBLE_DEVICES=0,1\n" in seen
    assert f"SSL_CERT_FILE={bundle}\n" in seen


def test_gpus_of_the_platform_file_are_told_and_what_it_cannot_give_is_refused(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    file = cube_folder.write("platform/local.yaml", _LOCAL.format("--gpus=2"))
    cube_folder.tasks(use='echo "$CUDA_VISIBLE_DEVICES" > "$result"')
    lines = _run(run_suite, cube_folder, "--workspace", tmp_path / "kept")
    assert "mlcube-conformance: tiny-local runs with gpus=2" in lines
    file.write_text(_LOCAL.format("--network=none --memory=10m"))

    run = run_suite("--cube", cube_folder.root, "--platform", "local")

    assert (tmp_path / "kept/out/result.txt").read_text() == "0,1\n"
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED
    assert "unsupported value of --network" in run.output
    assert not run.verdict("failed")
    assert "running tiny-local" not in run.output


def test_temporary_folder_of_a_task_is_short_and_goes(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    cube_folder.tasks(use='touch "$TMPDIR/x"; echo "$TMPDIR" > "$result"')

    _run(run_suite, cube_folder, "--workspace", tmp_path / "kept")

    seen = (tmp_path / "kept/out/result.txt").read_text().strip()
    assert len(seen) < len(str(tmp_path)) + 20
    assert not os.path.lexists(seen)


def test_files_of_the_user_are_copied_before_a_task_gets_them(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    cube_folder.tasks(make='echo more >> "$seed"; cat "$seed" > "$data/part"')

    run = run_suite(
        *("--cube", cube_folder.root, "--platform", "local"),
        *("--parameter", f"make.seed={mine}"),
    )

    assert list(run.verdict("failed")) == ["test_inputs_are_unchanged[tiny-local-make]"]
    assert mine.read_text() == "mine"


def test_network_that_cannot_be_turned_off_is_an_error(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    run = run_suite(
        "--cube", cube_folder.root, "--platform", "local", "--network", "none"
    )

    (message,) = run.verdict("error").values()
    assert "local cannot turn the network off" in message


def test_first_platform_that_works_is_taken_and_the_header_says_why(
    cube_folder: CubeFolder, run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    run = run_suite("--cube", cube_folder.root, "-n", "2")

    assert run.exit_code == 0, run.output
    assert "the first that works here: local" in run.output
    assert "not taken: cannot use Docker" in run.output
    assert "not taken: cannot use Singularity" in run.output
    assert "test_exits_zero[tiny-local-use]" in run.outcomes
    assert "Traceback" not in run.output


@pytest.mark.docker
def test_two_platforms_serve_one_process(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    run = run_suite(
        "--cube", cube_folder.root, "--platform", "docker", "--platform", "local"
    )

    assert run.exit_code == 0, run.output
    assert len(run.verdict("passed")) == 35


@pytest.mark.docker
def test_docker_is_taken_where_it_works(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    run = run_suite("--cube", cube_folder.root)

    assert run.exit_code == 0, run.output
    assert "the first that works here: docker" in run.output
    assert "test_exits_zero[tiny-docker-use]" in run.outcomes


@pytest.mark.parametrize(
    "lines",
    [
        "COPY --chmod=755 task.sh /app/task.sh",
        "COPY task.sh /app/task.sh\nRUN true && chmod +x /app/task.sh; echo",
        "WORKDIR /app\nCOPY task.sh .\nRUN chmod 0755 task.sh",
    ],
)
def test_script_that_the_recipe_makes_executable_is_executed(
    cube_folder: CubeFolder, run_suite: RunSuite, lines: str
) -> None:
    script = (cube_folder.root / "build/task.sh").read_text()
    cube_folder.write("build/task.sh", f"#!/bin/sh\n{script}").chmod(0o644)
    cube_folder.edit("build/Dockerfile", "COPY task.sh /task.sh", lines)
    cube_folder.edit("build/Dockerfile", '"/bin/sh", "/task.sh"', '"/app/task.sh"')

    run = run_suite("--cube", cube_folder.root, "--platform=local", "--task=make")

    assert run.exit_code == 0, run.output


def test_script_with_line_ends_of_windows_is_the_fault_of_the_cube(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.write("build/task.sh", "#!/bin/sh\r\necho\r\n").chmod(0o755)
    cube_folder.edit("build/Dockerfile", '"/bin/sh", "/task.sh"', '"/task.sh"')

    run = run_suite("--cube", cube_folder.root, "--platform=local", "--task=make")

    text = run.verdict("failed")["test_exits_zero[tiny-local-make]"]
    assert "no interpreter of /" in text
    assert r"#!/bin/sh\r" in text
    assert "line ends of Unix" in text
    assert "base image" not in text
