"""The command `mlcube-conformance validate`, as it is called."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

import pytest
from click.testing import CliRunner

from mlcube_conformance.base.addresses import PAGES
from mlcube_conformance.base.source import source_of
from mlcube_conformance.clauses import CLAUSES
from mlcube_conformance.commands.project import app
from tests.cube_folders import CubeFolder, make_cube
from tests.single_file_cubes import make_hello_world

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

FORMATS: Final = ("text", "json", "github", "sarif")
#: A name that ends lines, colours, speaks to a CI and is no UTF-8.
HOSTILE: Final = "a%,:\n::error::x\r\x1b[31m\u202e\udcff##[error]"
STEERING: Final = ("\x1b", "\u202e", "\r", "\x9b")


def _validate(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["validate", *map(str, words)])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sound(place: Path) -> CubeFolder:
    cube = make_cube(place / "sound")
    _pin(cube)
    return cube


def _pin(cube: CubeFolder) -> None:
    text = (cube.root / "build/Dockerfile").read_text(encoding="utf-8")
    cube.write("build/Dockerfile", "FROM busybox:1\n" + text.partition("\n")[2])


def _broken(root: Path) -> CubeFolder:
    """Write a cube with a flaw of each kind of file: three problems, one warning."""
    cube = make_cube(root)
    cube.edit("run/use.yaml", "task_name: use", "task_name: sue")
    cube.write("platform/docker.yaml", "platform: {name: docker}\n")
    cube.write("build/Dockerfile", 'FROM b\nCOPY no /\nENTRYPOINT ["/a"]\n')
    return cube


def test_sound_cube(sound: CubeFolder) -> None:
    done = _validate(sound.root)

    assert (done.exit_code, done.output) == (0, "no problem in 1 cube\n")


def test_all_problems_are_told_with_their_clauses(sound: CubeFolder) -> None:
    _broken(sound.root.parent / "broken")

    done = _validate(".")

    assert done.exit_code == 1
    for text in (
        "error: run file use.yaml names the unknown task 'sue'\n",
        "broken/run/use.yaml, line 3, key task_name\n",
        "  clause:   FILE-1: the definitions of the cube are valid\n",
        "  more:     mlcube-conformance explain FILE-1\n",
        "broken/platform/docker.yaml, line 1",
        "  clause:   FILE-2: the platform file is valid\n",
        "error: a file that the Dockerfile copies does not exist\n",
        "broken/build/Dockerfile, line 2\n",
        "warning: a base image has no tag, or the tag latest\n",
    ):
        assert text in done.output, done.output
    assert done.output.endswith("in 1 of 2 cubes, 1 warning\n"), done.output


@pytest.mark.parametrize("word", ["--fail-on-should", "--strict"])
def test_warnings_fail_where_that_is_asked(word: str, sound: CubeFolder) -> None:
    sound.edit("build/Dockerfile", "busybox:1", "busybox")

    done = _validate(sound.root)
    strict = _validate(sound.root, word)

    assert (done.exit_code, strict.exit_code) == (0, 1)
    assert done.output.endswith("\nno problem in 1 cube, 1 warning\n")
    assert strict.output.endswith("\n1 problem in 1 of 1 cube\n")


def test_what_is_not_supported_fails_nothing(sound: CubeFolder) -> None:
    sound.edit("run/make.yaml", "$WORKSPACE/seed.txt", "/etc/passwd")

    done = _validate(sound.root, "--strict")

    assert done.exit_code == 0
    assert done.output.startswith("unsupported: the value of 'seed' leaves")
    assert done.output.endswith("\nno problem in 1 cube, 1 unsupported\n")


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["."], 4),
        (["tree"], 3),
        (["tree/one", "tree/two"], 2),
        (["tree/one", "tree/one/mlcube.yaml"], 1),
        (["tree/two/mlcube_gpu.yaml"], 1),
        (["tree/*"], 2),
        (["sound", "tree/**"], 3),
    ],
)
def test_cubes_are_found(words: list[str], count: int, sound: CubeFolder) -> None:
    place = sound.root.parent
    for name in ("tree/one", "tree/two", ".hidden/three", "tree/python/lib/four"):
        _pin(make_cube(place / name))
    (place / "tree/python/pyvenv.cfg").write_text("home = /usr/bin\n")
    gpu = make_hello_world(place / "gpu")
    (place / "gpu/mlcube.yaml").rename(place / "tree/two/mlcube_gpu.yaml")
    gpu.write("mlcube_notes.yaml", "a: b\n")

    done = _validate(*words, "--format", "json")

    assert json.loads(done.stdout)["counts"]["cubes"] == count


def test_the_current_folder_is_the_default(
    sound: CubeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sound.root)

    done = _validate()

    assert done.exit_code == 0
    assert "1 cube" in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["validate", "list", "matrix"])
def test_a_folder_that_may_not_be_listed_is_not_passed_over(
    command: str, sound: CubeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the tests may list any folder."""
    closed = sound.root.parent / "closed"
    make_cube(closed / "other")
    scan = os.scandir

    def refuse(path: str) -> object:
        if os.fspath(path) == str(closed):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)

    done = CliRunner().invoke(app, [command, str(sound.root.parent)])

    assert done.exit_code == 2
    assert "a folder cannot be searched for cubes" in done.stderr
    assert str(closed) in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["empty"], "nothing with mlcube.yaml or mlbox.yaml"),
        (["empty"], "or make a cube: mlcube-conformance init hello"),
        (["none"], "there is no cube at none"),
        (["none/*"], "there is no cube at none/*"),
        (["file.txt"], "found:    a file"),
        ([""], "a path on the command line is invalid"),
        (["sound", "--output", "file.txt/x"], "x cannot be written"),
        (["sound", "--output", "file.txt/x"], "found:    Not a directory"),
        (["sound", "--output", "sound/mlcube.yaml"], "would replace a file"),
        (["sound", "--output", "sound/run/make.yaml"], "would replace a file"),
        (["sound", "--output", "sound/build/Dockerfile"], "would replace a file"),
        (["sound", "--format", "xml"], "'xml' is not one of"),
    ],
)
def test_wrong_use_is_refused(words: list[str], says: str, sound: CubeFolder) -> None:
    (sound.root.parent / "empty").mkdir()
    (sound.root.parent / "file.txt").touch()

    done = _validate(*words)

    assert done.exit_code == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_folder_of_its_output_is_made(sound: CubeFolder) -> None:
    done = _validate("sound", "--output", "new/deep/found.txt")

    assert done.exit_code == 0, done.stderr
    assert "1 cube" in (sound.root.parent / "new/deep/found.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("mlcube.yaml", "name: {{ cookiecutter.name }}\n", "is a template, and not"),
        ("container_config.yaml", "container_type: x\n", "a container of MedPerf, not"),
        ("mlcube.yaml", "docker: [\n", "mlcube.yaml is not YAML"),
        ("mlcube.yaml", "a: &a [*a]\n", "mlcube.yaml cannot be read"),
    ],
)
def test_what_is_no_cube_is_said_once(
    file: str, text: str, says: str, place: Path
) -> None:
    CubeFolder(place / "other").write(file, text)

    done = _validate("other")

    assert says in done.output
    assert done.output.count("clause:") == 1


