"""What is read of others: valid examples of each format, and who reads them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import ConformanceError, Violation
from mlcube_conformance.formats.cubes import load_cube
from mlcube_conformance.formats.expected_failures import load_expected_failures
from mlcube_conformance.formats.platforms import load_platform
from mlcube_conformance.formats.runner_description import load_runner_description
from mlcube_conformance.model import Cube, PlatformFile
from mlcube_conformance.plan.definitions import check_definitions
from mlcube_conformance.results.judgements import Scorecard
from mlcube_conformance.runners.common.dockerfile.ignore import kept_files, patterns_of
from mlcube_conformance.runners.common.dockerfile.stages import read_recipe
from mlcube_conformance.runners.local.requirements import requirement_files
from mlcube_conformance.runners.singularity.definition import DefinitionError
from mlcube_conformance.runners.singularity.parsing import parse
from mlcube_conformance.runners.singularity.templates import filled
from tests.cube_folders import make_cube

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Reader", "readers"]

_OURS = (Violation, ConformanceError)

_SINGLE = """\
name: tiny
version: 0.1.0
platform: {accelerator_count: 0}
x: &x {type: file, default: "${name}.txt", opts: ro}
docker:
  image: ${name}:1
  docker: docker
  build_context: build
  build_file: Dockerfile
  build_strategy: auto
  env_args: {A: 1, B: "${docker.image}"}
  gpu_args: --shm-size=1g --ipc host
  --network: none
singularity: {image: a.sif, image_dir: $WORKSPACE/i, run_args: --nv, build_file: S}
tasks:
  t:
    entrypoint: python /app/t.py
    parameters:
      inputs: {i: *x, j: data/}
      outputs:
        o: {type: directory, default: "${workspace}/o"}
"""
_PROMISES = "tasks: {make: {deterministic: [data], optional: true}}\n"
_PLATFORMS = (
    """\
schema_type: mlcube_platform
schema_version: 0.1.0
platform: {name: docker, version: ">=18.01"}
container:
  image: a/${name}:${version}
  runtime: runc
  command: docker
  run_args: --network=none --gpus all --shm-size 1g --security-opt label=x
""",
    """\
schema_type: mlcube_docker
schema_version: 1.0.0
image: a/b:c
docker_runtime: nvidia-docker
""",
    """\
schema_type: mlcube_platform
schema_version: 0.1.0
platform: {name: singularity, version: ">=3.5"}
container: {image: "~/a/${place}.sif", command: apptainer, run_args: --nv}
""",
    """\
