"""Each way in which a cube can be broken gets its one verdict and its message."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.cube_folders import MAKE, USE, CubeFolder

if TYPE_CHECKING:
    from collections.abc import Callable

    from _pytest.mark import ParameterSet

    from tests.conftest import RunSuite

_AS_ROOT = pytest.mark.skipif(
    os.getuid() != 0, reason="only root can give a file to somebody else"
)
PLATFORMS = {
    "docker": (pytest.mark.docker,),
    "singularity": (pytest.mark.singularity,),
    "local": (),
}
_CONTAINERS = ("docker", "singularity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A way to break a cube, and what the suite has to say about it."""

    id: str
    breaks: Callable[[CubeFolder], object]
    test: str
    """The one test that fails."""
    says: tuple[str, ...]
    options: tuple[str, ...] = ()
    root_only: bool = False
    """Whether a process, unlike a container, must be root's to break in this way."""
    only_on: tuple[str, ...] = tuple(PLATFORMS)
    """The platforms where the fault can show."""
    skips: tuple[str, ...] = ()
    """Parts of reasons that must be given for what was not run."""


def _make(command: str) -> Callable[[CubeFolder], object]:
    return lambda cube: cube.tasks(make=command)


def _shared_folder(cube: CubeFolder) -> None:
    """Put an output beside the input, where it cannot be protected."""
    cube.edit("tasks/make.yaml", "type: directory", "type: file")
    cube.edit("run/make.yaml", "$WORKSPACE/data", "$WORKSPACE/data.txt")
    cube.edit("tasks/use.yaml", "{name: data, type: directory}", "")
    cube.edit("tasks/use.yaml", "inputs:\n  - \n", "inputs: []\n")
    cube.edit(
        "run/use.yaml",
        "input_binding:\n  data: $WORKSPACE/data\n",
        "input_binding: {}\n",
    )
    cube.tasks(make='echo more >> "$seed"; echo x > "$data"', use='echo x > "$result"')


def _file_for_folder(cube: CubeFolder) -> None:
    cube.edit(
        "tasks/make.yaml", "outputs:\n", "outputs:\n  - {name: part, type: directory}\n"
    )
    cube.edit(
        "run/make.yaml",
        "{data: $WORKSPACE/data}",
        "{data: $WORKSPACE/data, part: $WORKSPACE/data/part}",
    )
    cube.tasks(make='rmdir "$data/part"; cat "$seed" > "$data/part"')


def _stale_output(cube: CubeFolder) -> None:
    cube.write("workspace/data/part", "old\n")
    cube.write("workspace/out/result.txt", "old\n")
    cube.tasks(use=":")


def _hungry(cube: CubeFolder) -> None:
    cube.write(
        "platform/docker.yaml",
        "platform: {name: docker, version: '>=20'}\ncontainer:\n"
        "  image: mlcube-conformance/${name}:1\n  run_args: --memory=16m\n",
    )
    cube.tasks(make='x=$(head -c 64m /dev/zero | tr "\\0" x); exit 0')


