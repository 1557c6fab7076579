"""What the terminal shows: a line for each task, a matrix, each failure once."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests import warm
from tests.cube_folders import make_cube

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cube_folders import CubeFolder

_SCREENS = Path(__file__).parent / "screens"
#: Variable with which the screens are stored anew.
_STORE = "MLCUBE_CONFORMANCE_STORE_SCREENS"
#: What is never the same: times, the name of a run, where the test works.
_VARIES = (
    (re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}"), "RUN"),
    (re.compile(r" +\d+\.\d s\b"), " 0.0 s"),
)


@pytest.fixture(autouse=True)
def _tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCUBE_CONFORMANCE_TERMINAL", "tasks")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def shown(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Return what runs the command, and returns its exit code and its output."""

    def run(*words: str, columns: int = 80, encoding: str = "utf-8") -> tuple[int, str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        if encoding != "utf-8":
            monkeypatch.setenv("PYTHONIOENCODING", encoding)
        done = subprocess.run(
            [
                *(*warm.python("mlcube_conformance"), "test"),
                *("-p", "no:cacheprovider", *words),
            ],
            cwd=pytester.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        said = done.stdout.decode(encoding).replace(str(pytester.path), "/here")
        for words_, same in _VARIES:
            said = words_.sub(same, said)
        return done.returncode, said

    return run


@pytest.fixture
def cube(pytester: pytest.Pytester) -> CubeFolder:
    """Return a sound cube of two tasks on the fake platform."""
    cube = make_cube(pytester.path / "tiny")
    cube.fake_platform("pass")
    return cube


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("what", ["pass", "failure", "platforms"])
def test_screens(
    what: str,
    columns: int,
    shown: Callable[..., tuple[int, str]],
    cube: CubeFolder,
) -> None:
    """Compare whole screens; to store new ones, set the variable, and look at them."""
    platforms = ["fake"]
    if what == "failure":
        cube.fake_platform("fail")
    if what == "platforms":
        cube.fake_platform("fail", name="other")
        cube.fake_platform("pass", name="third")
        platforms += ["other", "third"]

    code, said = shown(
        "tiny", *(f"--platform={each}" for each in platforms), columns=columns
    )

    file = _SCREENS / f"{what}-{columns}.txt"
    if _STORE in os.environ:
        file.write_text(said, "utf-8")
    assert said == file.read_text("utf-8")
    assert code == (what != "pass")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_failure_is_shown_once_and_folded(
    columns: int, shown: Callable[..., tuple[int, str]], cube: CubeFolder
) -> None:
    cube.fake_platform("fail")

    code, said = shown("tiny", "--platform=fake", columns=columns)

    assert code == 1
    assert said.count("  found:    exit code 3") == 1
    assert "\nFAILED tiny · fake · make: task 'make' failed (EXIT-1)\n" in said
    last = said.splitlines()[-1]
    assert last.startswith("FAILED 1 of 17 checks, ")
    assert last.endswith(" · logs: .mlcube-conformance/RUN")
    # Commands and paths stay whole, to be copied.
    whole = ("again:", "by hand:", "log:", "mlcube-conformance:", "--", "FAILED")
    for line in said.splitlines():
        words = line.strip()
        assert len(line) <= columns or words.startswith((*whole, ".ml", "/here")), line
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("behaviours", "says"),
    [
        (["not-there"], r"ERROR in 1 of \d+ checks, \d+ not run in .*"),
        (["pass", "not-there"], r"ERROR in 1 of \d+ checks, \d+ not run in .*"),
        (["fail", "not-there"], r"FAILED 1 of \d+ checks, 1 error, \d+ not run in .*"),
    ],
)
def test_a_fault_of_the_machine_is_counted_as_an_error(
    behaviours: list[str],
    says: str,
    shown: Callable[..., tuple[int, str]],
    cube: CubeFolder,
) -> None:
    for behaviour in behaviours:
        cube.fake_platform(behaviour, name=f"is-{behaviour}")

    code, said = shown("tiny", *(f"--platform=is-{each}" for each in behaviours))

    assert code == 1
    assert re.fullmatch(says, said.splitlines()[-1])


def test_platforms_are_compared_at_a_glance(
    shown: Callable[..., tuple[int, str]], cube: CubeFolder
) -> None:
    cube.fake_platform("fail", name="other")
    cube.fake_platform("pass", name="third")

    code, said = shown(
        "tiny", "--platform=fake", "--platform=other", "--platform=third"
    )

    assert code == 1
    matrix = said.partition("\ntiny               fake")[2].partition("\n\n")[0]
    assert [" ".join(each.split()) for each in matrix.splitlines()] == [
        "other third",
        "definition ✔ ✔ ✔",
        "image ✔ ✔ ✔",
        "make ✔ ✘ ✔",
        "use ✔ - ✔",
        "make everywhere ✔ ✔",
        "use everywhere ✔ ✔",
        "level L2 L1 L2",
    ]


def test_quiet_shows_what_is_wrong_alone(
    shown: Callable[..., tuple[int, str]], cube: CubeFolder
) -> None:
    good = shown("tiny", "--platform=fake", "-q")[1]
    cube.fake_platform("fail")
    bad = shown("tiny", "--platform=fake", "-q")[1]

    assert "✔" not in good
    assert good.splitlines()[-1].startswith("PASSED 17 checks in")
    assert "  make         ✘ EXIT-1 task 'make' failed" in bad


@pytest.mark.usefixtures("cube")
def test_a_list_of_all_has_no_heading_without_lines(
    shown: Callable[..., tuple[int, str]],
) -> None:
    _, said = shown("tiny", "--platform=fake", "-rA")

    assert "PASSES" not in said
    assert "====" not in said


@pytest.mark.usefixtures("cube")
def test_verbose_shows_each_check(shown: Callable[..., tuple[int, str]]) -> None:
    said = shown("tiny", "--platform=fake", "-v")[1]

    assert "✔ EXIT-1 the task ends by itself and exits with 0" in said


@pytest.mark.usefixtures("cube")
def test_the_last_line_names_the_report(
    shown: Callable[..., tuple[int, str]],
) -> None:
    said = shown("tiny", "--platform=fake", "--report=page.html")[1]

    assert said.splitlines()[-1].endswith(" s · report: page.html")


@pytest.mark.usefixtures("cube")
def test_a_run_that_fails_without_a_failed_check_says_where_to_look(
    shown: Callable[..., tuple[int, str]],
) -> None:
    code, said = shown("tiny", "--platform=fake", "--report=/proc/page.html")

    assert code == 1
    assert "cannot write the report /proc/page.html: No such file" in said
    last = "FAILED without a failed check in 0.0 s · see above · logs: .mlcube-"
    assert said.splitlines()[-1].startswith(last)


def test_a_wrong_option_is_told_by_the_command_that_was_called(
    shown: Callable[..., tuple[int, str]],
) -> None:
    code, said = shown("tiny", "--platfrom=fake")

    assert code == 4
    assert said.startswith("ERROR: usage: mlcube-conformance test [options] ")
    assert "mlcube-conformance test: error: unrecognized arguments" in said
    assert "--platfrom: did you mean '--platform'?" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-n2",), ""),
        (("-p", "no:xdist", "-n", "2"), "-n: run pip install 'mlcube-conformance[xdis"),
        (("--junit=x.xml",), "--junit: did you mean '--junit-xml'?"),
    ],
)
@pytest.mark.usefixtures("cube")
def test_options_of_other_packages_are_explained(
    words: tuple[str, ...], says: str, shown: Callable[..., tuple[int, str]]
) -> None:
    code, said = shown("tiny", "--platform=nosuch", *words)

    assert code == 4
    assert says in said
    assert ("pip install" in said) is ("pip install" in says)


