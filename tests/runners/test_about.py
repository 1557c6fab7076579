"""What each platform says of itself, beside its runner."""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from mlcube_conformance import runners
from mlcube_conformance.runners.about import about, built_in, offer_of, preferred

FOLDER = Path(runners.__path__[0])
FOUND = sorted(each for each in FOLDER.rglob("about.py") if each.parent != FOLDER)


def test_each_folder_with_an_about_is_a_kind_of_its_name() -> None:
    assert sorted(built_in()) == sorted(each.parent.name for each in FOUND)


@pytest.mark.parametrize("kind", sorted(built_in()))
def test_the_runner_that_is_named_has_every_method(kind: str) -> None:
    module, _, name = built_in()[kind].runner.partition(":")

    runner = getattr(import_module(module), name)

    for method in ("unavailable", "engine", "configure", "find_image", "run", "close"):
        assert callable(getattr(runner, method)), method


@pytest.mark.parametrize("file", FOUND, ids=lambda each: each.parent.name)
def test_an_about_imports_its_types_alone(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imported = {
        each.module or "" for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)
    }

    assert imported - {"mlcube_conformance.runners.flags"} == {
        "__future__",
        "mlcube_conformance.runners.about",
    }


def test_kinds_are_tried_in_the_order_of_their_preference() -> None:
    assert preferred() == ("docker", "singularity", "local")


def test_the_kinds_of_other_packages_may_be_asked_for_what_docker_gives() -> None:
    assert find_spec("mlcube_conformance.runners.theirs") is None
    assert about("theirs") is None
    assert offer_of("theirs") is offer_of("docker")


def test_a_place_has_no_flags_of_its_own() -> None:
    assert [each.kind for each in built_in().values() if each.is_place] == ["ssh"]


@pytest.mark.parametrize(
    ("kind", "options", "argv", "run_args"),
    [
        ("docker", {}, [], []),
        (
            "docker",
            {"memory": "1g", "network": "none"},
            ["--network", "none", "--memory", "1g"],
            ["--memory=1g", "--network=none"],
        ),
        ("docker", {"runtime": "runc"}, [], []),
        (
            "singularity",
            {"gpus": "all", "network": "none"},
            ["--network", "none", "--nv"],
            ["--nv", "--network=none"],
        ),
        ("local", {"gpus": "2"}, ["--gpus", "2"], ["--gpus=2"]),
    ],
)
def test_flags_are_written_from_the_table_that_reads_them(
    kind: str, options: dict[str, str], argv: list[str], run_args: list[str]
) -> None:
    offer = offer_of(kind)

    assert offer.argv(options) == argv
    assert offer.run_args(options) == run_args