BROKEN = (
    Broken(
        id="task-exits-3",
        breaks=_make("echo reading; echo no such luck >&2; exit 3"),
        test="test_exits_zero[tiny-{platform}-make]",
        says=(
            "task 'make' failed",
            "found:    exit code 3",
            "| stdout: reading",
            "| stderr: no such luck",
            "make.stderr.log",
            "EXIT-1",
            "again:    mlcube-conformance test",
            "by hand:",
        ),
        skips=("not run: case tiny-{platform}-make failed", "not checked: task 'make'"),
    ),
    Broken(
        id="output-missing",
        breaks=lambda cube: cube.tasks(use=":"),
        test="test_outputs_appear[tiny-{platform}-use]",
        says=(
            "the output 'result' did not appear",
            "run/use.yaml, line 7, key output_binding.result",
            "nothing at",
            "a file written by this run",
            "--result",
        ),
    ),
    Broken(
        id="folder-stays-empty",
        breaks=_make(":"),
        test="test_outputs_appear[tiny-{platform}-make]",
        says=("the output 'data' did not appear", "only the empty folder"),
        skips=("not run: case tiny-{platform}-make failed",),
    ),
    Broken(
        id="output-lay-there-before",
        breaks=_stale_output,
        test="test_outputs_appear[tiny-{platform}-use]",
        says=("the output 'result' did not appear", "nothing at"),
    ),
    Broken(
        id="folder-for-file",
        breaks=lambda cube: cube.tasks(use='mkdir "$result"; echo x > "$result/x"'),
        test="test_outputs_are_of_their_type[tiny-{platform}-use]",
        says=(
            "the output 'result' is not a file",
            "a directory:",
            "a file, as the task",
        ),
    ),
    Broken(
        id="file-for-folder",
        breaks=_file_for_folder,
        test="test_outputs_are_of_their_type[tiny-{platform}-make]",
        says=("the output 'part' is not a directory", "found:    a file:", "part"),
    ),
    Broken(
        id="link-for-file",
        breaks=lambda cube: cube.tasks(use='ln -s /etc/passwd "$result"'),
        test="test_outputs_are_of_their_type[tiny-{platform}-use]",
        says=("the output 'result' is not a file", "a link:"),
    ),
    Broken(
        id="output-empty",
        breaks=lambda cube: cube.tasks(use=': > "$result"'),
        test="test_outputs_are_not_empty[tiny-{platform}-use]",
        says=("the output 'result' is empty", "no byte in any file"),
    ),
    Broken(
        id="files-in-folder-empty",
        breaks=lambda cube: cube.tasks(
            make=': > "$data/part"', use='echo x > "$result"'
        ),
        test="test_outputs_are_not_empty[tiny-{platform}-make]",
        says=("the output 'data' is empty", "part"),
    ),
    Broken(
        id="input-changed",
        breaks=_shared_folder,
        test="test_inputs_are_unchanged[tiny-{platform}-make]",
        says=(
            "the input 'seed' was changed by the task",
            "seed.txt",
            "folder of an output",
        ),
    ),
    Broken(
        id="input-protected",
        only_on=_CONTAINERS,
        breaks=_make('echo more >> "$seed"; ' + MAKE),
        test="test_exits_zero[tiny-{platform}-make]",
        says=("Read-only file system", "inputs are read-only"),
        skips=("not run: case tiny-{platform}-make failed",),
    ),
    Broken(
        id="input-is-a-copy",
        only_on=("local",),
        breaks=_make('echo more >> "$seed"; ' + MAKE),
        test="test_inputs_are_unchanged[tiny-{platform}-make]",
        says=("the input 'seed' was changed by the task", "seed.txt"),
    ),
    Broken(
        id="past-its-deadline",
        breaks=_make("echo begun; sleep 600"),
        test="test_exits_zero[tiny-{platform}-make]",
        says=(
            "task 'make' ran past its deadline and was killed",
            "still running after",
            "--task-timeout",
            "| stdout: begun",
        ),
        options=("--task-timeout", "2"),
    ),
    Broken(
        id="owned-by-another",
        # In a container of Singularity, root cannot give a file to anybody.
        only_on=("docker", "local"),
        root_only=True,
        breaks=lambda cube: cube.tasks(use=USE + '; chown 12345 "$result"'),
        test="test_outputs_belong_to_the_user[tiny-{platform}-use]",
        says=("the output 'result' belongs to another user", "user 12345 owns"),
    ),
    Broken(
        id="copies-what-is-not-there",
        breaks=lambda cube: cube.edit(
            "build/Dockerfile", "COPY task.sh", "COPY tsk.sh"
        ),
        test="test_image_builds[tiny-{platform}]",
        says=("the image of cube 'tiny'", "build/Dockerfile", "tsk.sh"),
        skips=("not run: the image of tiny-{platform} failed",),
    ),
    Broken(
        id="does-not-build",
        only_on=_CONTAINERS,
        breaks=lambda cube: cube.edit(
            "build/Dockerfile", "COPY", "RUN echo well; exit 9\nCOPY"
        ),
        test="test_image_builds[tiny-{platform}]",
        says=(
            "cannot build the image of cube 'tiny'",
            "tiny/build",
            "9",
            "| well",
            "configure.log",
        ),
        skips=("not run: the image of tiny-{platform} failed",),
    ),
    Broken(
        id="build-past-its-deadline",
        only_on=_CONTAINERS,
        breaks=lambda cube: cube.edit(
            "build/Dockerfile", "COPY", "RUN echo begun; sleep 600\nCOPY"
        ),
        test="test_image_builds[tiny-{platform}]",
        says=("stopped at its deadline", "--configure-timeout", "| begun"),
        options=("--configure-timeout", "3"),
    ),
    Broken(
        id="no-entrypoint",
        breaks=lambda cube: cube.edit("build/Dockerfile", "ENTRYPOINT", "# "),
        test="test_exits_zero[tiny-{platform}-make]",
        says=("the image cannot start the task", "an ENTRYPOINT"),
    ),
    Broken(
        id="entrypoint-missing",
        breaks=lambda cube: cube.edit(
            "build/Dockerfile", '"/bin/sh", "/task.sh"', '"/opt/gpu/run.sh"'
        ),
        test="test_exits_zero[tiny-{platform}-make]",
        says=("the image cannot start the task", "an ENTRYPOINT"),
    ),
    Broken(
        id="entrypoint-not-executable",
        breaks=lambda cube: cube.edit("build/Dockerfile", '"/bin/sh", ', ""),
        test="test_exits_zero[tiny-{platform}-make]",
        says=("the image cannot start the task", "an ENTRYPOINT"),
    ),
    Broken(
        id="build-speaks-like-a-bad-network",
        only_on=_CONTAINERS,
        breaks=lambda cube: cube.edit(
            "build/Dockerfile", "COPY", "RUN echo connection refused; exit 9\nCOPY"
        ),
        test="test_image_builds[tiny-{platform}]",
        says=("9", "fix the recipe"),
    ),
    Broken(
        id="context-cannot-be-read",
        only_on=("docker",),
        breaks=lambda cube: (cube.root / "build/.dockerignore").write_bytes(b"\xff"),
        test="test_image_builds[tiny-{platform}]",
        says=(".dockerignore cannot be read", "not UTF-8"),
    ),
    Broken(
        id="out-of-memory",
        only_on=("docker",),
        breaks=_hungry,
        test="test_exits_zero[tiny-{platform}-make]",
        says=("it ran out of memory and was killed",),
    ),
    Broken(
        id="output-below-a-file",
        breaks=lambda cube: cube.edit(
            "run/use.yaml", "out/result.txt", "seed.txt/result"
        ),
        test="test_inputs_are_there[tiny-{platform}-use]",
        says=("'result' of task 'use' is not in a folder",),
    ),
    Broken(
        id="input-missing",
        breaks=lambda cube: (cube.root / "workspace/seed.txt").unlink(),
        test="test_inputs_are_there[tiny-{platform}-make]",
        says=(
            "the input 'seed' of task 'make' is missing",
            "run/make.yaml, line 4, key input_binding.seed",
            "nothing at $WORKSPACE/seed.txt",
            "put it into the cube's workspace/",
        ),
        skips=("not run: the input 'seed' of task 'make' is missing",),
    ),
    Broken(
        id="input-is-a-folder",
        breaks=lambda cube: cube.edit("run/make.yaml", "seed.txt", "."),
        test="test_inputs_are_there[tiny-{platform}-make]",
        says=("the input 'seed' of task 'make' is not a file", "directory at"),
    ),
    Broken(
        id="root-file-missing",
        breaks=lambda cube: (cube.root / "mlcube.yaml").unlink(),
        test="test_definitions_are_valid[tiny]",
        says=("mlcube.yaml is missing", "tiny/mlcube.yaml", "build, run, tasks"),
    ),
)


def _on_each_platform() -> list[ParameterSet]:
    return [
        pytest.param(
            broken,
            platform,
            id=f"{broken.id}-{platform}",
            marks=(*marks, _AS_ROOT) if broken.root_only else marks,
        )
        for broken in BROKEN
        for platform, marks in PLATFORMS.items()
        if platform in broken.only_on
    ]


@pytest.mark.parametrize(("broken", "platform"), _on_each_platform())
def test_broken_cube_gets_one_verdict(
    broken: Broken, platform: str, cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    broken.breaks(cube_folder)

    run = run_suite("--cube", cube_folder.root, "--platform", platform, *broken.options)

    test = broken.test.format(platform=platform)
    assert run.exit_code == pytest.ExitCode.TESTS_FAILED, run.output
    assert list(run.verdict("failed")) == [test], run.output
    assert not run.verdict("error"), run.output
    message = run.verdict("failed")[test]
    for part in broken.says:
        assert part in message
    reasons = "\n".join(run.verdict("skipped").values())
    for part in broken.skips:
        assert part.format(platform=platform) in reasons
    assert "Traceback" not in run.output
    assert 'File "' not in run.output
