"""Small cubes on the disk, whole or broken in one way, for tests."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

if TYPE_CHECKING:
    from pathlib import Path

#: Image that the small cubes are built from: a shell and the usual commands.
BUSYBOX: Final = os.environ.get("MLCUBE_CONFORMANCE_BASE_BUSYBOX", "busybox:stable")

_ROOT = """\
schema_type: mlcube_root
schema_version: 1.0.0
name: {name}
author: Someone
version: 0.1.0
mlcube_spec_version: 0.1.0
tasks: [tasks/make.yaml, tasks/use.yaml]
"""

_TASK_MAKE = """\
schema_type: mlcube_task
schema_version: 1.0.0
inputs:
  - {name: seed, type: file}
outputs:
  - {name: data, type: directory}
"""

_TASK_USE = """\
schema_type: mlcube_task
schema_version: 1.0.0
inputs:
  - {name: data, type: directory}
outputs:
  - {name: result, type: file}
"""

_RUN_MAKE = """\
schema_type: mlcube_invoke
schema_version: 1.0.0
task_name: make
input_binding: {seed: $WORKSPACE/seed.txt}
output_binding: {data: $WORKSPACE/data}
"""

_RUN_USE = """\
schema_type: mlcube_invoke
schema_version: 1.0.0
task_name: use
input_binding:
  data: $WORKSPACE/data
output_binding:
  result: $WORKSPACE/out/result.txt
"""

# The label keeps two cubes from sharing layers: while one is built, those of the other
# may be removed.
_DOCKERFILE = f"""\
FROM {BUSYBOX}
LABEL test={{name}}
COPY task.sh /task.sh
ENTRYPOINT ["/bin/sh", "/task.sh"]
"""

_TASK_SCRIPT = """\
set -eu
task=$1
shift
for argument; do
  name=${argument%%=*}
  export "${name#--}=${argument#*=}"
done
"""

#: What each task does unless a test says otherwise.
MAKE = 'echo making; cat "$seed" > "$data/part"'
USE = 'cat "$data/part" > "$result"'

_FAKE_PLATFORM = """\
schema_type: mlcube_platform
schema_version: 1.0.0
platform: {name: fake, version: ">=0"}
container: {image: BEHAVIOUR}
"""


@dataclass(frozen=True, slots=True)
class CubeFolder:
    """A cube of a test."""

    root: Path

    def write(self, path: str, text: str) -> Path:
        """Write one of its files."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands in one of its files."""
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        self.write(path, text.replace(old, new))

    def tasks(self, *, make: str = MAKE, use: str = USE) -> None:
        """Say what its tasks do, as shell commands inside the image."""
        script = f'case "$task" in\nmake)\n{make}\n;;\nuse)\n{use}\n;;\nesac\n'
        self.write("build/task.sh", _TASK_SCRIPT + script)

    def fake_platform(self, behaviour: str, name: str = "fake") -> None:
        """Give it a platform without containers."""
        self.write(
            f"platform/{name}.yaml", _FAKE_PLATFORM.replace("BEHAVIOUR", behaviour)
        )


_MADE: list[str] = []


def note_made(name: str) -> None:
    """Remember the name of an image that a test makes."""
    _MADE.append(name)


def drain_made() -> list[str]:
    """Return the names of the cubes made since the last call."""
    names = _MADE.copy()
    _MADE.clear()
    return names


def make_cube(root: Path) -> CubeFolder:
    """Write a small cube that is sound: `make` copies a seed, `use` reads it."""
    cube = CubeFolder(root)
    name = f"test-{uuid4().hex[:12]}"
    note_made(name)
    cube.write("mlcube.yaml", _ROOT.format(name=name))
    cube.write("tasks/make.yaml", _TASK_MAKE)
    cube.write("tasks/use.yaml", _TASK_USE)
    cube.write("run/make.yaml", _RUN_MAKE)
    cube.write("run/use.yaml", _RUN_USE)
    cube.write("build/Dockerfile", _DOCKERFILE.replace("{name}", name))
    cube.write("workspace/seed.txt", "seed\n")
    cube.tasks()
    return cube