def test_report_goes_to_a_file(sound: CubeFolder) -> None:
    done = _validate(sound.root, "--format", "json", "--output", "report.json")

    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "no problem in 1 cube\n"
    report = json.loads((sound.root.parent / "report.json").read_text("utf-8"))
    assert report["schema"] == "mlcube-conformance/validation/1"


def test_json(place: Path) -> None:
    _broken(place / "broken")

    report = json.loads(_validate("broken", "--format", "json").stdout)

    (cube,) = report["cubes"]
    assert cube["path"] == "broken"
    assert report["counts"]["problems"] == report["counts"]["errors"]
    assert len(cube["findings"]) == sum(
        report["counts"][each] for each in ("errors", "warnings", "unsupported")
    )
    first = cube["findings"][0]
    assert first == {
        "level": "error",
        "clause": "FILE-1",
        "what": first["what"],
        "found": "sue",
        "expected": first["expected"],
        "do": "did you mean 'use'?",
        "file": "broken/run/use.yaml",
        "line": 3,
        "column": 12,
        "key": "task_name",
    }


def test_github(place: Path) -> None:
    _broken(place / "broken")

    *commands, counts = _validate("broken", "--format", "github").stdout.splitlines()

    (copied,) = (each for each in commands if "Dockerfile copies" in each)
    assert copied.startswith(
        "::error file=broken/build/Dockerfile,line=2,col=1,title=IMAGE-1%3A a file that"
    )
    assert "%0A  do:       add the file" in copied
    assert any(each.startswith("::warning file=") for each in commands)
    assert counts.endswith("in 1 of 1 cube, 1 warning")


