"""What is run on a bare machine is told by words that the script takes."""

from __future__ import annotations

import importlib.util
import re
import shlex
from typing import Any

import pytest

from tests.workflow_steps import ROOT, TEST

SCRIPT = ROOT / "scripts/check_fresh_machine.py"
CALLS = [
    shlex.split(found.replace("\\\n", " "))
    for file in (TEST, ROOT / ".ci/run_beside_tests")
    if file.exists()
    for found in re.findall(
        rf"{SCRIPT.name} ((?:.*\\\n)*.*)", file.read_text(encoding="utf-8")
    )
]


@pytest.fixture
def script() -> Any:  # noqa: ANN401 - a module
    """Return the script, as a module."""
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_called() -> None:
    assert len(CALLS) == (2 if (ROOT / ".ci").exists() else 1)


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_it_takes_the_words_by_which_it_is_called(
    words: list[str],
    script: Any,  # noqa: ANN401 - a module
) -> None:
    targets, with_docker, variables = script.read_words(words)

    assert (targets, with_docker) == (["demo", "test"], ["walk"])
    assert "WITH=docker" in variables


def test_without_a_target_it_checks_nothing(
    script: Any,  # noqa: ANN401 - a module
) -> None:
    with pytest.raises(SystemExit, match="2"):
        script.read_words(["NAME=value"])