@pytest.mark.usefixtures("cube")
def test_workers_show_the_same_tasks(shown: Callable[..., tuple[int, str]]) -> None:
    alone = shown("tiny", "--platform=fake")[1]
    code, said = shown("tiny", "--platform=fake", "-n", "2")

    assert code == 0
    for title in ("image ", "make ", "use "):
        (line,) = (each for each in alone.splitlines() if each.startswith(f"  {title}"))
        assert line in said
    assert "definition   ✔ 1 check\n" not in said
    assert said.splitlines()[-1].startswith("PASSED 17 checks in")


def test_a_terminal_without_unicode_gets_ascii(
    shown: Callable[..., tuple[int, str]], cube: CubeFolder
) -> None:
    cube.fake_platform("fail")

    said = shown("tiny", "--platform=fake", encoding="ascii")[1]

    assert "  image        + 1 check" in said
    assert "  make         x EXIT-1" in said
    assert " s - logs: .mlcube-conformance/RUN" in said.splitlines()[-1]
    assert said.isascii()


@pytest.mark.parametrize("name", ["br[ack]et", "名前"])
def test_a_task_has_one_line_whatever_its_cube_is_called(
    name: str, shown: Callable[..., tuple[int, str]], pytester: pytest.Pytester
) -> None:
    make_cube(pytester.path / name).fake_platform("pass")

    said = shown(name, "--platform=fake")[1]

    assert said.count("  make  ") == 1, said
    assert "✔ 7 checks" in said


