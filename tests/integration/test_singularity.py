"""What the Singularity runner does for a cube, on the real program."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import MachineError
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.platforms import find_platform, load_platform
from mlcube_conformance.model import Mount
from mlcube_conformance.plan.mounts import TaskView
from mlcube_conformance.runners.contract import (
    ConfigureRequest,
    Options,
    RunRequest,
    Watch,
)
from mlcube_conformance.runners.singularity.runner import SingularityRunner
from tests import warm
from tests.cube_folders import BUSYBOX, CubeFolder, make_cube
from tests.other_users import let_others_in
from tests.records import RECORD_ALONE, left_by_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import docker

    from tests.conftest import RunSuite

pytestmark = pytest.mark.singularity

ON = ("--platform", "singularity")
IMAGE_BUILDS = "test_image_builds[tiny-singularity]"
ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root can do this")


def _recipe(cube: CubeFolder, post: str = "true", more: str = "") -> None:
    """Give a cube a recipe of its own, beside its Dockerfile."""
    cube.write(
        "build/Singularity.recipe",
        "Bootstrap: docker\nFrom: {{ BASE }}\n\n"
        f"%arguments\n    BASE={BUSYBOX}\n\n"
        "%files\n    task.sh /task.sh\n\n"
        f"%post\n    {post}\n\n"
        f'%runscript\n    exec /bin/sh /task.sh "$@"\n{more}\n',
    )


def _place_of_image(cube: CubeFolder, image: str | Path) -> None:
    cube.write(
        "platform/singularity.yaml",
        "platform: {name: singularity, version: '>=3.5'}\n"
        f"container: {{image: '{image}'}}\n",
    )


@pytest.fixture
def image(cube_folder: CubeFolder, tmp_path: Path) -> Path:
    """Return where the image of the small cube goes, in a folder of its own."""
    path = tmp_path / "images" / "tiny.sif"
    _place_of_image(cube_folder, path)
    return path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is all there is on PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def _program(folder: Path, name: str, says: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)


def _tree(root: Path) -> dict[str, str]:
    return {
        str(each.relative_to(root)): each.read_text(encoding="utf-8")
        for each in root.rglob("*")
        if each.is_file()
    }


def _only_failure(
    run_suite: RunSuite, cube: CubeFolder, *options: str | Path
) -> tuple[str, str]:
    """Return the one test that does not pass, and its text."""
    run = run_suite("--cube", cube.root, *ON, *options)
    bad = {**run.verdict("failed"), **run.verdict("error")}
    assert len(bad) == 1, run.output
    assert "Traceback" not in run.output
    ((name, text),) = bad.items()
    verdict = run.outcomes[name].verdict
    return f"{verdict} {name}", text


def test_sound_cube_passes_and_leaves_nothing(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path, tmp_path: Path
) -> None:
    _recipe(cube_folder)
    before = _tree(cube_folder.root)

    run = run_suite("--cube", cube_folder.root, *ON)

    assert run.exit_code == 0, run.output
    assert len(run.verdict("passed")) == len(run.outcomes) == 17
    assert _tree(cube_folder.root) == before
    assert list(image.parent.iterdir()) == [image]
    assert left_by_run(tmp_path / "place") == RECORD_ALONE


def test_second_run_does_not_build(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path
) -> None:
    _recipe(cube_folder)
    options = ("--cube", cube_folder.root, *ON)

    first = run_suite(*options)
    second = run_suite(*options)
    cube_folder.tasks(make='echo other; cp "$seed" "$data/part"')
    third = run_suite(*options)
    fourth = run_suite(*options, "--build-arg", f"BASE={BUSYBOX}")

    built = "built (from build/Singularity.recipe"
    assert f"tiny-singularity: {built}" in first.output
    assert "tiny-singularity: up to date (from build/Singularity.recipe" in (
        second.output
    )
    assert "building" not in second.output
    assert built in third.output
    # The same value as the default's makes the same image.
    assert "up to date" in fourth.output
    assert image.is_file()


def test_dockerfile_without_recipe_is_converted_and_said_so(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    cube_folder.edit(
        "build/Dockerfile",
        'ENTRYPOINT ["/bin/sh", "/task.sh"]',
        "ARG WORD=none\n"
        "ENV LINE=\"a 'b' $WORD\" PATH=/own/bin:$PATH\n"
        "WORKDIR /own place\n"
        "RUN cd /tmp && echo \"$LINE\" > '/own place/built'\n"
        "RUN pwd > pwd\n"
        "COPY sub/ /copied/\n"
        "USER 12345\n"
        'ENTRYPOINT ["/bin/sh", "/own place/my task.sh"]',
    )
    cube_folder.edit(
        "build/Dockerfile",
        "COPY task.sh /task.sh",
        'COPY ["task.sh", "/own place/my task.sh"]',
    )
    cube_folder.write("build/sub/deep/file", "copied\n")
    cube_folder.tasks(
        use='cd "/own place"; cat built pwd /copied/deep/file > "$result"; '
        'echo "$LINE" >> "$result"; echo "$PATH" | cut -c-9 >> "$result"'
    )
    kept = tmp_path / "kept"

    run = run_suite(
        *("--cube", cube_folder.root, *ON, "--workspace", kept),
        *("--build-arg", "WORD=$(id)"),
    )

    assert run.exit_code == 0, run.output
    how = "built (from build/Dockerfile, converted by spython, without USER 12345"
    assert how in run.output
    assert (kept / "out/result.txt").read_text().splitlines() == [
        "a 'b' $(id)",
        "/own place",
        "copied",
        "a 'b' $(id)",
        "/own/bin:",
    ]


@pytest.mark.docker
def test_image_that_docker_has_serves_a_cube_without_recipe(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    odd = "a $(touch y) `touch y` '\"; &.txt"
    cube_folder.edit("run/use.yaml", "$WORKSPACE/out/result.txt", json.dumps(odd))
    kept = tmp_path / "kept"

    both = run_suite("--cube", cube_folder.root, "--platform", "docker", *ON)
    alone = run_suite("--cube", cube_folder.root, *ON, "--workspace", kept)
    cube_folder.tasks(make='echo other; cp "$seed" "$data/part"')
    changed = run_suite("--cube", cube_folder.root, *ON)

    assert both.exit_code == 0, both.output
    assert "built (from Docker's mlcube-conformance/built-test-" in both.output
    assert "up to date (from Docker's mlcube-conformance/built-test-" in alone.output
    # Its own shell must not read the values.
    assert [each.name for each in kept.iterdir() if each.is_file()].count(odd) == 1
    # That of Docker is older than the files by now.
    assert "converted by spython" in changed.output
    assert changed.exit_code == 0, changed.output


def test_stages_cannot_be_converted(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    cube_folder.edit("build/Dockerfile", "LABEL", f"FROM {BUSYBOX}\nLABEL")

    name, text = _only_failure(run_suite, cube_folder)

    assert name == f"failed {IMAGE_BUILDS}"
    assert "2 FROM lines" in text
    assert "write build/Singularity.recipe" in text


def test_values_reach_the_task_as_they_are(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    odd = "a=b, $(touch y) `touch y` '\"; &: ü.txt"
    folder = "o, p:q $(touch z) ü"
    cube_folder.edit(
        "run/use.yaml", "$WORKSPACE/out/result.txt", json.dumps(f"{folder}/{odd}")
    )
    _recipe(cube_folder)
    kept = tmp_path / "kept, it: is"

    run = run_suite("--cube", cube_folder.root, *ON, "--workspace", kept)

    assert run.exit_code == 0, run.output
    assert [each.name for each in (kept / folder).iterdir()] == [odd]


def test_task_sees_nothing_of_this_machine(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_SECRET", "1")
    for prefix in ("APPTAINER", "SINGULARITY"):
        monkeypatch.setenv(f"{prefix}ENV_MY_SECRET", "1")
        monkeypatch.setenv(f"{prefix}_BIND", "/usr/share:/secret")
    monkeypatch.setenv("http_proxy", "http://me:pass@proxy.invalid")
    _recipe(cube_folder, "env > /built; ls -A /tmp >> /built; ls -A / >> /built")
    cube_folder.tasks(
        use='cat /built > "$result"; echo RUN >> "$result"; env >> "$result"; '
        'ls -A / /tmp "$HOME" >> "$result"; '
        'grep -o "^ *[a-z0-9]*:" /proc/net/dev | tr -d ": " >> "$result"; '
        'head -c 100m /dev/zero > /tmp/large; touch "$HOME/x"; grep CapEff '
        '/proc/self/status >> "$result"; exit 4'
    )
    kept = tmp_path / "kept"

    with NamedTemporaryFile(dir="/tmp", prefix="of-this-machine-"):
        run = run_suite(
            *("--cube", cube_folder.root, *ON, "--workspace", kept),
            *("--network", "none"),
        )

    assert "exit code 4" in run.output
    build, task = (kept / "out/result.txt").read_text().split("RUN\n")
    for seen in (build, task):
        assert "http_proxy=http://me:pass@proxy.invalid" in seen
        assert "SECRET" not in seen
        assert "secret" not in seen
        assert "of-this-machine" not in seen
    lines = task.splitlines()
    assert lines[-2:] == ["lo", "CapEff:\t0000000000000000"]
    assert "pass@" not in run.output


def test_command_by_hand_does_the_same(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path
) -> None:
    _recipe(cube_folder)
    cube_folder.tasks(use='echo "it: $task $LANG"; exit 7')

    run = run_suite("--cube", cube_folder.root, *ON)
    line = next(each for each in run.output.splitlines() if "by hand:" in each)
    done = subprocess.run(
        shlex.split(line.partition("by hand:")[2]),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 7, done.stderr
    assert done.stdout == "it: use C\n"
    assert str(image) in line


def test_workers_share_one_build_and_agree(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path, tmp_path: Path
) -> None:
    _recipe(cube_folder, "sleep 1")
    other = shutil.copy(
        cube_folder.root / "platform/singularity.yaml", tmp_path / "other.yaml"
    )

    run = run_suite(
        *("--cube", cube_folder.root, *ON, "--platform", other, "-n", "2"),
    )

    assert run.exit_code == 0, run.output
    assert run.output.count(f"building {image}") == 1


# What is wrong with the machine or the cube, in one message each.


def test_program_that_is_not_there_is_one_error(
    cube_folder: CubeFolder, run_suite: RunSuite, programs: Path
) -> None:
    name, text = _only_failure(run_suite, cube_folder)

    assert name == f"error {IMAGE_BUILDS}"
    assert "cannot use Singularity" in text
    assert f"PATH={programs}" in text
    assert "singularity: not on PATH\n            apptainer: not on PATH" in text
    assert "install Apptainer" in text


@pytest.mark.parametrize(
    "says",
    ["singularity version 3.4.2-1.el7", "2.6.1-dist", "singularity-ce version 3.4.0"],
)
def test_program_that_is_too_old_is_one_error(
    says: str, cube_folder: CubeFolder, run_suite: RunSuite, programs: Path
) -> None:
    _program(programs, "singularity", says)

    name, text = _only_failure(run_suite, cube_folder)

    assert name == f"error {IMAGE_BUILDS}"
    assert says.rpartition(" ")[2] in text
    assert "of version 3.5 or newer" in text


def test_program_that_is_too_old_does_not_hide_the_other(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    _program(old, "singularity", "singularity version 3.4.2")
    _recipe(cube_folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{old}:{os.environ['PATH']}")
        run = run_suite("--cube", cube_folder.root, *ON)

    assert run.exit_code == 0, run.output
    assert "by apptainer " in run.output


def test_no_recipe_at_all_is_a_failure(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path
) -> None:
    (cube_folder.root / "build/Dockerfile").unlink()

    name, text = _only_failure(run_suite, cube_folder)

    assert name == f"failed {IMAGE_BUILDS}"
    assert "neither build/Singularity.recipe nor build/Dockerfile" in text
    assert f"at {image}: no file" in text
    assert "write build/Singularity.recipe, or put the image there" in text


def test_recipe_that_fails_shows_the_end_of_its_log(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path
) -> None:
    _recipe(cube_folder, "echo well; exit 9")

    name, text = _only_failure(run_suite, cube_folder)

    assert name == f"failed {IMAGE_BUILDS}"
    assert "cannot build the image of cube 'tiny'" in text
    assert "while running %post section: exit status 9" in text
    assert "| well" in text
    assert "configure.log" in text
    assert list(image.parent.iterdir()) == []


def test_recipe_that_reaches_out_is_refused(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    _recipe(cube_folder, more=f"%%Setup\n    touch {tmp_path}/outside")

    name, text = _only_failure(run_suite, cube_folder)

    assert name == f"failed {IMAGE_BUILDS}"
    assert "cannot use the recipe of cube 'tiny'" in text
    assert "build/Singularity.recipe" in text
    assert "%setup, whose commands run on this machine" in text
    assert not (tmp_path / "outside").exists()


def test_commands_of_a_recipe_see_no_secret(
    cube_folder: CubeFolder, run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_SECRET", "hunter2")
    _recipe(cube_folder, "env", more="%test\n    env")

    run = run_suite("--cube", cube_folder.root, *ON, "--live")

    assert run.exit_code == 0, run.output
    assert "APPTAINER_NAME=rootfs" in run.output
    assert "hunter2" not in run.output


def test_commands_of_a_recipe_cannot_step_out(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The process that builds has this machine for its root, and is seen inside."""
    monkeypatch.setenv("MY_SECRET", "hunter2")
    outside = tmp_path / "outside"
    _recipe(
        cube_folder,
        f"chroot /proc/1/root /bin/touch {outside} || echo kept in\n"
        "    tr '\\0' ' ' < /proc/1/environ || echo kept from it",
    )

    run = run_suite("--cube", cube_folder.root, *ON, "--live")

    assert run.exit_code == 0, run.output
    assert "kept in" in run.output
    assert "kept from it" in run.output
    assert "hunter2" not in run.output
    assert not outside.exists()


