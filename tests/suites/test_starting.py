"""Whose settings of pytest count: those of the current folder, and never a cube's."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.cube_folders import CubeFolder, make_cube

if TYPE_CHECKING:
    from pathlib import Path

USAGE: Final = 4
#: Python code that leaves a mark, and says where it came from.
_MARKS: Final = 'import os\nopen(os.environ["MARK"], "a").write(__file__)\n'
_SETTINGS: Final = {
    "pytest.ini": "[pytest]\naddopts = -p evil --deselect x\npythonpath = .\n",
    "tox.ini": "[pytest]\naddopts = -k nothing\n",
    "setup.cfg": "[tool:pytest]\naddopts = -k nothing\n",
    "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-k nothing"\n',
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return an empty folder to stand in."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


@pytest.fixture
def cube(place: Path) -> CubeFolder:
    """Return a cube with a task that passes, in a folder that pytest looks into."""
    folder = make_cube(place / "test-stranger")
    folder.fake_platform("pass")
    return folder


def _run(place: Path, *words: str | Path, **variables: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", *map(str, words)],
        cwd=place,
        env={**os.environ, "MARK": str(place / "mark"), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def _plant(cube: CubeFolder) -> None:
    """Lay out all by which a folder could have its own code run in a Python."""
    for name in ("conftest.py", "evil.py", "sitecustomize.py", "usercustomize.py"):
        cube.write(name, _MARKS)
        cube.write(f"build/{name}", _MARKS)
    for name in ("pip", "venv", "ensurepip", "pytest", "docker", "spython"):
        cube.write(f"{name}/__init__.py", _MARKS)
        cube.write(f"build/{name}/__init__.py", _MARKS)
    cube.write("evil.pth", "import evil\n")
    cube.write(".env", "PYTEST_ADDOPTS=-k nothing\nPYTEST_PLUGINS=evil\n")
    for name, text in _SETTINGS.items():
        cube.write(name, text)


_NAMED = ("--platform", "fake")


@pytest.mark.parametrize(
    "words",
    [
        ("mlcube_conformance", "test", "{cube}", *_NAMED),
        ("mlcube_conformance", "test", *_NAMED, "{cube}", "-n", "2"),
        ("mlcube_conformance", "test", "{cube}/mlcube.yaml", *_NAMED),
        ("mlcube_conformance", "test", "--cube", "{cube}", *_NAMED),
        ("mlcube_conformance", "test", "{cube}", *_NAMED, "--collect-only"),
        ("mlcube_conformance", "convert", "{cube}", "converted"),
        ("mlcube_docker_run", "configure", "--mlcube={cube}", "--platform=fake"),
        ("mlcube_local_run", "configure", "--mlcube={cube}", "--platform=local"),
        ("mlcube_local_run", "run", "--mlcube={cube}", "--platform=local", "--task=x"),
        ("mlcube_singularity_run", "run", "--mlcube={cube}", "--platform=singularity"),
    ],
    ids=" ".join,
)
def test_nothing_that_is_planted_in_a_cube_runs_here(
    words: tuple[str, ...], place: Path, cube: CubeFolder
) -> None:
    _plant(cube)

    code, said = _run(place, *(word.format(cube=cube.root) for word in words))

    assert not (place / "mark").exists(), (place / "mark").read_text() + said
    assert "Traceback" not in said
    if words[1] == "test":
        assert code == 0, said


def test_settings_of_the_current_folder_count(place: Path, cube: CubeFolder) -> None:
    _plant(cube)
    (place / "pytest.ini").write_text("[pytest]\naddopts = -k exits_zero\n")

    code, said = _run(place, "mlcube_conformance", "test", cube.root, *_NAMED)

    assert code == 0
    assert "2 passed" in said
    assert "configfile: pytest.ini" in said


def test_settings_above_the_current_folder_count(place: Path, cube: CubeFolder) -> None:
    (place / "setup.cfg").write_text("[metadata]\nname = x\n")
    (place / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\naddopts = "-k exits_zero"\n'
    )
    (place / "below").mkdir()

    code, said = _run(place / "below", "mlcube_conformance", "test", cube.root, *_NAMED)

    assert code == 0
    assert "2 passed" in said


@pytest.mark.parametrize(
    "setting",
    [
        "testpaths = nowhere",
        "python_files = check_*.py",
        "python_functions = check_*",
        "empty_parameter_set_mark = fail_at_collect",
    ],
)
@pytest.mark.parametrize("asked", ["a cube", "the current folder"])
def test_what_own_tests_are_called_counts_for_own_tests_alone(
    setting: str, asked: str, place: Path, cube: CubeFolder
) -> None:
    (place / "pytest.ini").write_text(f"[pytest]\nfilterwarnings = error\n{setting}\n")
    folder, words = (place, [cube.root]) if asked == "a cube" else (cube.root, [])

    code, said = _run(folder, "mlcube_conformance", "test", *words, *_NAMED)

    assert code == 0, said
    assert "17 passed" in said


@pytest.mark.parametrize("name", _SETTINGS)
@pytest.mark.parametrize("where", ["in the cube", "above the cube"])
def test_settings_of_a_cube_are_refused_by_plain_pytest(
    name: str, where: str, place: Path, tmp_path: Path
) -> None:
    cube = make_cube(tmp_path / "cubes" / "stranger")
    cube.fake_platform("fail")
    text = _SETTINGS[name].replace("-p evil ", "")
    folder = cube.root.parent if "above" in where else cube.root
    (folder / name).write_text(text)

    code, said = _run(place, "pytest", "--cube", cube.root, *_NAMED)

    assert code == USAGE
    assert f"{name} of a cube must not control this run" in said
    assert "mlcube-conformance test CUBE" in said


def test_options_of_a_plugin_in_the_settings_of_a_cube_are_told_so(
    place: Path, tmp_path: Path
) -> None:
    cube = make_cube(tmp_path / "stranger")
    cube.write("pytest.ini", "[pytest]\naddopts = --cov=src\n")

    code, said = _run(place, "pytest", "--cube", cube.root, "--platform", "docker")

    assert code == USAGE
    assert "pytest.ini of a cube must not control this run" in said


def test_cube_in_one_word_is_tested_by_plain_pytest(
    place: Path, cube: CubeFolder
) -> None:
    cube.write("pytest.ini", _SETTINGS["pytest.ini"])

    code, said = _run(place, "pytest", f"--cube={cube.root}", *_NAMED)

    assert code == 0
    assert "17 passed" in said


def test_conftest_of_a_cube_is_refused_before_it_runs(
    place: Path, cube: CubeFolder
) -> None:
    cube.write("conftest.py", _MARKS)

    code, said = _run(place, "pytest", f"--cube={cube.root}", *_NAMED)

    assert code == USAGE
    assert "conftest.py of a cube must not control this run" in said
    assert not (place / "mark").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("pytest", "--cube", "."),
        ("pytest", "--cube=."),
        ("mlcube_conformance", "test"),
        ("mlcube_conformance", "test", "."),
    ],
    ids=" ".join,
)
def test_cube_that_one_stands_in_is_ones_own(
    words: tuple[str, ...], cube: CubeFolder
) -> None:
    cube.write("pytest.ini", "[pytest]\naddopts = -k exits_zero\n")

    code, said = _run(cube.root, *words, *_NAMED)

    assert code == 0
    assert "2 passed" in said


def test_own_tests_run_by_the_command(place: Path, cube: CubeFolder) -> None:
    (place / "test_mine.py").write_text("def test_it(task_run): assert task_run\n")

    code, said = _run(
        place, "mlcube_conformance", "test", cube.root, "test_mine.py", *_NAMED
    )

    assert code == 0
    assert "2 passed" in said


def test_without_a_cube_the_command_says_what_it_needs(place: Path) -> None:
    code, said = _run(place, "mlcube_conformance", "test", *_NAMED)

    assert "no mlcube.yaml in the current folder" in said
    assert code == USAGE


_FOREIGN: Final = """
def pytest_addoption(parser):
    for name in ("--env", "--task", "--platform", "--network", "--format"):
        parser.addoption(name, dest="mine" + name)
