"""What answers on another host: a line for each line, and no trace of a look."""

from __future__ import annotations

import json
import subprocess
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tests import warm

if TYPE_CHECKING:
    from collections.abc import Sequence

_AGENT = warm.python("mlcube_conformance.runners.places.agent")


def _said(argv: Sequence[str | Path], text: str = "") -> list[str]:
    """Return the lines that a program says to a text."""
    done = subprocess.run(
        argv, input=text, capture_output=True, text=True, timeout=60, check=True
    )
    assert not done.stderr
    return done.stdout.splitlines()


def _answers(text: str) -> list[dict[str, Any]]:
    """Return what it answers to a text, by the order of its lines."""
    return [json.loads(each) for each in _said(_AGENT, text)]


def test_each_line_has_its_answer(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    names = {"do": "names", "base": str(tmp_path), "names": ["file", "none"]}
    fails = {"do": "claim", "folder": str(tmp_path / "file/below"), "whose": ["a"]}

    found = _answers(
        "".join(
            json.dumps({**each, "number": number}) + "\n"
            for number, each in enumerate((names, fails, names), start=1)
        )
    )

    assert [each["to"] for each in found] == [1, 2, 3]
    assert found[0]["names"] == found[2]["names"] == ["file"]
    assert "Not a directory" in found[1]["error"]["found"]


def test_one_request_needs_neither_a_number_nor_a_newline(tmp_path: Path) -> None:
    request = json.dumps({"do": "names", "base": str(tmp_path), "names": []})

    (found,) = _answers(request)

    assert found["names"] == []


def test_asking_for_a_job_leaves_its_folder_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "job.json").write_text("{}", encoding="utf-8")
    asked = [
        {"do": do, "folder": str(tmp_path / name), "grace": 1}
        for do in ("look", "stop")
        for name in ("run", "none", "nowhere/run")
    ]

    found = _answers("".join(f"{json.dumps(each)}\n" for each in asked))

    assert [each["state"] for each in found] == ["lost", "none", "none"] * 2
    assert [each.name for each in tmp_path.rglob("*")] == ["run", "job.json"]


def test_python_that_says_something_each_time_needs_no_other_package(
    tmp_path: Path,
) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    lines = [
        *(Path(click.__file__).parent.parent, Path(__file__).parents[4]),
        "import sys; print('Python of this site')",
    ]
    (packages / "here.pth").write_text("\n".join(map(str, lines)), encoding="utf-8")
    python = str(tmp_path / "venv/bin/python")
    asked = "from mlcube_conformance.runners.places.wheel import package_key as key"
    key = _said([python, "-c", f"{asked}; print(key())"])[-1]
    request = {"do": "environment", "root": str(tmp_path / "root"), "kind": "system"}

    *said, answer = _said(
        [python, "-m", "mlcube_conformance.runners.places.agent"],
        json.dumps({**request, "key": key}),
    )

    assert {*said} == {"Python of this site"}
    assert json.loads(answer)["python"] == python
    assert not (tmp_path / "root").exists()