def test_image_that_was_not_built_here_is_left_alone(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path
) -> None:
    image.parent.mkdir()
    image.write_bytes(b"hsqs" + 500 * b"x")

    name, text = _only_failure(run_suite, cube_folder)

    assert name == f"failed {IMAGE_BUILDS}"
    assert f"{image}: an image that was not built here" in text
    assert image.read_bytes().startswith(b"hsqsx")


def test_a_label_of_ours_does_not_make_an_image_ours(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path, tmp_path: Path
) -> None:
    _recipe(cube_folder)
    assert run_suite("--cube", cube_folder.root, *ON).exit_code == 0
    mine = Path(shutil.copy(image, tmp_path / "mine.sif"))
    before = mine.read_bytes()
    _place_of_image(cube_folder, mine)
    _recipe(cube_folder, "touch /other")

    name, text = _only_failure(run_suite, cube_folder)

    assert name == f"failed {IMAGE_BUILDS}"
    assert f"{mine}: an image that was not built here" in text
    assert mine.read_bytes() == before


@pytest.mark.docker
def test_base_image_that_moved_makes_another_image(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    docker_client: docker.DockerClient,
) -> None:
    name = (cube_folder.root / "mlcube.yaml").read_text().split("name: ")[1].split()[0]
    base = f"mlcube-conformance/{name}-base"
    docker_client.images.get(BUSYBOX).tag(base, "1")
    _recipe(cube_folder)
    cube_folder.edit("build/Singularity.recipe", BUSYBOX, f"{base}:1")
    options = ("--cube", cube_folder.root, *ON, "-k", "image")

    first = run_suite(*options)
    container = docker_client.containers.create(BUSYBOX)
    moved = container.commit(base, "1")
    container.remove()
    second = run_suite(*options)
    third = run_suite(*options)
    docker_client.images.remove(f"{base}:1", force=True)

    assert "built (from build/Singularity.recipe, on Docker's" in first.output
    assert moved.id != docker_client.images.get(BUSYBOX).id
    assert "built (from build/Singularity.recipe, on Docker's" in second.output
    assert "up to date" in third.output