"""


@pytest.mark.parametrize("asking", [(), ("--env=x", "--platform", "y")])
def test_options_of_others_may_have_our_names(
    asking: tuple[str, ...], place: Path
) -> None:
    (place / "conftest.py").write_text(_FOREIGN)
    (place / "test_it.py").write_text("def test_it(): pass\n")

    code, said = _run(place, "pytest", *asking)

    assert (code, "1 passed" in said) == (0, True), said


@pytest.mark.parametrize("where", ["words", "variable", "settings", "runner", "help"])
def test_our_options_are_there_where_we_are_asked_for(
    where: str, place: Path, cube: CubeFolder
) -> None:
    words = [f"--cube={cube.root}"]
    if where == "settings":
        (place / "pytest.ini").write_text(f"[pytest]\naddopts = {words[0]}\n")
    by_hand = {"words": words, "runner": ["--runner=none.yaml"], "help": ["--help"]}

    code, said = _run(
        place,
        *("pytest", *by_hand.get(where, []), *_NAMED, "-k", "exits_zero"),
        PYTEST_ADDOPTS=words[0] if where == "variable" else "",
    )

    assert "unrecognized" not in said
    if where == "help":
        assert "--build-arg=NAME" in said
    elif where == "runner":
        assert "--platform needs a cube" in said
    else:
        assert (code, "2 passed" in said) == (0, True), said


def test_a_misspelt_option_is_guessed(place: Path, cube: CubeFolder) -> None:
    words = (cube.root, "--platfrom=fake")

    code, said = _run(place, "mlcube_conformance", "test", *words)

    assert code == 4
    assert said.endswith("--platfrom: did you mean '--platform'?\n")


def test_an_option_that_is_like_none_is_not_guessed(
    place: Path, cube: CubeFolder
) -> None:
    code, said = _run(place, "mlcube_conformance", "test", cube.root, "--cob=1")

    assert code == 4
    assert "did you mean" not in said


def test_an_option_of_another_plugin_is_not_guessed(
    place: Path, cube: CubeFolder
) -> None:
    (place / "other.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--platforms')\n"
    )
    words = ("-p", "other", cube.root, "--platforms=x", *_NAMED, "--task=none")

    code, said = _run(
        place, "mlcube_conformance", "test", *words, PYTHONPATH=str(place)
    )

    assert code == 4
    assert "unknown task 'none'" in said
    assert "--platforms" not in said


@pytest.mark.parametrize("name", ["other.py", "conftest.py"])
def test_clash_with_another_plugin_is_told(
    name: str, place: Path, cube: CubeFolder
) -> None:
    (place / name).write_text(_FOREIGN)
    words = ("-p", "other") if name == "other.py" else ()

    code, said = _run(
        place, "pytest", *words, f"--cube={cube.root}", PYTHONPATH=str(place)
    )

    assert code == USAGE
    assert "already has the option" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        {"PYTEST_ADDOPTS": "--disable-plugin-autoload"},
        {"PYTEST_ADDOPTS": "-p no:mlcube_conformance.plugin"},
    ],
    ids=lambda given: " ".join(given.values()),
)
def test_command_brings_its_plugins_whatever_variables_say(
    place: Path, cube: CubeFolder, variables: dict[str, str]
) -> None:
    words = ("mlcube_conformance", "test", cube.root, "--platform", "fake")
    code, output = _run(place, *words, **variables)

    assert code == 0, output
    assert " passed in " in output


@pytest.mark.parametrize("name", ["plugin", "suites.own_settings"])
def test_without_its_plugins_the_command_runs_no_test_of_a_cube(
    place: Path, cube: CubeFolder, name: str
) -> None:
    cube.write("conftest.py", _MARKS)
    cube.write("test_own.py", f"{_MARKS}def test_it(): pass\n")
    option = f"no:mlcube_conformance.{name}"

    code, output = _run(place, "mlcube_conformance", "test", cube.root, "-p", option)

    assert code == USAGE, output
    assert f"omit -p {option}" in output
    assert not (place / "mark").exists()


@pytest.mark.parametrize("words", ["'", '-k "a', "\\"])
def test_options_with_an_open_quotation_are_refused(
    place: Path, cube: CubeFolder, words: str
) -> None:
    code, output = _run(
        *(place, "mlcube_conformance", "test", cube.root), PYTEST_ADDOPTS=words
    )

    assert code == USAGE
    assert output.startswith("PYTEST_ADDOPTS cannot be split into options\n"), output
    assert "Traceback" not in output


def test_no_room_for_the_cache_of_pytest_is_no_warning(
    place: Path, cube: CubeFolder
) -> None:
    (place / ".pytest_cache").write_text("no folder")

    words = ("mlcube_conformance", "test", cube.root, "--platform", "fake")
    code, output = _run(place, *words)

    assert code == 0, output
    assert "PytestCacheWarning" not in output
    assert "warnings summary" not in output
