"""What a file of a cube may be: a plain one in the cube, and nothing else."""

from __future__ import annotations

import os
import pwd
import subprocess
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import MachineError
from mlcube_conformance.base.homes import home
from mlcube_conformance.runners.common.records import read_record
from tests import warm
from tests.cube_folders import make_cube

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.conftest import RunSuite
    from tests.cube_folders import CubeFolder

    Odd = Callable[[Path, Path], None]

SECRET = "root:SECRETVALUE:0:0"  # noqa: S105 - what must not be shown
RAW = ("SECRETVALUE", "INTERNALERROR", "Traceback", "has a bug")
LONG = "a" * 5000


def _secret(place: Path) -> Path:
    secret = place / "elsewhere"
    secret.write_text(f"{SECRET}\n")
    return secret


def _link_out(file: Path, place: Path) -> None:
    file.symlink_to(_secret(place))


def _loop(file: Path, _: Path) -> None:
    file.symlink_to(file.name)


def _nowhere(file: Path, _: Path) -> None:
    file.symlink_to("nowhere")


def _pipe(file: Path, _: Path) -> None:
    os.mkfifo(file)


def _device(file: Path, _: Path) -> None:
    file.symlink_to("/dev/zero")


def _folder(file: Path, _: Path) -> None:
    file.mkdir()


ODD = (_link_out, _loop, _nowhere, _pipe, _device, _folder)


