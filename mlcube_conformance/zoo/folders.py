"""Writes the two cubes of an animal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from mlcube_conformance.zoo.animals import Animal, Half

__all__ = ["BASE", "HALVES", "files_of", "write_animal"]

HALVES: Final[tuple[Half, ...]] = ("broken", "sound")
#: Image that the cubes are built from: a shell and the usual commands.
BASE: Final = "busybox:1.37"

_ONE_FILE = {
    "mlcube.yaml": """\
name: NAME
docker:
  image: mlcube-conformance/zoo-NAME:1
  build_context: build
  build_strategy: auto
tasks:
  make:
    parameters:
      inputs:
        seed: {type: file, default: seed.txt}
      outputs:
        out: {type: file, default: made/out}
""",
}
_SEVERAL_FILES = {
    "mlcube.yaml": """\
schema_type: mlcube_root
schema_version: 1.0.0
name: NAME
author: Somebody
version: 0.1.0
mlcube_spec_version: 0.1.0
tasks: [tasks/make.yaml]
""",
    "tasks/make.yaml": """\
schema_type: mlcube_task
schema_version: 1.0.0
inputs:
  - {name: seed, type: file}
outputs:
  - {name: out, type: file}
""",
    "run/make.yaml": """\
schema_type: mlcube_invoke
schema_version: 1.0.0
task_name: make
input_binding: {seed: $WORKSPACE/seed.txt}
output_binding: {out: $WORKSPACE/made/out}
""",
    "platform/docker.yaml": """\
schema_type: mlcube_platform
schema_version: 1.0.0
platform: {name: docker, version: ">=20"}
container: {image: "mlcube-conformance/zoo-NAME:1"}
""",
}
_COMMON = {
    "build/Dockerfile": """\
FROM BASE
LABEL zoo=NAME
COPY task.sh /task.sh
USER 1000
ENTRYPOINT ["/bin/sh", "/task.sh"]
""",
    "workspace/seed.txt": "seed\n",
}
_FORMS = {"one file": _ONE_FILE, "several files": _SEVERAL_FILES}

#: Begins the script of the task: each `--name=value` becomes a variable.
_SCRIPT = """\
set -eu
for word; do
  case $word in
    --*) word=${word#--}; export "${word%%=*}=${word#*=}" ;;
  esac
done
"""
_DOES = 'cat "$seed" > "$out"'


def write_animal(animal: Animal, half: Half, folder: Path, base: str = BASE) -> None:
    """Write one of its two cubes into a folder, which must not exist.

    The small cube copies `seed` to `out`. A description changes it by these keys:
    `does`, what the task does; `starts`, its whole script; `promises`, the text of its
    conformance.yaml; `files`, a text for each path; `edits`, an old and a new text for
    each path; `without`, paths to remove; `links`, a target for each path; `folders`,
    paths to make; `pipes`, paths to make; `runs`, paths that get the exec bit.

    Args:
        animal: What is written.
        half: Which of its two cubes.
        folder: Where it is written.
        base: Image that it is built from.

    Raises:
        OSError: It cannot be written.
    """
    changes = animal.changes(half)
    folder.mkdir(parents=True)
    for path, text in files_of(animal, half, base).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    for path in changes.get("folders", ()):
        (folder / path).mkdir(parents=True)
    for path, target in changes.get("links", {}).items():
        (folder / path).symlink_to(target)
    for path in changes.get("pipes", ()):
        os.mkfifo(folder / path)
    for path in changes.get("runs", ()):
        (folder / path).chmod(0o755)


def files_of(animal: Animal, half: Half, base: str = BASE) -> dict[str, str]:
    """Return the text of each file of one of its two cubes, by its path."""
    changes = animal.changes(half)
    files = {**_FORMS[animal.form], **_COMMON}
    files["build/task.sh"] = changes.get(
        "starts", f"{_SCRIPT}{changes.get('does', _DOES)}\n"
    )
    if "promises" in changes:
        files["conformance.yaml"] = changes["promises"]
    files |= changes.get("files", {})
    for path, edits in changes.get("edits", {}).items():
        for old, new in edits.items():
            files[path] = files[path].replace(old, new)
    without = changes.get("without", ())
    return {
        path: text.replace("NAME", f"{animal.name}-{half}").replace("BASE", base)
        for path, text in files.items()
        if path not in without
    }
