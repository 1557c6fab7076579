"""The table of options, and the command lines and the page that come from it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests import warm

_PAGE = Path(__file__).parents[1] / "docs/options.md"


def _rows(title: str) -> set[str]:
    """Return the options of one part of the page."""
    parts = _PAGE.read_text(encoding="utf-8").split("\n## ")
    (part,) = (each for each in parts if each.startswith(title))
    return set(re.findall(r"^\| `(--[a-z-]+)", part, re.MULTILINE))


def _help(module: str, *words: str) -> str:
    done = subprocess.run(
        [*warm.python(module), *words, "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("title", "module", "verb"),
    [
        ("Making an image", "mlcube_docker_run", "configure"),
        ("Running a task", "mlcube_docker_run", "run"),
        ("Cleaning a host", "mlcube_ssh_run", "clean"),
    ],
)
def test_page_has_the_options_of_a_command(title: str, module: str, verb: str) -> None:
    taken = set(re.findall(r"^  (--[a-z-]+)", _help(module, verb), re.MULTILINE))

    assert _rows(title) == taken - {"--help"}


def test_page_has_the_options_of_the_suites() -> None:
    shown = _help("pytest").partition("MLCube conformance:\n")[2]
    group = re.split(r"\n\n|\n\S", shown)[0]
    taken = set(re.findall(r"^  (--[a-z-]+)", group, re.MULTILINE))

    assert _rows("Tests of cubes") | _rows("Tests of a runner") == taken