def test_sarif_has_what_the_standard_requires(place: Path) -> None:
    _broken(place / "broken")

    log = json.loads(_validate("broken", "--format", "sarif").stdout)

    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("/sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "mlcube-conformance"
    rules = [each["id"] for each in driver["rules"]]
    assert len(set(rules)) == len(rules)
    assert set(rules) <= {each.id for each in CLAUSES}
    assert {each["level"] for each in run["results"]} == {"error", "warning"}
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["helpUri"] == f"{PAGES}/clauses/{rule['id']}/"
        explain = f"mlcube-conformance explain {rule['id']}"
        assert rule["help"]["text"].endswith(explain)
    for result in run["results"]:
        assert result["ruleId"] == rules[result["ruleIndex"]]
        assert result["message"]["text"]
        (location,) = result["locations"]
        place_of = location["physicalLocation"]
        assert place_of["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
        assert (place / place_of["artifactLocation"]["uri"]).is_file()
        assert place_of.get("region", {"startLine": 1})["startLine"] >= 1
    base = run["originalUriBaseIds"]["SRCROOT"]["uri"]
    assert base.startswith("file:///")
    assert base.endswith("/")


def test_sarif_without_flaws_is_a_run_without_results(sound: CubeFolder) -> None:
    log = json.loads(_validate(sound.root, "--format", "sarif").stdout)

    assert log["runs"][0]["results"] == []


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names_steer_nothing(form: str, place: Path) -> None:
    cube = make_cube(place / HOSTILE)
    cube.write("mlcube.yaml", '"\\e[31m\\n::error::y": 1\nschema_type: mlcube_root\n')
    cube.write(
        "build/Dockerfile", "FROM b\nCOPY \x1b[1m\u202e /\nENTRYPOINT a\x1b[0m\n"
    )
    cube.write(f"platform/{HOSTILE}.yaml", "a: [\n")

    done = _validate(".", "--format", form)

    assert done.exit_code == 1, done.output
    written = done.stdout
    assert not [each for each in STEERING if each in written]
    assert "##[error]" not in written
    lines = written.splitlines()
    commands = [each for each in lines if each.lstrip().startswith("::")]
    if form == "github":
        assert all(
            each.startswith(("::error file=a%25%2C%3A%0A", "::warning file=a%25%2C%3A"))
            for each in commands
        )
    else:
        assert commands == []


def test_sarif_names_files_of_any_bytes(place: Path) -> None:
    make_cube(place / HOSTILE).write("mlcube.yaml", "a: 1\n")

    log: dict[str, Any] = json.loads(_validate(".", "--format", "sarif").stdout)

    (first, *_) = log["runs"][0]["results"]
    uri = first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    written = f"{HOSTILE}/mlcube.yaml".encode(errors="surrogateescape")
    assert unquote_to_bytes(uri) == written


def test_secrets_are_not_shown(sound: CubeFolder) -> None:
    sound.edit("build/Dockerfile", "busybox:1", "https://me:hush@example.org/b")

    for form in FORMATS:
        assert "hush" not in _validate(sound.root, "--format", form).output


def test_no_engine_and_no_network_is_needed(sound: CubeFolder) -> None:
    program = (
        "import socket, sys\n"
        "def no(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = no\n"
        "import subprocess; subprocess.Popen.__init__ = no\n"
        "from mlcube_conformance.commands.project import app\n"
        "try: app(['validate', 'sound'])\n"
        "except SystemExit as end: print(end.code)\n"
        "print({'docker', 'spython', 'requests', 'pytest'} & {*sys.modules})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=sound.root.parent,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout == "no problem in 1 cube\n0\nset()\n", done.stderr


def test_text_of_a_place_keeps_its_source() -> None:
    assert source_of("a.yaml, line 3") is None
    assert source_of("--platform") is None
