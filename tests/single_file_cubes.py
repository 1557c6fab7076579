"""Cubes of one file, in the shapes in which others write them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from tests.cube_folders import BUSYBOX, CubeFolder, note_made

if TYPE_CHECKING:
    from pathlib import Path

_DOCKERFILE = f"""\
FROM {BUSYBOX}
LABEL test={{name}}
COPY work.sh /app/work.sh
ENTRYPOINT ["/bin/sh", "/app/work.sh"]
"""

_HELLO = """\
name: hello_world
description: Greets, and says so in a file whose folder is not there yet
authors:
  - {name: Somebody, email: somebody@example.org, org: Example}
platform:
  accelerator_count: 0
  accelerator_maker: NVIDIA
  host_memory_gb: 4
docker:
  image: mlcube-conformance/{name}:0.0.1
  build_strategy: auto
tasks:
  hello:
    parameters:
      inputs:
        name: {type: file, default: names/alice.txt}
      outputs:
        chat: {type: file, default: chats/chat_with_alice.txt}
  bye:
    parameters:
      inputs:
        name: {type: file, default: names/alice.txt}
      outputs:
        chat: {type: file, default: chats/chat_with_alice.txt}
"""
_HELLO_WORK = """\
set -eu
echo "$1, $(cat "${2#--name=}")!" >> "${3#--chat=}"
"""

_MATMUL = """\
name: matmul
docker:
  image: mlcube-conformance/{name}:0.0.1
  build_context: build
  build_strategy: always
singularity:
  image: matmul.sif
  run_args: --writable-tmpfs
tasks:
  matmul:
    parameters:
      inputs:
        parameters_file: {type: file, default: shapes.yaml}
      outputs:
        output_file: {type: file, default: matmul.txt}
"""
_MATMUL_WORK = """\
set -eu
test "$1" = matmul
cat "${2#--parameters_file=}" > "${3#--output_file=}"
"""

_METRICS = """\
name: FeTS challenge, metrics
version: ${oc.env:METRICS_VERSION,1.0}
docker:
  image: mlcube-conformance/{name}:${version}
  build_context: "../project"
  build_file: "Dockerfile"
  build_strategy: ${strategy}
strategy: auto
tasks:
  evaluate:
    entrypoint: "sh /app/work.sh"
    parameters:
      inputs:
        predictions: data/predictions/
        labels: {type: directory, default: data/ground_truth/}
        parameters_file: parameters.yaml
        checkpoint: {type: file, default: "null"}
        subjects: {type: file, default: more/labels.csv}
      outputs:
        output_path: {type: "file", default: "results/new/results.yaml"}
  clean:
    entrypoint: /app/work.sh
    parameters:
      inputs:
        predictions: data/predictions/
      outputs:
        predictions: data/predictions/
  sanity_check:
    parameters:
      inputs: {predictions: data/predictions/, parameters_file: parameters.yaml}
"""
_METRICS_WORK = """\
#!/bin/sh
set -eu
echo "$# arguments, first $1"
for each; do
  case $each in
    --output_path=*) echo "score: 1" > "${each#*=}" ;;
    --predictions=*) test "$#" != 2 || echo clean > "${each#*=}/clean" ;;
  esac
done
"""


def _make(root: Path, text: str, work: str, build: str) -> CubeFolder:
    name = f"test-{uuid4().hex[:12]}"
    note_made(name)
    cube = CubeFolder(root)
    cube.write("mlcube.yaml", text.replace("{name}", name))
    cube.write(f"{build}/Dockerfile", _DOCKERFILE.replace("{name}", name))
    cube.write(f"{build}/work.sh", work).chmod(0o755)
    return cube


def make_hello_world(root: Path) -> CubeFolder:
    """Write a cube that is its own build context, and makes the folder of a file."""
    cube = _make(root, _HELLO, _HELLO_WORK, ".")
    cube.write("workspace/names/alice.txt", "Alice")
    return cube


def make_matmul(root: Path) -> CubeFolder:
    """Write a cube of one task, whose input and output are in one folder."""
    cube = _make(root, _MATMUL, _MATMUL_WORK, "build")
    cube.write("workspace/shapes.yaml", "a: [100, 30]\n")
    return cube


def make_metrics(root: Path) -> CubeFolder:
    """Write a cube with what is odd: entry points, a context elsewhere, no inputs."""
    cube = _make(root / "mlcube", _METRICS, _METRICS_WORK, "../project")
    for each in ("predictions", "ground_truth"):
        cube.write(f"workspace/data/{each}/subject", "1\n")
    cube.write("workspace/parameters.yaml", "threshold: 0.5\n")
    return cube
