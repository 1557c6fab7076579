"""Tables of Markdown, with cells escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["cell", "table"]

_SPECIAL = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
    | {sign: f"\\{sign}" for sign in "\\|*_`[]~"}
)


def cell(text: str, most: int = 0) -> str:
    """Return a text as one line that reads as it is written.

    Args:
        text: What may come from a cube, a task or a file of somebody's.
        most: Characters to show at most; 0 shows all.
    """
    line = " ".join(plain(text).split())
    if most and len(line) > most:
        line = f"{line[: most - 1].rstrip()}…"
    return line.translate(_SPECIAL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table with cells of Markdown."""
    yield _row(head)
    yield _row(["---"] * len(head)).replace(" ", "")
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
