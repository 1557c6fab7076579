"""Descriptions of runners: what is read, and how what is wrong is told."""

from __future__ import annotations

from os.path import normpath
from pathlib import Path

import pytest

import conformance_tests.runner
from mlcube_conformance.base.errors import UsageError
from mlcube_conformance.clauses import FEATURES
from mlcube_conformance.formats.runner_description import (
    filled,
    load_runner_description,
)

_READY = Path(conformance_tests.runner.__file__).parent / "descriptions"
_SOUND = """\
name: mine
version: [mine, --version]
formats: [single-file]
configure: [mine, configure, "{cube}", "{platform}"]
run: [mine, run, "{cube}", "{platform}"]
options:
  task: "--task={task}"
  parameter: ["-p", "{name}={value}"]
features: [containers]
without: {remote: it is here}
platform: docker
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the description of a runner, which is sound."""
    file = tmp_path / "mine.yaml"
    file.write_text(_SOUND)
    return file


def test_formats_and_options_bring_their_features(file: Path) -> None:
    description = load_runner_description(file)

    assert description.features == {"containers", "override", "single-file"}
    assert description.options["parameter"] == ("-p", "{name}={value}")


def test_what_lacks_is_told_with_its_reason(file: Path) -> None:
    description = load_runner_description(file)

    assert description.lacking(("containers",)) == ""
    assert description.lacking(("containers", "remote")) == "needs remote: it is here"
    assert "does not offer it" in description.lacking(("gpus",))


def test_words_are_filled_one_by_one() -> None:
    values = {"name": "seed", "value": "a b; {name} $(c)"}

    assert filled(("-p", "{name}={value}"), values) == ("-p", "seed=a b; {name} $(c)")


def test_variable_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE_IT_IS", "/opt/it {name}")

    assert filled(("${WHERE_IT_IS}/bin",), {}) == ("/opt/it {name}/bin",)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("[./run.sh, --version]", ("HERE/run.sh", "--version")),
        ("[bin/run, bin/x]", ("HERE/bin/run", "bin/x")),
        ("[../run]", ("HERE/../run",)),
        ("[python3, ./run.py]", ("python3", "HERE/./run.py")),
        ("[/bin/run, .]", ("/bin/run", ".")),
        ('["{python}", -V]', ("{python}", "-V")),
        ("[run]", ("run",)),
        ('["${HOME}/bin/run"]', ("${HOME}/bin/run",)),
    ],
)
def test_a_path_is_relative_to_the_description(
    words: str, expected: tuple[str, ...], file: Path
) -> None:
    file.write_text(_SOUND.replace("[mine, --version]", words))

    found = load_runner_description(file).version

    here = str(file.parent)
    wanted = [each.replace("HERE", here) for each in expected]
    assert [*map(normpath, found)] == [*map(normpath, wanted)]


def test_a_folder_that_looks_like_a_placeholder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "{cube}"
    folder.mkdir()
    file = folder / "mine.yaml"
    file.write_text(_SOUND.replace("[mine, --version]", "[./run, --version]"))

    with pytest.raises(UsageError, match="a name that is a placeholder"):
        load_runner_description(file)


def test_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHERE_IT_IS", raising=False)

    with pytest.raises(UsageError, match="needs the variable WHERE_IT_IS"):
        filled(("${WHERE_IT_IS}/bin",), {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: mine\n", "", "lacks the key 'name'"),
        ("run: [", "runs: [", "unknown key 'runs'"),
        (
            '"{cube}", "{platform}"]\nrun',
            '"{cub}"]\nrun',
            r"unknown placeholder \{cub\}",
        ),
        ("platform: docker", 'platform: "{cube}"', r"unknown placeholder \{cube\}"),
        ("[containers]", "[gpus]", "does not say how"),
        ("[containers]", "[[a]]", "unknown feature 'a list'"),
        ("version: [mine, --version]", 'version: ["a\\0b"]', "null character"),
        ("version: [mine, --version]", "version: {}", "'version' is not a command"),
        ("version: [mine, --version]", "version: [1]", "'version' is not a command"),
        ("[single-file]", "[one-file]", "the formats of the runner are missing"),
        ("[single-file]", "single-file", "the formats of the runner are missing"),
        ("  task:", "  tasks:", "unknown key 'options.tasks'|unknown key 'tasks'"),
        ("[containers]", "[container]", "unknown feature 'container'"),
        ("{remote:", "{remotes:", "unknown feature 'remotes'"),
        ("{remote: it is here}", "[remote]", "'without' is not a mapping"),
        ("platform: docker", "platform: 3", "the key 'platform' must be text"),
        (
            "platform: docker",
            "unsupported: [{clause: EXIT-2, reason: no}]",
            "EXIT-2 is a MUST",
        ),
        (
            "platform: docker",
            "unsupported: [{clause: EXIT-99, reason: no}]",
            "unknown clause 'EXIT-99'",
        ),
        ("platform: docker", "unsupported: [{clause: FILE-6}]", "lacks the key"),
        (
            "platform: docker",
            "unsupported: {FILE-6: no}",
            "'unsupported' is not a list",
        ),
        ("[containers]", "containers", "'features' is not a list"),
    ],
)
def test_what_is_wrong_is_named(file: Path, old: str, new: str, message: str) -> None:
    assert old in _SOUND
    file.write_text(_SOUND.replace(old, new))

    with pytest.raises(UsageError, match=message):
        load_runner_description(file)


def test_all_that_is_wrong_is_told_at_once(file: Path) -> None:
    file.write_text("name: mine\nformat: []\n")

    with pytest.raises(UsageError) as caught:
        load_runner_description(file)

    said = str(caught.value)
    for part in ("'format'", "'version'", "'configure'", "'run'", "'formats'"):
        assert part in said


@pytest.mark.parametrize("name", ["docker", "local", "mlcube", "singularity", "ssh"])
def test_ready_description_gives_a_reason_for_what_it_lacks(name: str) -> None:
    description = load_runner_description(_READY / f"{name}.yaml")

    assert description.name == name
    assert set(FEATURES) - description.features <= set(description.without)