def test_own_tests_keep_the_lines_of_pytest(
    shown: Callable[..., tuple[int, str]], cube: CubeFolder, pytester: pytest.Pytester
) -> None:
    cube.fake_platform("pass")
    pytester.makepyfile(
        test_own="def test_mine(): assert 1 == 2\ndef test_other(): pass\n"
    )

    code, said = shown("tiny", "--platform=fake", "test_own.py")

    assert code == 1
    assert "test_own.py F." in said
    assert "assert 1 == 2" in said
    assert "FAILED test_own.py::test_mine" in said
    assert "1 failed, 1 passed" in said.splitlines()[-1]


def test_a_run_that_stops_says_so(
    shown: Callable[..., tuple[int, str]], cube: CubeFolder
) -> None:
    cube.fake_platform("fail")

    code, said = shown("tiny", "--platform=fake", "-k", "nothing")

    assert code != 0
    assert "PASSED" not in said


def test_nothing_that_a_task_says_harms_the_terminal(
    shown: Callable[..., tuple[int, str]], cube: CubeFolder
) -> None:
    says = "\\033[31mred\\007 ]]> <b> hush-hush\\n::error::taken\\n##[error]taken\\n"
    cube.tasks(make=f"printf '{says}' >&2; exit 3")

    code, said = shown("tiny", "--platform=local", "--task=make", "--env=KEY=hush-hush")

    assert code == 1
    assert "red" in said
    assert not set(said) & {"\x1b", "\x07"}
    assert "hush-hush" not in said
    assert not [x for x in said.splitlines() if x.startswith(("::", "##["))]


@pytest.mark.parametrize(
    ("platform", "what"),
    [
        ("local", r"running tiny-local-make (\d) s   step 7"),
        pytest.param("docker", r"building mlcube\S+ (\d) s", marks=pytest.mark.docker),
    ],
)
def test_what_runs_now_is_shown_and_goes(
    platform: str,
    what: str,
    cube_folder: CubeFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    if platform == "local":
        cube_folder.tasks(make='echo step 7; sleep 3; echo x > "$data/part"')
    else:
        step = f"RUN echo {uuid4()}; sleep 3\nCOPY"
        cube_folder.edit("build/Dockerfile", "COPY", step)
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlcube_conformance", "test", cube_folder.root),
            *(f"--platform={platform}", "--task=make", "-p", "no:cacheprovider"),
        ],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    said, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline and select.select([ours], [], [], 60)[0]:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says so that nobody has it open any more.
            break
        said += piece
    process.wait(timeout=10)
    text = said.decode()

    assert process.returncode == 0, text
    live = [*re.finditer(what, text)]
    assert live[0][1] < live[-1][1], text
    after = text[live[-1].end() :]
    assert "\x1b[2K" in after.partition("✔")[0]
    assert "✔" in after
    assert "PASSED" in after
