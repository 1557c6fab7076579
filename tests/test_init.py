"""`mlcube-conformance init`: each template is a cube that passes at once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from mlcube_conformance.commands.project import app
from tests.command import call
from tests.cube_folders import BUSYBOX

_PYTHON = os.environ.get("MLCUBE_CONFORMANCE_BASE_TORCH", "python:3.12-slim")
TEMPLATES = ("python", "shell", "medperf")
_TEST = ("test", "-p", "no:cacheprovider")


def _files(folder: Path) -> set[str]:
    return {str(x.relative_to(folder)) for x in folder.rglob("*") if x.is_file()}


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_cube_passes_all_tests_and_its_own(template: str, tmp_path: Path) -> None:
    made = call("init", "my-cube", f"--template={template}", place=tmp_path)
    cube = tmp_path / "my-cube"

    assert made.returncode == 0, made.stderr
    said, then = made.stdout.splitlines()
    assert {*said.partition(": ")[2].split(", ")} == _files(cube)
    assert then == "next: cd my-cube && mlcube-conformance test"
    for words in ([], [".", "test_my-cube.py"]):
        done = call(*_TEST, *words, "--platform=local", place=cube)
        assert done.returncode == 0, done.stdout
    valid = call("validate", ".", place=cube)
    assert valid.returncode == 0, valid.stdout
    # What the runs left is not for git.
    assert ".mlcube-conformance/" in (cube / ".gitignore").read_text()


@pytest.mark.docker
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_cube_passes_on_docker(template: str, tmp_path: Path) -> None:
    call("init", "my-cube", f"--template={template}", place=tmp_path)
    base = BUSYBOX if template == "shell" else _PYTHON

    words = ("--platform=docker", "--level=L4", f"--build-arg=BASE_IMAGE={base}")
    done = call(*_TEST, *words, place=tmp_path / "my-cube", timeout=300)

    assert done.returncode == 0, done.stdout
    assert "L4" in done.stdout.splitlines()[-2]


def test_the_name_stands_in_each_file_that_needs_it(tmp_path: Path) -> None:
    call("init", "deep/other.2", place=tmp_path)
    cube = tmp_path / "deep/other.2"

    assert yaml.safe_load((cube / "mlcube.yaml").read_text())["name"] == "other.2"
    test = (cube / "test_other_2.py").read_text("utf-8")  # a name of a module
    assert "mlcube-conformance test . test_other_2.py" in test
    for each in _files(cube):
        assert "hello" not in each + (cube / each).read_text("utf-8")


@pytest.mark.parametrize("folder", ["a b", "$(touch made)", "-x", "it's"])
def test_the_next_command_can_be_given_to_a_shell(folder: str, tmp_path: Path) -> None:
    made = call("init", f"./{folder}/one", place=tmp_path)

    (first,) = re.findall("next: (.+) && mlcube-conformance test", made.stdout)
    went = subprocess.run(
        ["/bin/sh", "-c", f"{first} && pwd"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert went.stdout == f"{tmp_path / folder / 'one'}\n", went.stderr


def test_in_a_repository_the_place_of_the_workflow_is_told(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()

    made = call("init", "cubes/one", place=tmp_path)

    told = f"for GitHub: move .github to {tmp_path}, where it is read"
    assert made.stdout.splitlines()[2:] == [told]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()

    done = call("init", ".", place=tmp_path / "one")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "next: mlcube-conformance test"
    assert (tmp_path / "one/mlcube.yaml").is_file()


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("My Cube", "my-cube"),
        ("-x", "x"),
        ("a--b", "a-b"),
        ("$(id)", "id"),
        ("a" * 65, "a" * 64),
        ("名前", "hello"),
        ("a\nb", "a-b"),
    ],
)
def test_a_name_that_no_image_can_have_is_refused(
    name: str, like: str, tmp_path: Path
) -> None:
    done = call("init", "--", name, place=tmp_path)

    assert done.returncode == 2
    assert f"write mlcube-conformance init {like}\n" in done.stderr
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dead link"])
def test_what_is_there_stays_as_it_is(kind: str, tmp_path: Path) -> None:
    place, other = tmp_path / "hello", tmp_path / "other"
    if kind == "file":
        place.write_text("mine")
    elif kind == "folder":
        place.mkdir()
        (place / "mlcube.yaml").write_text("mine")
    else:
        place.symlink_to(other)
        if kind == "link":
            other.mkdir()
    before = sorted(map(str, tmp_path.rglob("*")))

    done = call("init", "hello", place=tmp_path)

    assert done.returncode == 2
    assert "there is something already" in done.stderr
    assert sorted(map(str, tmp_path.rglob("*"))) == before


def test_a_path_deeper_than_calls_go_is_refused(tmp_path: Path) -> None:
    done = call("init", "a/" * 1500 + "hello", place=tmp_path)

    assert done.returncode == 2
    assert "folders nested more than 300 deep" in done.stderr
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("fault", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_what_was_begun_is_taken_back(
    *,
    there: bool,
    fault: BaseException,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if there:
        (tmp_path / "deep/hello").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    written = []

    def replace(text: str, name: str) -> str:
        written.append(name)
        if len(written) > 3:
            raise fault
        return text

    monkeypatch.setattr("mlcube_conformance.commands.init._named", replace)
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(app, ["init", "deep/hello"])

    assert done.exit_code != 0
    assert written
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("making", ["mkdir", "touch"])
def test_an_interrupt_while_something_is_made_leaves_nothing(
    making: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = getattr(Path, making)

    def make_and_ask(self: Path, **more: bool) -> None:
        make(self, **more)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Path, making, make_and_ask)
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(app, ["init", "deep/hello"])

    assert done.exit_code == 130
    assert not [*tmp_path.iterdir()]


def test_what_another_program_makes_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(folder: Path) -> None:
        (folder / "app").mkdir(parents=True)
        (folder / "app/mine").write_text("mine")
        (folder / "mlcube.yaml").write_text("mine")

    monkeypatch.setattr("mlcube_conformance.commands.init._refuse_what_is_there", make)
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(app, ["init", "deep/hello"])

    assert done.exit_code == 2
    found = [each for each in (tmp_path / "deep").rglob("*") if each.is_file()]
    names = {str(each.relative_to(tmp_path / "deep/hello")) for each in found}
    assert names == {"app/mine", "mlcube.yaml"}
    assert {each.read_text() for each in found} == {"mine"}


def test_a_cube_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    done = call("init", "file/hello", place=tmp_path)

    assert done.returncode == 2
    assert "the cube cannot be written there" in done.stderr
    assert "Traceback" not in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
