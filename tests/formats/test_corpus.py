"""The shapes in which others write cubes, each with the right answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mlcube_conformance.base.errors import Unsupported
from mlcube_conformance.formats.platforms import find_platform, load_platform
from mlcube_conformance.plan.selection import select

_FILE = Path(__file__).with_name("corpus.yaml")
ROWS: list[dict[str, Any]] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
#: What a cube has where a row says nothing else: a task with an input and an output.
_TASKS = """
tasks:
  work:
    parameters:
      inputs: {seed: seed.txt}
      outputs: {made: made/}
"""


def write_row(row: dict[str, Any], root: Path) -> Path:
    """Write the files of a row, and return what `--cube` names."""
    (root / "workspace").mkdir(parents=True)
    (root / "workspace/seed.txt").write_text("seed\n")
    if "docker" in row:
        section = f"docker: {{image: a/b:1, {row['docker']}}}"
        (root / "mlcube.yaml").write_text(f"name: tiny\n{section}\n{_TASKS}")
    if "run_args" in row:
        row = row | {"file": f"docker: {{image: a/b:1}}\n{_TASKS}"}
        (root / "platform").mkdir()
        (root / "platform/here.yaml").write_text(
            'platform: {name: docker, version: ">=18"}\n'
            f"container: {{image: a/b:1, run_args: {row['run_args']!r}}}\n"
        )
    if "more" in row:
        text = f"name: tiny\ndocker: {{image: a/b:1}}\n{_TASKS}{row['more']}\n"
        (root / "mlcube.yaml").write_text(text)
    if "file" in row:
        (root / row.get("name", "mlcube.yaml")).write_text(row["file"])
    for name, text in row.get("files", {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root / str(row.get("name", ""))


def _answers(row: dict[str, Any], place: Path) -> dict[str, str]:
    """Return what is said of a cube, by the kind of answer."""
    platform = "here" if "run_args" in row else row.get("platform", "docker")
    named = platform if platform in {"docker", "here"} else "docker"
    (found,) = select([str(place)], [], [], []).cubes
    problems, limits = [*found.problems], [*found.limits]
    if not problems and found.cube.invocations:
        file = find_platform(named, found.cube)
        read, more = load_platform(file, found.cube)
        problems += more
        limits += read.limits if read else ()
    trouble = found.cube.docker.trouble
    if isinstance(trouble, Unsupported):
        limits += trouble.messages
    said = {"refused": problems, "unsupported": limits, "note": found.warnings}
    return {key: "\n".join(map(str, each)) for key, each in said.items() if each}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["shape"])
def test_shape_gets_its_answer(row: dict[str, Any], tmp_path: Path) -> None:
    place = write_row(row, tmp_path / "tiny")

    said = _answers(row, place)

    expected = {
        key: row[key] for key in ("refused", "unsupported", "note") if key in row
    }
    assert said.keys() - {"note"} == expected.keys() - {"note"}, said
    for key, words in expected.items():
        for each in words if isinstance(words, list) else [words]:
            assert each in said.get(key, ""), said
    for each in ("Node(", "tag:yaml", "Traceback", "object at", "NoneType"):
        assert each not in "".join(said.values())
    assert len(said.get("refused", "").split("\n\n")) <= row.get("most", 1)


def test_the_corpus_is_not_empty() -> None:
    shapes = [row["shape"] for row in ROWS]

    assert len(shapes) >= 60
    assert len(shapes) == len(set(shapes))