def _replace(file: Path, make: Odd, place: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    make(file, place)


def _clean(output: str) -> bool:
    return not any(word in output for word in RAW)


def _cubes(place: Path, names: Iterable[str], odd: Iterable[Odd]) -> dict[str, str]:
    """Make a cube for each file and each odd thing in its place."""
    made = {}
    for name in names:
        for make in odd:
            cube = make_cube(place / f"cubes/{make.__name__}{name.replace('/', '-')}")
            cube.fake_platform("pass")
            _replace(cube.root / name, make, place)
            made[cube.root.name] = name.rpartition("/")[2]
    return made


def test_a_definition_that_is_no_plain_file_of_the_cube_fails_and_is_not_shown(
    tmp_path: Path, run_suite: RunSuite
) -> None:
    names = ("mlcube.yaml", "tasks/make.yaml", "run/make.yaml", "conformance.yaml")
    made = _cubes(tmp_path, names, ODD)

    done = run_suite("--cube", tmp_path / "cubes/*", "--platform", "fake")

    failed = done.verdict("failed")
    for cube, name in made.items():
        assert name in failed[f"test_definitions_are_valid[{cube}]"]
    assert _clean(done.output)


def test_a_broken_platform_file_is_not_replaced_by_the_packaged_one(
    tmp_path: Path, run_suite: RunSuite
) -> None:
    made = _cubes(tmp_path, ("platform/docker.yaml", "platforms/docker.yaml"), ODD)

    done = run_suite("--cube", tmp_path / "cubes/*", "--platform", "docker")

    failed = done.verdict("failed")
    for cube in made:
        text = failed[f"test_platform_file_is_valid[{cube}-docker]"]
        assert "docker.yaml cannot be read" in text
    assert len(failed) == len(made)
    assert _clean(done.output)


def test_a_platform_file_of_a_cube_names_no_file_of_the_machine(
    cube_folder: CubeFolder, tmp_path: Path, run_suite: RunSuite
) -> None:
    secret = _secret(tmp_path)
    for index, name in enumerate((str(secret), f"../../{secret.name}")):
        cube_folder.write(f"platform/a{index}.yaml", f"host: a.b\nplatform: {name}\n")

        done = run_suite("--cube", cube_folder.root, "--platform", f"a{index}")

        assert done.exit_code == 1
        assert "does not exist" in done.output
        assert _clean(done.output)


def test_a_platform_file_that_the_user_names_may_be_a_link(
    cube_folder: CubeFolder, tmp_path: Path, run_suite: RunSuite
) -> None:
    cube_folder.fake_platform("pass")
    (cube_folder.root / "platform/fake.yaml").rename(tmp_path / "real.yaml")
    (tmp_path / "mine.yaml").symlink_to("real.yaml")

    done = run_suite("--cube", cube_folder.root, "--platform", tmp_path / "mine.yaml")

    assert done.exit_code == 0, done.output


@pytest.mark.docker
def test_a_recipe_that_is_no_plain_file_is_the_fault_of_the_image(
    tmp_path: Path, run_suite: RunSuite
) -> None:
    made = _cubes(tmp_path, ("build/Dockerfile", "build/.dockerignore"), ODD)

    done = run_suite("--cube", tmp_path / "cubes/*", "--platform", "docker")

    failed = done.verdict("failed")
    for cube, name in made.items():
        assert name in failed[f"test_image_builds[{cube}-docker]"]
    assert len(failed) == len(made)
    assert _clean(done.output)


_LINES = (
    "-r {secret}",
    "--requirement={secret}",
    "--req {secret}",
    "-c../../../elsewhere",
    "-c \\\n {secret}",
    "--no-index -r {secret}",
    "-r file://{secret}",
    "-r ${{HOME}}/elsewhere",
    "-r link",
    "-r link/..",
    f"-r {LONG}",
)


def test_requirements_lead_to_no_file_outside_of_the_build_context(
    tmp_path: Path, run_suite: RunSuite
) -> None:
    secret = _secret(tmp_path)
    for index, line in enumerate(_LINES):
        cube = make_cube(tmp_path / f"cubes/c{index}")
        cube.write("build/requirements.txt", line.format(secret=secret))
        (cube.root / "build/link").symlink_to(secret)

    done = run_suite("--cube", tmp_path / "cubes/*", "--platform", "local")

    names = {f"test_image_builds[c{index}-local]" for index in range(len(_LINES))}
    assert set(done.verdict("failed")) == names
    assert _clean(done.output)


@pytest.mark.parametrize(
    "text",
    [
        "x: " + "1:" * 100_000 + "1",
        "x: !!int " + "1:" * 100_000 + "1",
        "x: [" + "a," * 120_000 + "a]",
        "x:\n" + "- a\n" * 60_000,
        "x: &a [" + "a," * 500 + "a]\ny: [" + "*a," * 2_000 + "*a]",
        f"{'k' * 200_000}: 1",
        "x: " + "[" * 100_000,
        "- " * 100_000,
        "x: " + "1:" * 600_000 + "1",
        "".join(f'x{i}: "${{x{i + 1}}}"\n' for i in range(3_000)),
        "docker: {image: '" + "${name}" * 30_000 + "'}",
        "docker: {cpu_args: '" + "a" * 200_000 + "'}",
    ],
)
def test_hostile_yaml_is_read_or_refused_within_a_second(
    text: str, tmp_path: Path, pytester: pytest.Pytester
) -> None:
    root = tmp_path / "tiny"
    root.mkdir()
    (root / "mlcube.yaml").write_text(
        f'name: "${{x0}}"\n{text}\n'
        if "docker:" in text
        else f'name: "${{x0}}"\ndocker: {{image: a}}\n{text}\n'
    )
    before = os.times()

    done = pytester.runpytest_inprocess(
        f"--cube={root}", "--platform=docker", "--collect-only", "-q"
    )

    after = os.times()
    assert done.ret in {0, 1, 4}
    assert (
        after.user + after.system - before.user - before.system < 3
    )  # of which pytest
    assert _clean(done.stdout.str() + done.stderr.str())


@pytest.mark.parametrize("name", ["mlcube.yaml", "conformance.yaml"])
def test_definition_of_100_megabytes_is_refused_and_not_read(
    name: str, tmp_path: Path, pytester: pytest.Pytester
) -> None:
    root = make_cube(tmp_path / "tiny").root
    with (root / name).open("a") as file:
        file.truncate(100 * 1024**2)

    done = pytester.runpytest_inprocess(f"--cube={root}", "--platform=local", "-q")

    shown = done.stdout.str() + done.stderr.str()
    assert done.ret == 1
    assert "expected: at most" in shown
    assert _clean(shown)


_PATHS = {
    "nul": '"build\\0"',
    "long": LONG,
    "deep": "a/" * 2_500,
    "loop": "loop",
    "below": "loop/a",
    "home": "~nosuch/a",
    "pipe": "pipe",
}


_SSH = "host: a.b\nplatform: docker\n"
_PLACES = (
    ("mlcube.yaml", "docker", "docker: {{image: a, build_context: {}}}"),
    ("mlcube.yaml", "docker", "docker: {{image: a, build_file: {}}}"),
    ("mlcube.yaml", "docker", "docker: {{image: a, tar_file: {}}}"),
    ("mlcube.yaml", "singularity", "singularity: {{image: {}}}"),
    ("mlcube.yaml", "singularity", "singularity: {{image: a, image_dir: {}}}"),
    ("mlcube.yaml", "singularity", "singularity: {{image: a, build_file: {}}}"),
    ("platform/ssh.yaml", "ssh", _SSH + "ssh_config: {}"),
    ("platform/ssh.yaml", "ssh", _SSH + "known_hosts: {}"),
    ("platform/ssh.yaml", "ssh", _SSH + "authentication: {{identity_file: {}}}"),
    ("platform/ssh.yaml", "ssh", "host: a.b\nplatform: {}"),
)


@pytest.mark.parametrize("platform", ["docker", "singularity", "ssh"])
def test_a_value_that_can_be_no_path_has_one_message(
    platform: str, tmp_path: Path, run_suite: RunSuite
) -> None:
    for index, (file, of, text) in enumerate(_PLACES):
        for name, value in _PATHS.items() if of == platform else ():
            root = make_cube(tmp_path / f"cubes/{name}-{index}").root
            (root / "loop").symlink_to("loop")
            os.mkfifo(root / "pipe")
            (root / file).parent.mkdir(exist_ok=True)
            written = text.format(value)
            if file == "mlcube.yaml":
                written += "\ntasks: {t: {parameters: {outputs: {o: {type: file}}}}}\n"
            (root / file).write_text(written)

    done = run_suite("--cube", tmp_path / "cubes/*", "--platform", platform)

    assert done.exit_code == 1, done.output
    assert _clean(done.output)
    broken = {name.partition("[")[2].partition("-")[0] for name in done.outcomes}
    assert broken >= set(_PATHS)


def _run(*words: str | Path, cwd: Path) -> tuple[int, str]:
    done = subprocess.run(
        [*warm.python(str(words[0])), *words[1:]],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


_GIVEN = ("loop", "/dev/zero", "~nosuch/x", LONG)


@pytest.mark.parametrize("value", _GIVEN)
@pytest.mark.parametrize(
    "words",
    [
        ("pytest", "-q", "--cube={}"),
        ("pytest", "-q", "--cube=tiny", "--platform=./{}"),
        ("pytest", "-q", "--cube=tiny", "--platform=fake", "--workspace={}"),
        ("pytest", "-q", "--cube=tiny", "--platform=fake", "--parameter=make.seed={}"),
        ("pytest", "-q", "--cube=tiny", "--platform=fake", "--task={}"),
        ("pytest", "-q", "--cube=tiny", "--platform=fake", "--ca-bundle={}"),
        ("pytest", "-q", "--runner=./{}"),
        ("pytest", "-q", "--runner=docker", "--expected-failures={}"),
        ("pytest", "-q", "--runner=docker", "--scorecard={}/a.json"),
        ("mlcube_local_run", "run", "--mlcube={}", "--platform=local"),
        ("mlcube_local_run", "run", "--mlcube=tiny", "--platform={}"),
        ("mlcube_local_run", "run", "--mlcube=tiny", "--platform=local", "--task={}"),
        (
            *("mlcube_local_run", "run", "--mlcube=tiny", "--platform=local"),
            *("--task=make", "--workspace={}"),
        ),
        (
            *("mlcube_local_run", "run", "--mlcube=tiny", "--platform=local"),
            *("--task=make", "--parameter=seed={}"),
        ),
        (
            *("mlcube_local_run", "run", "--mlcube=tiny", "--platform=local"),
            *("--task=make", "--logs={}"),
        ),
        (
            *("mlcube_local_run", "run", "--mlcube=tiny", "--platform=local"),
            *("--task=make", "--build-context={}"),
        ),
        ("mlcube_conformance", "convert", "{}", "new"),
        ("mlcube_conformance", "convert", "tiny", "{}"),
        ("mlcube_conformance", "scorecard", "{}"),
    ],
    ids=" ".join,
)
def test_a_path_of_the_command_line_that_cannot_be_has_one_message(
    words: tuple[str, ...], value: str, cube_folder: CubeFolder, tmp_path: Path
) -> None:
    cube_folder.fake_platform("pass")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")

    code, output = _run(*(each.format(value) for each in words), cwd=tmp_path)

    assert code not in {0, 3}, output
    assert _clean(output)
    assert not any(each.name.startswith("~") for each in tmp_path.iterdir())


def test_a_folder_that_is_called_like_a_home_is_taken_for_itself(
    tmp_path: Path,
) -> None:
    cube = make_cube(tmp_path / "~a/tiny")
    cube.fake_platform("pass")

    code, output = _run(
        "pytest", "-q", "--cube=~a/tiny", "--platform=fake", cwd=tmp_path
    )

    assert code == 0, output


@pytest.mark.parametrize("given", [None, "", "not/whole"])
def test_the_home_is_never_the_wrong_folder(
    given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME")
    if given is not None:
        monkeypatch.setenv("HOME", given)
    assert str(home()) == pwd.getpwuid(os.getuid()).pw_dir

    def unknown(_: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(MachineError, match="the home folder is unknown"):
        home()
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with pytest.raises(MachineError, match="the home folder is unknown"):
        read_record("docker", "an image")


def test_an_input_that_is_a_loop_or_too_deep_is_told(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.fake_platform("pass")
    seed = cube_folder.root / "workspace/seed.txt"
    seed.unlink()
    seed.symlink_to("seed.txt")

    done = run_suite("--cube", cube_folder.root, "--platform", "fake")

    assert "test_inputs_are_there[tiny-fake-make]" in done.verdict("failed")
    assert "the input 'seed' of task 'make' is a broken link" in done.output
    assert "which is a link to itself" in done.output
    assert _clean(done.output)

    seed.unlink()
    os.makedirs(seed.joinpath(*["d"] * 600))  # noqa: PTH103 - deeper than Path goes
    cube_folder.edit("tasks/make.yaml", "seed, type: file", "seed, type: directory")

    done = run_suite("--cube", cube_folder.root, "--platform", "fake")

    assert "test_inputs_are_there[tiny-fake-make]" in done.verdict("failed")
    assert "nested more than 300 deep" in done.output
    assert _clean(done.output)


def test_a_cube_of_one_file_is_reached_through_a_link(
    tmp_path: Path, run_suite: RunSuite
) -> None:
    root = tmp_path / "real/project/mlcube"
    (root / "../app").resolve().mkdir(parents=True)
    root.mkdir()
    (root / "mlcube.yaml").write_text(
        "docker: {image: a, build_context: ../app}\n"
        "tasks: {t: {parameters: {outputs: {o: {type: file}}}}}\n"
    )
    for place in (tmp_path, root.parent):
        (place / "linked").symlink_to(root)

        done = run_suite(
            *("--cube", place / "linked", "--platform", "docker", "-k", "definitions")
        )

        assert done.verdict("passed"), done.output
        assert not done.verdict("failed")


def test_a_name_that_is_no_utf8_can_be_shown(tmp_path: Path) -> None:
    name = os.fsdecode(b"c\xff")
    make_cube(tmp_path / name).fake_platform("pass")

    for words in (
        ("pytest", "-q", f"--cube={name}", "--platform=fake", "--junit-xml=a.xml"),
        ("mlcube_conformance", "convert", name, f"new-{name}"),
    ):
        code, output = _run(*words, cwd=tmp_path)
        assert code == 0, output
    code, output = _run("pytest", "-q", f"--cube=no-{name}", cwd=tmp_path)
    assert code == 4
    assert _clean(output)
