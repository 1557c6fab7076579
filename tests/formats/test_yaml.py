"""YAML is read as the official tools read it, however fast."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.base.source import source_of
from mlcube_conformance.formats.yaml import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

_TEXTS = (
    "a: {b: 1, c: 2}",
    "a: {b\t: 1}",
    "a: [1,\t2]",
    "a: text \t",
    "a: {b: c, d? e: f}",
    "a: what? no",
    "\ufeffa: 1",
    "a\ufeff: 1",
    "a: é",
    "a: 'open",
    "a: b: c",
    "a:\n- b\n- c\n",
    "? a\n: b\n",
    "a: &x [1]\nb: *x\n",
    "a: *nowhere",
    "a: |\n  one\n  two\n",
    "%YAML 1.2\n---\na: 1\n",
    "a: 1\n---\nb: 2\n",
    "a: \x07",
    "a:\r\n  b: 1\r\n",
)


@pytest.mark.parametrize("text", _TEXTS)
def test_yaml_is_read_or_refused_as_pyyaml_does(tmp_path: Path, text: str) -> None:
    file = tmp_path / "some.yaml"
    file.write_bytes(text.encode())
    try:
        expected = yaml.load(text, yaml.SafeLoader)
    except yaml.YAMLError:
        with pytest.raises(Violation):
            read_yaml(file)
    else:
        assert str(list(read_yaml(file).value)) == str(list(expected))


@pytest.mark.parametrize("size", [3_000, 30_000])
@pytest.mark.parametrize("piece", ["[", "{", "- "])
def test_yaml_that_is_too_deep_is_refused(
    tmp_path: Path, piece: str, size: int
) -> None:
    file = tmp_path / "some.yaml"
    closing = {"[": "]", "{": "}"}.get(piece, "")
    count = size // len(piece) // (2 if closing else 1)
    file.write_text(piece * count + closing * count)

    with pytest.raises(Violation):
        read_yaml(file)


def test_a_number_that_is_too_long_is_text(tmp_path: Path) -> None:
    for size in (200, 6_000):
        file = tmp_path / "some.yaml"
        file.write_text(f"a: {'9' * size}\nb: {'x' * size}\n")

        assert read_yaml(file).value["a"].value == "9" * size


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: 1\nb: {c: x}", 2, 8),
        ("b:\n    c:\n      - x\n", 3, 7),
        ("é: 1\nb: {'é': 1, c: x}", 2, 16),
        ("b: &b {c: x}\nd: *b", 1, 11),
    ],
)
def test_value_knows_its_line_and_column(
    text: str, line: int, column: int, tmp_path: Path
) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(text, encoding="utf-8")

    at = read_yaml(file).get("b")
    value = at.get("c") if at else None

    assert value is not None
    assert (value.source.line, value.source.column) == (line, column)
    message = replace(Message(what="x", where=str(value.source)), found="y")
    assert message.where == f"{file}, line {line}, key b.c"
    assert source_of(message.where) == value.source


def test_text_that_is_not_yaml_names_its_place(tmp_path: Path) -> None:
    file = tmp_path / "some.yaml"
    file.write_text("a: 1\nb: [\n", encoding="utf-8")

    with pytest.raises(Violation) as refused:
        read_yaml(file)

    (message,) = refused.value.messages
    source = source_of(message.where)
    assert source is not None
    assert (source.file, source.line, source.column) == (file, 3, 1)
    assert message.where == f"{file}, line 3, column 1"
