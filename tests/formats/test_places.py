"""Platform files that point to another host, of both schemas."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

import mlcube_conformance
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.platforms import load_place, load_platform
from mlcube_conformance.model import PlatformFile
from mlcube_conformance.place import Interpreter, Place
from mlcube_conformance.runners.common.liveness import Liveness
from mlcube_conformance.runners.places.ssh.connection import Connection
from mlcube_conformance.runners.places.ssh.data import task_data
from mlcube_conformance.runners.places.ssh.host import (
    HostFacts,
    look_at_host,
    what_is_missing,
)
from mlcube_conformance.runners.places.wheel import make_wheel, package_key

if TYPE_CHECKING:
    from mlcube_conformance.model import Platform
    from tests.cube_folders import CubeFolder

DOCKER = """\
platform: {name: docker, version: ">=20.10"}
container: {image: "example/tiny:1", run_args: --network=none}
"""
LEAST = "host: gpu1.example.org\nplatform: docker.yaml\n"
FIRST = """\
host: gpu1.example.org
user: me
platform: docker.yaml
env:
  path: .mlbox
  sync: true
  interpreter: {type: system, python: python3.12}
  variables: {http_proxy: http://proxy:3128, N: 3}
mlcube: {path: some/where, sync: false}
"""
LATER = """\
host: gpu1.example.org
authentication: {user: me, IDENTITY: ~/.ssh/key}
platform: docker.yaml
interpreter:
  type: virtualenv
  python: ${HOME}/python/bin/python
  requirements: "mlcube-conformance==0.1.0 other"
  location: ${HOME}/mlcube/environments
  name: mnist
"""


def _load(
    cube_folder: CubeFolder, text: str, *, file: Path | None = None
) -> tuple[Platform | None, str]:
    cube_folder.write("platform/docker.yaml", DOCKER)
    file = file or cube_folder.root / "platform/ssh.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    cube = load_cube(cube_folder.root, "tiny").cube
    platform, problems = load_platform(PlatformFile(path=file), cube)
    return platform, "\n".join(str(each) for each in problems)


def _place(cube_folder: CubeFolder, text: str) -> Place:
    platform, problems = _load(cube_folder, text)
    assert problems == ""
    assert platform is not None
    assert platform.place is not None
    return replace(platform.place, file=None)


def test_first_schema_is_read(cube_folder: CubeFolder) -> None:
    assert _place(cube_folder, FIRST) == Place(
        host="gpu1.example.org",
        user="me",
        root=".mlbox",
        cube_folder="some/where",
        sync_cube=False,
        interpreter=Interpreter(kind="system", python="python3.12"),
        variables={"http_proxy": "http://proxy:3128", "N": "3"},
    )


@pytest.mark.parametrize("spelling", ["identity_file", "identify_file"])
def test_later_schema_is_read_in_both_spellings(
    spelling: str, cube_folder: CubeFolder
) -> None:
    assert _place(cube_folder, LATER.replace("IDENTITY", spelling)) == Place(
        host="gpu1.example.org",
        user="me",
        identity_file=Path.home() / ".ssh/key",
        interpreter=Interpreter(
            kind="virtualenv",
            python="python/bin/python",
            requirements=("mlcube-conformance==0.1.0", "other"),
            location="mlcube/environments",
            name="mnist",
        ),
    )


@pytest.mark.parametrize("where", ["platform", "../hosts"])
def test_name_of_a_platform_means_no_folder_of_that_name(
    where: str, cube_folder: CubeFolder, tmp_path: Path
) -> None:
    (tmp_path / "hosts").mkdir()
    (cube_folder.root / "platform").mkdir()
    (cube_folder.root / where / "docker").mkdir()
    (cube_folder.root / where / "docker.yaml").write_text(DOCKER, encoding="utf-8")

    found, problems = _load(
        cube_folder,
        LEAST.replace("docker.yaml", "docker"),
        file=tmp_path / "hosts" / "gpu1.yaml",
    )

    assert found is not None, problems
    assert found.image == "example/tiny:1"


def test_platform_of_the_host_is_found_in_the_cube_beside_the_file_and_among_ours(
    cube_folder: CubeFolder, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "hosts" / "gpu1.yaml"
    (tmp_path / "hosts").mkdir()
    (tmp_path / "hosts" / "there.yaml").write_text(DOCKER, encoding="utf-8")

    in_cube, _ = _load(cube_folder, LEAST, file=elsewhere)
    beside, _ = _load(
        cube_folder, LEAST.replace("docker.yaml", "there"), file=elsewhere
    )
    ours, _ = _load(
        cube_folder, LEAST.replace("docker.yaml", "singularity.yaml"), file=elsewhere
    )

    assert in_cube is not None
    assert (in_cube.id, in_cube.kind, in_cube.image) == (
        "gpu1",
        "ssh",
        "example/tiny:1",
    )
    assert in_cube.options == {"network": "none"}
    assert in_cube.inner is not None
    assert in_cube.inner.file == cube_folder.root / "platform/docker.yaml"
    assert beside is not None
    assert beside.inner is not None
    assert beside.inner.file == tmp_path / "hosts" / "there.yaml"
    assert ours is not None
    assert ours.inner is not None
    assert ours.inner.kind == "singularity"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host: -oProxyCommand=x", "the name or address of a host"),
        ("host: a;b", "the name or address of a host"),
        ("host: $(x)", "the name or address of a host"),
        ("host: a\nuser: -l", "the name of a user"),
        ("host: a\nport: 0", "a port: a number from 1 to 65535"),
        ("host: a\nport: yes", "a port: a number from 1 to 65535"),
        ("host: a\njump: 'x y'", "hosts, as [user@]host[:port]"),
        ("host: a\njump: '-oX'", "hosts, as [user@]host[:port]"),
        ("host: a\nfingerprint: MD5:00", "SHA256:…"),
        ("host: a\nenv: {path: 'a b'}", "a path of letters, digits"),
        ("host: a\nenv: {path: $HOME}", "a path of letters, digits"),
        ("host: a\nenv: {sync: maybe}", "true or false"),
        ("host: a\nenv: {variables: [a]}", "a mapping of names to texts"),
        ("host: a\nenv: {variables: {a b: c}}", "a name of letters, digits and _"),
        ("host: a\nenv: {variables: {a: [c]}}", "a text"),
        ("host: a\ninterpreter: {type: conda}", "one of system, virtualenv"),
        ("host: a\ninterpreter: {python: 'py; x'}", "a path of letters, digits"),
        ("host: a\ninterpreter: {requirements: '--pre x'}", "no options"),
        ("host: a\ninterpreter: {requirements: 'a >= 1'}", "without spaces"),
        ("hots: a", "did you mean 'host'?"),
        ("host: a\nauthentication: me", "a mapping with user, identity_file"),
        ("host: a\nauthentification: {}", "did you mean 'authentication'?"),
        ("host: a\nplatform: dokcer.yaml", "did you mean 'docker.yaml'?"),
        ("host: a\nplatform: ssh.yaml", "a platform of the kind docker or singularity"),
        ("host: a\nplatform: 3", "the key 'platform' must be text"),
        ("host: ''", "the key 'host' must be text"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(
    text: str, expected: str, cube_folder: CubeFolder
) -> None:
    whole = text if "platform:" in text else f"{text}\nplatform: docker.yaml"
    cube_folder.write("platform/ssh.yaml", whole)
    if "platform: ssh" in text:
        whole = whole.replace("ssh.yaml", "local.yaml")

    _, problems = _load(cube_folder, whole)

    assert expected in problems
    assert f"{cube_folder.root}/platform/ssh.yaml, line " in problems


def test_host_that_names_itself_is_refused(cube_folder: CubeFolder) -> None:
    _, problems = _load(cube_folder, "host: a\nplatform: ssh.yaml\n")

    assert "cannot run a platform of this kind" in problems
    assert "of the kind ssh" in problems


FACTS = {
    "shell_says": "",
    "python": "3.12.1",
    "rsync": True,
    "engine": "docker",
    "engine_version": "20.10.24",
    "engine_error": "",
    "package": "",
    "package_python": "",
    "home": "/home/me",
    "root": "/home/me/mlcube",
    "free": 10**10,
    "unwritable": (),
}


@pytest.mark.parametrize(
    ("changes", "wanted", "missing"),
    [
        ({}, ">=20.10", ""),
        ({}, ">=18.01", ""),
        ({}, "any", ""),
        ({"engine_version": ""}, ">=99", ""),
        ({}, ">=23", "docker 20.10.24, but docker.yaml asks for >=23"),
        ({"engine": "apptainer", "engine_version": "1.4.5"}, ">=3.5", ""),
        ({"engine": "apptainer", "engine_version": "1.4.5"}, ">=1.2", ""),
        ({"engine": "singularity", "engine_version": "3.4.1"}, ">=3.5", "3.4.1, but"),
        ({"python": "3.9.2"}, "any", "Python 3.9.2 of 'python3'; 3.11 is needed"),
        ({"python": ""}, "any", "no Python: 'python3' does not start"),
        ({"engine_error": "denied"}, "any", "docker does not answer: denied"),
        ({"free": 3 * 1024**2}, "any", "3 MiB free on the disk of mlcube"),
        ({"unwritable": ("/opt",)}, "any", "no permission to write to /opt"),
    ],
)
def test_what_a_host_lacks(
    changes: dict[str, object], wanted: str, missing: str, cube_folder: CubeFolder
) -> None:
    cube_folder.write("platform/docker.yaml", DOCKER.replace(">=20.10", wanted))
    (cube_folder.root / "platform/ssh.yaml").write_text(LEAST, encoding="utf-8")
    cube = load_cube(cube_folder.root, "tiny").cube
    platform, _ = load_platform(
        PlatformFile(path=cube_folder.root / "platform/ssh.yaml"), cube
    )
    assert platform is not None

    found = what_is_missing(HostFacts(**(FACTS | changes)), platform)  # type: ignore[arg-type]

    assert bool(found) == bool(missing)
    assert missing in "\n".join(found)


def test_everything_that_is_missing_is_said_at_once(cube_folder: CubeFolder) -> None:
    platform, _ = _load(cube_folder, LEAST)
    assert platform is not None
    facts = HostFacts(
        shell_says="",
        python="",
        rsync=False,
        engine="",
        engine_version="",
        engine_error="",
        package="",
        package_python="",
        home="",
        root="",
        free=0,
        unwritable=("/a", "/b"),
    )

    assert len(what_is_missing(facts, platform)) == 6


def test_folders_of_a_host_are_written_as_it_writes_them(
    cube_folder: CubeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, _ = _load(cube_folder, LEAST)
    assert platform is not None
    assert platform.place is not None
    found = {each: FACTS[each] for each in FACTS if not each.startswith("package")}
    said = "package 0a1b /home/me//mlcube/bin/python\n"
    monkeypatch.setattr(
        "mlcube_conformance.runners.places.ssh.host._ask",
        lambda *_: {**found, "package": said, "home": "/home/me/"},
    )

    facts = look_at_host(Connection(platform.place, Liveness("test")), None)

    assert (facts.home, facts.root) == ("/home/me", "/home/me/mlcube")
    assert facts.package == "0a1b"
    assert facts.package_python == "/home/me/mlcube/bin/python"


def test_link_among_the_inputs_brings_what_it_leads_to(cube_folder: CubeFolder) -> None:
    workspace = cube_folder.root / "workspace"
    (workspace / "seed.txt").rename(workspace / "real.txt")
    (workspace / "seed.txt").symlink_to("real.txt")
    invocation = load_cube(cube_folder.root, "tiny").cube.invocations[0]

    (bundle,) = task_data(invocation, workspace).bundles

    assert set(bundle.sent) == {"seed.txt", "real.txt", "data"}


def test_wheel_holds_the_whole_package(tmp_path: Path) -> None:
    """What is read from it is the code that runs here."""
    import subprocess  # noqa: PLC0415 - here alone
    import venv  # noqa: PLC0415 - here alone

    wheel = make_wheel(tmp_path)
    venv.create(tmp_path / "bare", with_pip=True)
    python = tmp_path / "bare/bin/python"
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel],
        timeout=120,
        check=True,
    )
    code = "from mlcube_conformance.runners.places.wheel import package_key as key"
    done = subprocess.run(
        [python, "-I", "-c", f"{code}; print(key())"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.strip() == package_key()
    assert sys.prefix != str(tmp_path / "bare")


def test_wheel_holds_all_that_the_package_reads(tmp_path: Path) -> None:
    """What was forgotten is missed on another host alone."""
    root = Path(mlcube_conformance.__file__).parent
    with ZipFile(make_wheel(tmp_path)) as wheel:
        sent = set(wheel.namelist())

    files = [each for each in root.rglob("*") if each.is_file()]
    needed = {
        f"{root.name}/{each.relative_to(root)}"
        for each in files
        if each.suffix != ".pyc"
    }
    assert f"{root.name}/formats/conformance.schema.json" in needed
    assert needed <= sent
    assert f"{root.name}/platforms/docker.yaml" in sent


def test_cube_chooses_no_settings_of_ssh(tmp_path: Path) -> None:
    text = "host: a.b\nplatform: docker\nssh_config: /etc/shadow\n"
    (tmp_path / "cube/platform").mkdir(parents=True)
    (tmp_path / "cube/mlcube.yaml").write_text("name: x\n")
    of_cube, own = tmp_path / "cube/platform/ssh.yaml", tmp_path / "ssh.yaml"
    for file in (of_cube, own):
        file.write_text(text)

    (refused,) = load_place(of_cube)[1]

    assert refused.what == "a platform file of a cube must not name an ssh_config"
    assert load_place(own)[1] == ()


@pytest.mark.parametrize("value", ["3.10", "0644", "12:30:00", "no", "1_000"])
def test_variables_of_a_host_stay_as_they_are_written(
    cube_folder: CubeFolder, value: str
) -> None:
    text = f"{LEAST}env: {{variables: {{A: {value}}}}}\n"

    assert _place(cube_folder, text).variables == {"A": value}