@pytest.mark.docker
def test_stages_of_a_recipe_are_built(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    _recipe(cube_folder, "cat /made > /seen", "%files from one\n    /made /made\n")
    recipe = (cube_folder.root / "build/Singularity.recipe").read_text()
    recipe = recipe.replace("{{ BASE }}\n", "{{ BASE }}\nStage: two\n", 1)
    first = (
        "Bootstrap: docker\nFrom: {{ BASE }}\nStage: one\n%post\n    echo 1 > /made\n"
    )
    cube_folder.write("build/Singularity.recipe", f"{first}\n{recipe}")
    cube_folder.tasks(use='cat /seen > "$result"')
    kept = tmp_path / "kept"

    run = run_suite("--cube", cube_folder.root, *ON, "--workspace", kept)

    assert run.exit_code == 0, run.output
    assert (kept / "out/result.txt").read_text() == "1\n"


def test_certificates_are_trusted_in_build_and_run(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    bundle = tmp_path / "it's a bundle, of ours.pem"
    bundle.write_text("-----BEGIN CERTIFICATE-----\nours\n")
    _recipe(cube_folder, 'cat "$SSL_CERT_FILE" > /seen')
    cube_folder.tasks(use='cat /seen "$SSL_CERT_FILE" > "$result"')
    kept = tmp_path / "kept"

    run = run_suite(
        *("--cube", cube_folder.root, *ON, "--workspace", kept),
        *("--ca-bundle", bundle),
    )

    assert run.exit_code == 0, run.output
    assert (kept / "out/result.txt").read_text() == 2 * bundle.read_text()


@pytest.mark.parametrize(
    ("flags", "code"), [("", 1), ("--writable-tmpfs", 0)], ids=["plain", "writable"]
)
def test_image_cannot_be_written_to_unless_asked(
    flags: str, code: int, cube_folder: CubeFolder, run_suite: RunSuite, image: Path
) -> None:
    _recipe(cube_folder)
    cube_folder.edit(
        "platform/singularity.yaml",
        f"'{image}'}}",
        f"'{image}', run_args: {flags or 'null'}}}",
    )
    cube_folder.tasks(make='touch /made && cat "$seed" > "$data/part"')

    run = run_suite("--cube", cube_folder.root, *ON)

    assert run.exit_code == code, run.output
    if code:
        assert "Read-only file system" in run.output


@pytest.mark.parametrize(
    "words",
    ["FATAL:   database is down", "FATAL:   open /x: permission denied"],
)
def test_task_that_speaks_like_the_program_is_a_failure(
    words: str, cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    _recipe(cube_folder)
    cube_folder.tasks(make=f"echo '{words}' >&2; exit 255")

    name, text = _only_failure(run_suite, cube_folder)

    assert name == "failed test_exits_zero[tiny-singularity-make]"
    assert "found:    exit code 255" in text


def test_cubes_of_one_name_do_not_share_an_image(
    tmp_path: Path, run_suite: RunSuite
) -> None:
    one, two = make_cube(tmp_path / "one"), make_cube(tmp_path / "two")
    two.write("mlcube.yaml", (one.root / "mlcube.yaml").read_text())
    for cube in (one, two):
        _recipe(cube, f"echo {cube.root.name} > /name")
        cube.tasks(
            make='sleep 1; cat "$seed" > "$data/part"',
            use=f'[ "$(cat /name)" = {cube.root.name} ] && cp /name "$result"',
        )

    run = run_suite("--cube", one.root, "--cube", two.root, *ON, "-n", "2")

    assert run.exit_code == 0, run.output


def test_image_that_another_run_replaced_is_not_run(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path, tmp_path: Path
) -> None:
    other = make_cube(tmp_path / "other")
    _place_of_image(other, image)
    for cube in (cube_folder, other):
        _recipe(cube)
    # Another image comes between the making of this one and its task.
    own = tmp_path / "place/test_own.py"
    own.write_text(
        "import shutil\n"
        "def test_replace(image, request):\n"
        f"    shutil.copy({str(tmp_path / 'other.sif')!r}, {str(image)!r})\n"
        "def test_run(task_run):\n"
        "    pass\n"
    )
    assert run_suite("--cube", other.root, *ON).exit_code == 0
    image.rename(tmp_path / "other.sif")

    run = run_suite("--cube", cube_folder.root, *ON, "--task", "make", "test_own.py")

    (message,) = run.verdict("error").values() or [run.output]
    assert "another run has replaced the image" in message


def test_what_is_no_file_is_left_alone(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path
) -> None:
    image.parent.mkdir()
    os.mkfifo(image)

    name, text = _only_failure(run_suite, cube_folder)

    assert name == f"failed {IMAGE_BUILDS}"
    assert f"{image}: it is not a regular file" in text


def test_link_to_the_place_stays_a_link(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path, tmp_path: Path
) -> None:
    _recipe(cube_folder)
    image.parent.mkdir()
    image.symlink_to(tmp_path / "real/tiny.sif")

    run = run_suite("--cube", cube_folder.root, *ON)

    assert run.exit_code == 0, run.output
    assert image.is_symlink()
    assert (tmp_path / "real/tiny.sif").is_file()


def test_image_of_this_machine_is_no_base_unless_the_user_says_so(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path
) -> None:
    _recipe(cube_folder)
    assert run_suite("--cube", cube_folder.root, *ON).exit_code == 0
    base = image.rename(image.with_name("base.sif"))
    recipe = "build/Singularity.recipe"
    cube_folder.edit(recipe, "Bootstrap: docker", "Bootstrap: localimage")
    cube_folder.edit(recipe, f"BASE={BUSYBOX}", f"BASE={base}")

    name, text = _only_failure(run_suite, cube_folder)
    given = run_suite("--cube", cube_folder.root, *ON, "--build-arg", f"BASE={base}")

    assert name == f"failed {IMAGE_BUILDS}"
    assert f"From takes {base}, which is outside build/" in text
    assert given.exit_code == 0, given.output


def test_image_path_that_cannot_be_written_is_an_error(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    _place_of_image(cube_folder, tmp_path / "file/images/tiny.sif")

    name, text = _only_failure(run_suite, cube_folder)

    assert name == f"error {IMAGE_BUILDS}"
    assert "cannot write the image of cube 'tiny'" in text
    assert "platform/singularity.yaml" in text
    assert f"{tmp_path}/file" in text
    assert "name another place by the platform file's" in text


def test_file_that_is_no_image_is_left_alone(
    cube_folder: CubeFolder, run_suite: RunSuite, tmp_path: Path
) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("of the user")
    _place_of_image(cube_folder, precious)

    name, text = _only_failure(run_suite, cube_folder)

    assert name == f"failed {IMAGE_BUILDS}"
    assert f"{precious}: it is not a Singularity image" in text
    assert precious.read_text() == "of the user"


def test_image_that_is_cut_short_is_told_and_made_anew(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path
) -> None:
    _recipe(cube_folder)
    assert run_suite("--cube", cube_folder.root, *ON).exit_code == 0
    size = image.stat().st_size
    os.truncate(image, size - 5000)

    anew = run_suite("--cube", cube_folder.root, *ON)
    os.truncate(image, size - 5000)
    (cube_folder.root / "build/Singularity.recipe").unlink()
    (cube_folder.root / "build/Dockerfile").unlink()
    name, text = _only_failure(run_suite, cube_folder)

    assert anew.exit_code == 0, anew.output
    assert f"rebuilding {image}: it is cut short: {size - 5000} of" in anew.output
    assert name == f"failed {IMAGE_BUILDS}"
    assert f"at {image}: it is cut short" in text


def test_image_without_recipe_is_used_as_it_is(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path
) -> None:
    _recipe(cube_folder)
    assert run_suite("--cube", cube_folder.root, *ON).exit_code == 0
    made = image.stat().st_mtime_ns
    (cube_folder.root / "build/Singularity.recipe").unlink()
    (cube_folder.root / "build/Dockerfile").unlink()

    run = run_suite("--cube", cube_folder.root, *ON)

    assert run.exit_code == 0, run.output
    assert "present (used as it is: there is neither build/Sing" in run.output
    assert image.stat().st_mtime_ns == made


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk with next to no room."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder],
        check=True,
        timeout=10,
    )
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True, timeout=10)


@ROOT_ONLY
def test_disk_that_is_full_while_building_is_an_error(
    cube_folder: CubeFolder, run_suite: RunSuite, small_disk: Path
) -> None:
    _recipe(cube_folder)
    _place_of_image(cube_folder, small_disk / "tiny.sif")

    name, text = _only_failure(run_suite, cube_folder)

    assert name == f"error {IMAGE_BUILDS}"
    assert "no space left on device" in text.lower()
    assert "a disk that work" in text
    assert list(small_disk.iterdir()) == []


def test_program_that_knows_no_mount_is_given_binds(
    cube_folder: CubeFolder,
    run_suite: RunSuite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The program here plays an older one, as far as it understands its flags."""
    real = shutil.which("apptainer") or shutil.which("singularity")
    old = tmp_path / "old"
    old.mkdir()
    _program(old, "singularity", "singularity version 3.8.7")
    with (old / "singularity").open("a") as file:
        file.write(f'[ "$1" = --version ] || exec {real} "$@"\n')
    text = (old / "singularity").read_text()
    (old / "singularity").write_text(
        text.replace("echo", '[ "$1" != --version ] || echo', 1)
    )
    monkeypatch.setenv("PATH", f"{old}:{os.environ['PATH']}")
    _recipe(cube_folder)
    cube_folder.tasks(make='echo "$seed" > "$data/part"; echo >> "$seed"')
    options = ("--cube", cube_folder.root, *ON, "--workspace")

    bound = run_suite(*options, tmp_path / "kept")
    refused = run_suite(*options, tmp_path / "kept: it is")

    assert "--bind" in bound.output
    assert "Read-only file system" in bound.output
    assert (tmp_path / "kept/data/part").read_text() == "/mlcube_io0/seed.txt\n"
    (message,) = refused.verdict("error").values()
    assert "cannot mount a path with a colon or a comma on singularity 3.8.7" in message


def test_what_is_to_be_seen_and_is_gone_is_an_error(tmp_path: Path) -> None:
    """It must not end the process that asked, whatever a library does."""
    missing = tmp_path / "missing"
    cube = make_cube(tmp_path / "tiny")
    _recipe(cube)
    loaded = load_cube(cube.root, "tiny").cube
    platform, _ = load_platform(find_platform("singularity", loaded), loaded)
    assert platform is not None
    runner = SingularityRunner("tests")
    options, watch = Options(), Watch()
    image = runner.configure(
        ConfigureRequest(
            cube=loaded,
            platform=platform,
            options=options,
            log=tmp_path / "configure.log",
            watch=watch,
        )
    )
    mount = Mount(host=missing, container="/mlcube_io0", writable=False)

    with pytest.raises(MachineError, match=f"nothing at {missing}") as caught:
        runner.run(
            RunRequest(
                case_id="tiny-singularity-make",
                cube=loaded,
                image=image,
                platform=platform,
                invocation=loaded.invocations[0],
                workspace=loaded.workspace,
                view=TaskView(mounts=(mount,), arguments=("make",)),
                options=options,
                stdout=tmp_path / "out",
                stderr=tmp_path / "err",
                watch=watch,
            )
        )
    runner.close()

    assert "a path to mount does not exist" in str(caught.value)
    assert "case tiny-singularity-make, /mlcube_io0" in str(caught.value)


def test_gpus_that_are_not_there_are_an_error(
    cube_folder: CubeFolder, run_suite: RunSuite
) -> None:
    if Path("/dev/nvidia0").exists():
        pytest.skip("this machine has GPUs")
    _recipe(cube_folder)

    name, text = _only_failure(run_suite, cube_folder, "--gpus", "1")

    assert name.startswith("error ")
    assert "Singularity here cannot give GPUs to a container" in text


# A plain user.

_AS_SOMEBODY = """
set -eu
for name in passwd group subuid subgid; do
    mount --bind "$1/$name" "/etc/$name"
done
shift
group=$1
shift
exec setpriv --reuid 12345 --regid 12345 --groups "$group" "$@"
"""


def _as_somebody(
    place: Path, words: Sequence[str | Path], *, subordinate_ids: str
) -> subprocess.CompletedProcess[str]:
    """Run a command as a user whom only a mount namespace of its own knows."""
    home = place / "home"
    home.mkdir(exist_ok=True)
    os.chown(home, 12345, 12345)
    for name, line in (
        ("passwd", f"somebody:x:12345:12345::{home}:/bin/sh\n"),
        ("group", "somebody:x:12345:\n"),
    ):
        (place / name).write_text(Path("/etc", name).read_text() + line)
    for name in ("subuid", "subgid"):
        (place / name).write_text(subordinate_ids)
        Path("/etc", name).touch()
    let_others_in(place)
    # It has the base image.
    daemon = str(Path("/var/run/docker.sock").stat().st_gid)
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", _AS_SOMEBODY, "sh", place, daemon, *words],
        cwd=home,
        env={
            **{k: v for k, v in os.environ.items() if k != "XDG_CACHE_HOME"},
            "HOME": str(home),
            "TMPDIR": str(home),
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def _suite(cube: CubeFolder, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull),
        *("--rootdir", ".", "--cube", str(cube.root), *ON, *options),
    ]


@ROOT_ONLY
def test_plain_user_with_subordinate_ids_can_do_it_all(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    # As in many an installation, files get another owner.
    _recipe(cube_folder, "touch /own; chown 77:77 /own")
    cube_folder.tasks(use='id -u > "$result"; stat -c %u /own "$HOME" >> "$result"')
    network = ("--network", "none")

    done = _as_somebody(
        tmp_path,
        _suite(cube_folder, "--keep", "all", *network),
        subordinate_ids="somebody:300000:65536\n",
    )

    assert done.returncode == 0, done.stdout + done.stderr
    home = tmp_path / "home"
    (result,) = home.glob(".mlcube-conformance/*/tiny/*/workspace/out/result.txt")
    assert result.read_text().split()[0] == "12345"
    assert result.stat().st_uid == 12345
    (image,) = home.glob(".cache/mlcube-conformance/images/test-*.sif")
    assert image.stat().st_uid == 12345
    assert list(home.glob("mlcube-*")) == []


@ROOT_ONLY
def test_plain_user_without_subordinate_ids_is_told_what_to_do(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    _recipe(cube_folder, "touch /own; chown 77:77 /own")

    done = _as_somebody(tmp_path, _suite(cube_folder), subordinate_ids="")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "cannot build the image of cube 'tiny'" in done.stdout
    assert "ERROR" in done.stdout
    assert "no range of subordinate ids for the user somebody" in done.stdout
    assert (
        "ask root to add the line somebody:100000:65536 to /etc/subuid" in done.stdout
    )
    assert "Traceback" not in done.stdout


@ROOT_ONLY
def test_folder_that_a_plain_user_may_not_write_is_an_error(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    _recipe(cube_folder)
    (tmp_path / "images").mkdir(mode=0o755)
    _place_of_image(cube_folder, tmp_path / "images/deep/tiny.sif")

    done = _as_somebody(
        tmp_path, _suite(cube_folder), subordinate_ids="somebody:300000:65536\n"
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "ERROR" in done.stdout
    assert "cannot write the image of cube 'tiny'" in done.stdout
    assert f"{tmp_path}/images/deep: Permission denied" in done.stdout


# The command line.


def _call(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*warm.python("mlcube_singularity_run"), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_commands_leave_the_image_and_the_outputs_in_their_places(
    cube_folder: CubeFolder,
) -> None:
    _recipe(cube_folder)
    _place_of_image(cube_folder, "images/tiny.sif")
    cube_folder.tasks(make='echo out; echo err >&2; cat "$seed" > "$data/part"; exit 5')
    place = (f"--mlcube={cube_folder.root}", "--platform=singularity")

    configured = _call("configure", *place)
    again = _call("configure", *place)
    make = _call("run", *place, "--task=make")

    image = cube_folder.root / "workspace/images/tiny.sif"
    assert configured.returncode == again.returncode == 0, configured.stderr
    assert image.is_file()
    assert f"image {image}: built (from build/Singularity.recipe" in configured.stderr
    assert f"image {image}: up to date" in again.stderr
    assert make.returncode == 5, make.stderr
    assert make.stdout == "out\n"
    assert "err\n" in make.stderr
    assert (cube_folder.root / "workspace/data/part").read_text() == "seed\n"


def test_run_makes_an_image_that_is_cut_short_anew(
    cube_folder: CubeFolder, image: Path
) -> None:
    _recipe(cube_folder)
    place = (f"--mlcube={cube_folder.root}", "--platform=singularity")
    assert _call("configure", *place).returncode == 0
    os.truncate(image, 5000)

    run = _call("run", *place, "--task=make")

    assert run.returncode == 0, run.stderr
    assert ": it is cut short" in run.stderr


# What is left behind.


def _processes_of(place: Path) -> list[str]:
    """Return the command lines of all processes that have to do with a folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = os.fsdecode((folder / "cmdline").read_bytes().replace(b"\0", b" "))
            links = [*(folder / "fd").iterdir(), folder / "cwd"]
            opened = [str(each.readlink()) for each in links]
        except OSError:
            continue
        if folder.name != str(os.getpid()) and str(place) in " ".join([words, *opened]):
            found.append(f"{folder.name} {words}")
    return found


def _start(
    cube: CubeFolder, place: Path, wait_for: str, *options: str
) -> subprocess.Popen[bytes]:
    """Start the suite and wait until a log of it says something."""
    process = subprocess.Popen(
        [
            *(
                sys.executable,
                "-m",
                "pytest",
                "-c",
                os.devnull,
                "--rootdir",
                str(place),
            ),
            *("--cube", str(cube.root), *ON, *options),
        ],
        cwd=place,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    logs = Path(place, ".mlcube-conformance")
    while not any(wait_for in log.read_text() for log in logs.rglob("*.log")):
        assert time.monotonic() < deadline, "nothing was started"
        assert process.poll() is None, "pytest ended early"
        time.sleep(0.1)
    return process


# Stands before the real program and writes half an image, slowly; that moment is too
# short to be met otherwise.
_HALF = """\
#!/bin/sh
case " $* " in
*" build "*PLACE/.*)
    for word; do case $word in *.part) echo half > "$word" ;; esac; done
    echo begun
    exec sleep 300 ;;
esac
exec REAL "$@"
"""


@pytest.fixture(params=["build", "half", "run"])
def busy(
    request: pytest.FixtureRequest,
    cube_folder: CubeFolder,
    image: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Let the small cube be busy in its build or in its task; return which."""
    place = image.parent.parent
    # Let no other test take what this one leaves behind for its own.
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    # Files of other users, in a folder that they alone may read.
    post = (
        "mkdir /own; touch /own/file; chown -R 77:77 /own; chmod 700 /own; "
        "echo be''gun; sleep 300"
    )
    _recipe(cube_folder, post if request.param == "build" else "true")
    if request.param == "half":
        real = str(shutil.which("singularity") or shutil.which("apptainer"))
        program = place / "programs" / Path(real).name
        program.parent.mkdir()
        program.write_text(
            _HALF.replace("REAL", real).replace("PLACE", str(image.parent))
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    cube_folder.tasks(make="trap '' TERM INT; echo begun; sleep 300; sleep 300")
    return str(request.param)


def _left(place: Path, image: Path) -> list[str]:
    """Return what of a run is still there: processes, temporary files, half images."""
    parts = image.parent.glob(".*") if image.parent.exists() else ()
    scratch = [each for each in place.glob("mlcube-*") if each.is_dir()]
    mounts = [
        line
        for line in Path("/proc/self/mounts").read_text().splitlines()
        if str(place) in line
    ]
    return [*_processes_of(place), *map(str, (*parts, *scratch)), *mounts]


@pytest.mark.parametrize(
    ("number", "options"),
    [
        (signal.SIGINT, ()),
        (signal.SIGTERM, ()),
        (signal.SIGHUP, ()),
        (signal.SIGINT, ("-n", "2")),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP", "Ctrl-C-workers"],
)
def test_interrupt_leaves_nothing(
    number: signal.Signals,
    options: tuple[str, ...],
    busy: str,
    cube_folder: CubeFolder,
    image: Path,
) -> None:
    place = cube_folder.root.parent
    process = _start(cube_folder, place, "begun", *options)
    before = _left(place, image)

    os.killpg(process.pid, number)

    assert process.wait(timeout=60) == pytest.ExitCode.INTERRUPTED
    assert before
    assert _left(place, image) == []
    assert image.exists() == (busy == "run")


def test_next_run_removes_what_a_killed_one_left(
    busy: str,
    cube_folder: CubeFolder,
    image: Path,
    run_suite: RunSuite,
    tmp_path: Path,
) -> None:
    process = _start(cube_folder, tmp_path, "begun")
    other = make_cube(tmp_path / "other")
    _recipe(other)

    beside = run_suite("--cube", other.root, *ON)
    still_there = _left(tmp_path, image)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    after = run_suite("--cube", other.root, *ON)

    assert beside.exit_code == 0, beside.output
    assert still_there
    assert ", left over from an earlier run" in after.output
    assert after.exit_code == 0, after.output
    assert _left(tmp_path, image) == []
    assert image.exists() == (busy == "run")


def test_deadline_ends_what_ignores_it(
    cube_folder: CubeFolder, run_suite: RunSuite, image: Path, tmp_path: Path
) -> None:
    _recipe(cube_folder)
    cube_folder.tasks(make="trap '' TERM INT; echo begun; sleep 300; sleep 300")

    name, text = _only_failure(run_suite, cube_folder, "--task-timeout", "2")

    assert name == "failed test_exits_zero[tiny-singularity-make]"
    assert "ran past its deadline and was killed" in text
    assert _left(tmp_path, image) == []


@pytest.mark.parametrize(
    ("lines", "does"),
    [
        ("%runscript\n    python x.py", "start it by python3, or install python"),
        ("%runscript\n    foo --bar", "install foo in the image"),
        (
            (
                "%post\n    printf '#!/bin/sh\\r\\n' > /r; chmod +x /r\n"
                "%runscript\n    exec /r"
            ),
            "line ends of Unix",
        ),
        ("%post\n    true", "write ENTRYPOINT, or %runscript"),
    ],
)
def test_what_keeps_a_script_from_starting_is_told(
    cube_folder: CubeFolder, run_suite: RunSuite, lines: str, does: str
) -> None:
    cube_folder.write(
        "build/Singularity.recipe",
        f"Bootstrap: docker-daemon\nFrom: {BUSYBOX}\n{lines}\n",
    )

    verdict, text = _only_failure(run_suite, cube_folder, "--task=make")

    assert verdict == "failed test_exits_zero[tiny-singularity-make]"
    assert does in text