host: somewhere.org
user: me
port: 22
jump: a@b:22,c
authentication: {user: me, identity_file: ~/.ssh/id}
known_hosts: known
fingerprint: ["SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
ssh_config: config
platform: docker.yaml
interpreter: {type: virtualenv, python: python3, requirements: a>=1 b, location: v}
env: {path: ~/mlcube, sync: true, variables: {A: b}}
mlcube: {path: ~/cubes, sync: false}
""",
)
_DOCKERFILE = """\
# syntax=docker/dockerfile:1
ARG BASE=busybox
FROM ${BASE} AS first
ENV A=1 B="two words" C=$A${B:-x}
WORKDIR /work/${A}
COPY --chown=1:1 ["a b", "c/"]
RUN apt-get update && \\
    apt-get install -y \\
    # a comment
    python3
FROM first
ARG D
COPY *.py data/ /app/
ADD x.tar.gz /
USER nobody
ENTRYPOINT ["python", "/app/t.py"]
CMD t
"""
_IGNORE = """\
# what is not sent
.git
**/*.pyc
data/**/tmp?
/a[0-9]*b*c
!a1bkeep
build/../x/
"""
_DEFINITION = """\
Bootstrap: docker
From: {{ base }}
Stage: build

%arguments
    base=busybox:stable

%files
    data/* /data
    run.sh

%environment
    export A=1

%post -c /bin/bash
    echo {{ base }}

%runscript
    exec /bin/sh /run.sh "$@"

%labels
    a b
%appinstall x
    true
"""
_REQUIREMENTS = """\
# what is needed
numpy>=1.20 ; python_version > "3"
-r more.txt
--constraint=constraints.txt
-e ./data \\
  --no-deps
--index-url https://me@host/simple
"""
_EXPECTED = """\
- clause: EXIT-2
  reason: known
- {clause: FILE-10, reason: "because: of"}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One who reads, and what is valid for it."""

    name: str
    valid: str
    read: Callable[[str], object]
    refuses_by: tuple[type[BaseException], ...] = _OURS
    """Errors that it is documented to raise."""


def readers(place: Path) -> tuple[Reader, ...]:
    """Return all who read files of others.

    Args:
        place: An empty folder for the files.
    """
    return (
        *_readers_of_cubes(place),
        *_readers_of_platforms(place / "platforms"),
        *_readers_of_recipes(place / "context"),
        *_readers_of_runners(place / "runners"),
    )


def _readers_of_cubes(place: Path) -> list[Reader]:
    several = make_cube(place / "several").root
    single = place / "single"
    (single / "build").mkdir(parents=True)

    def of(root: Path, name: str, valid: str = "") -> Reader:
        file = root / name
        text = valid or file.read_text(encoding="utf-8")

        def read(changed: str) -> object:
            _write(file, changed)
            try:
                return check_definitions(load_cube(root, root.name))
            finally:
                _write(file, text)

        _write(file, text)
        return Reader(name=f"{root.name} {name}", valid=text, read=read)

    names = ("mlcube.yaml", "tasks/make.yaml", "run/use.yaml")
    return [
        *(of(several, name) for name in names),
        of(several, "conformance.yaml", _PROMISES),
        of(single, "mlcube.yaml", _SINGLE),
    ]


def _readers_of_platforms(place: Path) -> list[Reader]:
    place.mkdir()
    cube = Cube(id="c", root=place, name="c", version="1.0.0", invocations=())
    file = place / "platform.yaml"

    def read(changed: str) -> object:
        _write(file, changed)
        return load_platform(PlatformFile(path=file), cube)

    return [
        Reader(name=f"platform file {index}", valid=valid, read=read)
        for index, valid in enumerate(_PLATFORMS)
    ]


def _readers_of_recipes(place: Path) -> list[Reader]:
    for name in ("data/sub/tmp1", "a1bkeep", "run.sh", "x/y.pyc", "a.py"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("x")
    (place / ("a" * 250)).write_text("x")
    for name in ("more.txt", "constraints.txt"):
        (place / name).write_text("numpy\n")
    cube = make_cube(place.with_name("requirements")).root
    build = Cube(id="c", root=cube, name="c", version="1", invocations=())
    for name in ("more.txt", "constraints.txt"):
        (cube / "build" / name).write_text("numpy\n")

    def ignore(changed: str) -> object:
        _write(place / ".dockerignore", changed)
        return kept_files(place, patterns_of(place, place / "Dockerfile"))

    def requirements(changed: str) -> object:
        _write(cube / "build/requirements.txt", changed)
        return requirement_files(build)

    def definition(changed: str) -> object:
        return str(parse(filled(changed[:_READ], {"base": "x"}), (place,), ()))

    return [
        Reader(
            name="Dockerfile",
            valid=_DOCKERFILE,
            read=lambda changed: read_recipe(changed[:_READ], {"D": "e"}),
            refuses_by=(ValueError,),
        ),
        Reader(
            name=".dockerignore",
            valid=_IGNORE,
            read=ignore,
            refuses_by=(*_OURS, OSError, ValueError),
        ),
        Reader(name="requirements.txt", valid=_REQUIREMENTS, read=requirements),
        Reader(
            name="Singularity.recipe",
            valid=_DEFINITION,
            read=definition,
            refuses_by=(DefinitionError,),
        ),
    ]


def _readers_of_runners(place: Path) -> list[Reader]:
    place.mkdir()
    spec = find_spec("conformance_tests.runner")
    assert spec is not None
    assert spec.origin is not None
    description = Path(spec.origin).parent / "descriptions/docker.yaml"
    file = place / "file.yaml"

    def of(name: str, valid: str, load: Callable[[Path], object]) -> Reader:
        def read(changed: str) -> object:
            _write(file, changed)
            return load(file)

        return Reader(name=name, valid=valid, read=read)

    card = Scorecard("docker", "1", "2026-11-24", "0.3.0", ()).to_json()
    return [
        of("description", description.read_text("utf-8"), load_runner_description),
        of("expected failures", _EXPECTED, load_expected_failures),
        Reader(name="scorecard", valid=card, read=Scorecard.from_json),
    ]


#: Characters of a recipe that are handed to its reader: files are bounded before.
_READ = 256 * 1024


def _write(file: Path, text: str) -> None:
    # Also what is not UTF-8 at all.
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
