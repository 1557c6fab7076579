"""The page of the documents that lists every option."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.markdown import cell, table
from mlcube_conformance.options import options_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlcube_conformance.option import Option, Taker

__all__ = ["options_markdown"]

_INTRO = """\
# Options

<!-- Written by `mlcube-conformance options`; change mlcube_conformance/options/. -->

Options of pytest work too, such as `-k`, `-x`, `-n 4` and `--junitxml`.
"""
_TAKERS: dict[Taker, str] = {
    "cube": "Tests of cubes: `mlcube-conformance test CUBE`, `pytest --cube CUBE`",
    "runner": "Tests of a runner: `mlcube-conformance test --runner NAME`",
    "configure": "Making an image: `python -m mlcube_docker_run configure`",
    "run": "Running a task: `python -m mlcube_docker_run run`",
    "clean": "Cleaning a host: `python -m mlcube_ssh_run clean`",
}


def options_markdown() -> str:
    """Return the page, as Markdown."""
    return "\n".join([_INTRO, *(line for each in _TAKERS for line in _part(each))])


def _part(taker: Taker) -> Iterator[str]:
    yield f"## {_TAKERS[taker]}"
    yield ""
    rows = [(_written(each), cell(each.described)) for each in options_of(taker)]
    yield from table(("Option", "What it is"), rows)
    yield ""


def _written(option: Option) -> str:
    """Return an option as it is written on a command line."""
    value = option.metavar or r"\|".join(option.choices)
    return f"`{option.name} {value}`" if value else f"`{option.name}`"
