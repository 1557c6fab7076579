"""What answers on another host: a line for each line, and no trace of a look."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from tests import warm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_AGENT = warm.python("mlcube_conformance.runners.places.agent")


def _said(argv: Sequence[str | Path], text: str = "", **variables: str) -> list[str]:
    """Return the lines that a program says to a text."""
    done = subprocess.run(
        argv,
        input=text,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
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


@pytest.fixture
def own_python(tmp_path: Path) -> Path:
    """Return a Python of its own that has the package, and says something each time."""
    venv.create(tmp_path / "here/own", with_pip=False)
    (packages,) = (tmp_path / "here/own").glob("lib/python*/site-packages")
    lines = [
        *(Path(click.__file__).parent.parent, Path(__file__).parents[4]),
        "import sys; print('Python of this site')",
    ]
    (packages / "here.pth").write_text("\n".join(map(str, lines)), encoding="utf-8")
    return tmp_path / "here/own/bin/python"


def _wanted(python: Path, **changes: object) -> dict[str, Any]:
    """Return the environment of that Python, as it is asked for."""
    asked = "from mlcube_conformance.runners.places.wheel import package_key as key"
    return {
        "root": str(python.parents[3] / "root"),
        "kind": "system",
        "location": str(python.parents[2]),
        "name": "own",
        "requirements": [],
        "key": _said([python, "-c", f"{asked}; print(key())"])[-1],
        **changes,
    }


def _asked(python: Path, request: Mapping[str, Any], **variables: str) -> Any:  # noqa: ANN401 - JSON
    """Return the answer of a Python, which says something else first."""
    *said, answer = _said(
        [python, "-m", "mlcube_conformance.runners.places.agent"],
        json.dumps(request),
        **variables,
    )
    assert {*said} == {"Python of this site"}
    return json.loads(answer)


@pytest.mark.parametrize("do", ["environment", "ready"])
def test_python_that_has_the_package_needs_no_other(do: str, own_python: Path) -> None:
    wanted = _wanted(own_python)

    answer = _asked(own_python, {"do": do, **wanted})

    assert answer["python"] == str(own_python)
    assert answer["root"] == wanted["root"]
    assert not Path(wanted["root"]).exists()


@pytest.mark.parametrize(
    ("changes", "is_ready"),
    [
        ({}, True),
        ({"requirements": ["click"]}, False),
        ({"key": "of another version"}, False),
        ({"name": "other"}, False),
    ],
)
def test_environment_is_ready_for_what_it_was_made_for(
    changes: dict[str, Any],
    is_ready: bool,  # noqa: FBT001 - a parameter
    own_python: Path,
) -> None:
    wanted = _wanted(own_python, kind="virtualenv")
    before = _asked(own_python, {"do": "ready", **wanted})
    made_for = {"key": wanted["key"], "requirements": []}
    marker = own_python.parents[1] / "mlcube-conformance.json"
    marker.write_text(json.dumps({**made_for, "python": list(sys.version_info[:2])}))

    after = _asked(own_python, {"do": "ready", **wanted, **changes})

    assert before["python"] == ""
    assert after["python"] == (str(own_python) if is_ready else "")


def test_package_that_a_variable_brings_is_not_ready(own_python: Path) -> None:
    request = {"do": "ready", **_wanted(own_python)}

    found = _asked(own_python, request, PYTHONPATH=str(Path(__file__).parents[4]))

    assert found["python"] == ""
