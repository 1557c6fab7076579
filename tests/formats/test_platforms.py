"""Platform files of both schemas, and what they may ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import UsageError
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.platforms import find_platform, load_platform
from mlcube_conformance.model import Image, Platform, PlatformFile
from mlcube_conformance.plan.mounts import TaskView
from mlcube_conformance.runners.about import offer_of
from mlcube_conformance.runners.contract import Options, RunRequest, Watch
from mlcube_conformance.runners.docker.container import command_line as docker_line
from mlcube_conformance.runners.docker.container import create_options, host_config
from mlcube_conformance.runners.singularity.container import (
    command_line as singularity_line,
)
from mlcube_conformance.runners.singularity.engine import Engine

if TYPE_CHECKING:
    from mlcube_conformance.model import Cube
    from tests.cube_folders import CubeFolder

LATER = """\
schema_type: mlcube_platform
schema_version: 1.0.0
platform: {name: docker, version: ">=20.10"}
container: {image: "example/tiny:1"}
"""
FIRST = """\
schema_type: mlcube_docker
schema_version: 1.0.0
image: example/tiny:1
docker_runtime: docker
"""


def _load(cube_folder: CubeFolder, text: str) -> tuple[Platform | None, str]:
    file = cube_folder.write("platform/here.yaml", text)
    cube = load_cube(cube_folder.root, "tiny").cube
    platform, problems = load_platform(PlatformFile(path=file), cube)
    limits = platform.limits if platform else ()
    return platform, "\n".join(str(each) for each in (*problems, *limits))


@pytest.mark.parametrize(
    "text",
    [
        LATER,
        FIRST,
        FIRST.replace("mlcube_", "mlbox_"),
        LATER.replace("mlcube_platform", "mlcommons_box_platform"),
        LATER.split("\n", 2)[2],
    ],
    ids=["later", "first", "mlbox", "mlcommons", "without-schema"],
)
def test_both_schemas_say_the_same(text: str, cube_folder: CubeFolder) -> None:
    platform, problems = _load(cube_folder, text)

    assert problems == ""
    assert platform is not None
    assert (platform.id, platform.kind, platform.image) == (
        "here",
        "docker",
        "example/tiny:1",
    )
    assert platform.options == {}


def test_what_is_asked_beyond_the_defaults_is_kept(cube_folder: CubeFolder) -> None:
    text = LATER.replace(
        'tiny:1"}', "tiny:1\", run_args: '--rm --net=host --shm-size 1g'}"
    )

    platform, problems = _load(cube_folder, text)

    assert problems == ""
    assert platform is not None
    assert platform.options == {"network": "host", "shm_size": "1g"}


def test_nvidia_docker_means_all_gpus(cube_folder: CubeFolder) -> None:
    platform, _ = _load(
        cube_folder, FIRST.replace("runtime: docker", "runtime: nvidia-docker")
    )

    assert platform is not None
    assert platform.options == {"gpus": "all"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("image:", "imag:", ("unknown key 'imag'", "did you mean 'image'?")),
        ("platform:", "platfrm:", ("has no mapping 'platform'",)),
        ("platform:", "platfrm:", ("unknown key 'platfrm'", "line 3, key platfrm")),
        ('tiny:1"', 'tiny:1", run_args: --privileged=true', ("--privileged=true",)),
        (
            'tiny:1"',
            'tiny:1", run_args: --network',
            ("invalid value of --network", "none, host, bridge"),
        ),
        ('tiny:1"', 'tiny:1", run_args: --memory=lots', ("--memory lots",)),
        ('tiny:1"', 'tiny:1", run_args: --ipc=all', ("--ipc all",)),
        ('tiny:1"', 'tiny:1", command: sudo docker', ("another executable",)),
        ("mlcube_platform", "mlcube_task", ("wrong schema_type", "mlcube_docker")),
        (
            '"example/tiny:1"',
            "7",
            ("the key 'container.image' must be text", "a number (7)"),
        ),
    ],
)
def test_message(
    old: str, new: str, says: tuple[str, ...], cube_folder: CubeFolder
) -> None:
    _, problems = _load(cube_folder, LATER.replace(old, new))

    for part in says:
        assert part in problems


SINGULARITY = """\
schema_type: mlcube_platform
schema_version: 1.0.0
platform: {name: singularity, version: ">=3.5"}
container: {image: tiny.sif, command: apptainer, run_args: -C --nv --network none}
"""


def test_singularity_has_flags_of_its_own(cube_folder: CubeFolder) -> None:
    platform, problems = _load(cube_folder, SINGULARITY)

    assert problems == ""
    assert platform is not None
    assert platform.kind == "singularity"
    assert platform.options == {
        "command": "apptainer",
        "gpus": "all",
        "network": "none",
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("apptainer", "sudo singularity", ("another executable", "or apptainer")),
        (
            "--nv",
            "--privileged",
            ("unknown flag", "--privileged", "--writable-tmpfs, "),
        ),
        ("--nv", "--rm", ("unknown flag in", "--rm")),
        ("network none", "network bridge", ("--network bridge", "none or host")),
        ("command: apptainer", "runtime: nvidia", ("asks for a runtime", "--nv gives")),
    ],
)
def test_message_for_singularity(
    old: str, new: str, says: tuple[str, ...], cube_folder: CubeFolder
) -> None:
    _, problems = _load(cube_folder, SINGULARITY.replace(old, new))

    for part in says:
        assert part in problems


def test_shared_file_serves_any_cube(cube_folder: CubeFolder) -> None:
    cube = load_cube(cube_folder.root, "tiny").cube

    platform, problems = load_platform(find_platform("docker", cube), cube)

    assert problems == ()
    assert platform is not None
    assert platform.image == f"mlcube-conformance/{cube.name}:0.1.0"


def test_the_cubes_own_file_comes_first(cube_folder: CubeFolder) -> None:
    own = cube_folder.write("platforms/docker.yaml", LATER)
    cube = load_cube(cube_folder.root, "tiny").cube

    assert find_platform("docker", cube) == PlatformFile(path=own)


def test_unknown_name_lists_those_there_are(cube_folder: CubeFolder) -> None:
    cube_folder.write("platform/cluster.yaml", LATER)
    cube = load_cube(cube_folder.root, "tiny").cube

    with pytest.raises(UsageError) as caught:
        find_platform("dockr", cube)

    assert "unknown platform 'dockr' for cube 'tiny'" in str(caught.value)
    assert "cluster, docker" in str(caught.value)
    assert "did you mean 'docker'?" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "version", "image"),
    [
        ("My Cube", "0.1.0", "mlcube-conformance/my-cube:0.1.0"),
        ("куб", "0.1.0", "mlcube-conformance/cube:0.1.0"),
        ("a/../b", "1.0.0-rc1", "mlcube-conformance/a-b:1.0.0-rc1"),
        ("tiny", "0.1.0+b1", "mlcube-conformance/tiny:0.1.0-b1"),
    ],
)
def test_any_name_and_version_make_an_image_name(
    name: str, version: str, image: str, cube_folder: CubeFolder
) -> None:
    text = (cube_folder.root / "mlcube.yaml").read_text()
    text = text.replace("\nversion: 0.1.0", f"\nversion: {version}")
    text = text.replace(text.split("name: ")[1].split("\n")[0], name)
    cube_folder.write("mlcube.yaml", text)
    cube = load_cube(cube_folder.root, "tiny").cube

    platform, _ = load_platform(find_platform("docker", cube), cube)

    assert platform is not None
    assert platform.image == image


LOCAL = """\
schema_type: mlcube_platform
schema_version: 1.0.0
platform: {name: local, version: ">=3.11"}
"""


@pytest.mark.parametrize(
    ("container", "options"),
    [
        ("", {}),
        ("container: {image: 'example/tiny:1'}", {}),
        ("container: {run_args: --rm}", {}),
        ("container: {run_args: --network=host}", {"network": "host"}),
        ("container: {run_args: --gpus device=0}", {"gpus": "device=0"}),
        ("container: {runtime: null, run_args: null}", {}),
    ],
)
def test_local_is_asked_for_what_it_gives(
    container: str, options: dict[str, str], cube_folder: CubeFolder
) -> None:
    platform, problems = _load(cube_folder, LOCAL + container)

    assert problems == ""
    assert platform is not None
    assert platform.options == options


@pytest.mark.parametrize(
    ("container", "says"),
    [
        ("run_args: --network=none", ("--network none", "expected: host")),
        ("run_args: --memory=10m", ("--memory=10m", "one of --gpus, --network")),
        ("run_args: --shm-size 1g", ("--shm-size",)),
        ("run_args: --ipc=host", ("--ipc=host",)),
        ("run_args: --cpuset-cpus=0", ("--cpuset-cpus=0",)),
        ("run_args: --security-opt=no-new-privileges", ("--security-opt",)),
        ("run_args: --nv", ("--nv", "--gpus=all")),
        (
            "runtime: nvidia",
            ("asks for a runtime: local has none", "--gpus gives GPUs"),
        ),
        ("command: docker", ("an executable, which local does not have", "remove it")),
        ("command: nvidia-docker", ("an executable, which local does not have",)),
    ],
)
def test_what_local_cannot_give_is_refused(
    container: str, says: tuple[str, ...], cube_folder: CubeFolder
) -> None:
    _, problems = _load(cube_folder, f"{LOCAL}container: {{{container}}}")

    for part in (*says, "here.yaml, line 4, key container."):
        assert part in problems


def test_place_without_a_host_is_refused(cube_folder: CubeFolder) -> None:
    _, problems = _load(cube_folder, LATER.replace("name: docker", "name: ssh"))

    assert "here.yaml names no host" in problems
    assert "the keys host and platform" in problems


#: A value for each option that a platform file may ask for.
_ASKED = {
    "memory_swap": "3g",
    "cpus": "1.5",
    "cpu_shares": "512",
    "pids_limit": "77",
    "ulimit": "memlock=-1\nstack=67108864",
    "cap_drop": "NET_RAW",
    "init": "yes",
    "read_only": "yes",
    "tmpfs": "/scratch:size=1m",
    "hostname": "somewhere",
    "add_host": "a.example:10.0.0.1",
    "dns": "10.0.0.2",
    "workdir": "/app",
    "env": "A=b c",
    "network": "none",
    "gpus": "all",
    "shm_size": "1g",
    "memory": "1g",
    "ipc": "private",
    "cpuset_cpus": "0",
    "security_opt": "no-new-privileges",
    "writable_tmpfs": "yes",
    "runtime": "nvidia",
}


def _words(platform: Platform, cube: Cube) -> tuple[str, ...]:
    """Return the command line that a task of a platform is run by."""
    request = RunRequest(
        case_id="tiny",
        cube=cube,
        image=Image(name="tiny", digest="", origin="built"),
        platform=platform,
        invocation=cube.invocations[0],
        workspace=cube.workspace,
        view=TaskView(mounts=(), arguments=()),
        options=Options(),
        stdout=cube.root,
        stderr=cube.root,
        watch=Watch(),
    )
    if platform.kind == "docker":
        config = map(str, (*host_config(request).items(), *create_options(request)))
        return (*docker_line(request), *config)
    engine = Engine(path="s", flavour="apptainer", version=(1, 4), text="1.4")
    return singularity_line(request, engine)


@pytest.mark.parametrize("kind", ["docker", "singularity"])
def test_all_that_a_kind_offers_reaches_its_engine(
    kind: str, cube_folder: CubeFolder
) -> None:
    cube = load_cube(cube_folder.root, "tiny").cube
    plain = Platform(id=kind, kind=kind, image="tiny", file=cube.root)
    offer = offer_of(kind)
    options = {*offer.written, *(["runtime"] if offer.runtimes else [])}
    if kind == "singularity":
        options.remove("env")  # Its variables are those of its process.

    without = set(_words(plain, cube))
    for name in options:
        asking = replace(plain, options={name: _ASKED[name]})
        assert set(_words(asking, cube)) - without, name
