"""Splits a Dockerfile into its instructions, each with the line where it begins."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

__all__ = ["HEREDOC", "Instruction", "instructions", "taken_from"]

#: Begins a text that stands in the lines below, up to its last word.
HEREDOC = re.compile(r"(?:^|[\s;&|])<<(-?)([\"']?)([A-Za-z_]\w*)\2")
_FROM = re.compile(r"--from=(\S+)|--mount=(\S+)")
_WITH_HEREDOCS = {"ADD", "COPY", "RUN"}
#: Those of a recipe; Docker makes images of at most 127 layers.
_MOST_INSTRUCTIONS = 1000


class Instruction(NamedTuple):
    """One instruction, without the comments and the texts in it."""

    keyword: str
    """In capitals."""
    rest: str
    """What follows, as one line."""
    line: int
    """Counted from 1."""
    column: int
    """Of the keyword, counted from 1."""


def instructions(text: str) -> list[Instruction]:
    """Return each instruction.

    Raises:
        ValueError: There are too many.
    """
    found: list[Instruction] = []
    written: list[str] = []
    lines = text.split("\n")
    ends = _Ends(lines)
    first = place = 0
    while place < len(lines):
        line = lines[place]
        place += 1
        if line.lstrip().startswith("#") or (written and not line.strip()):
            continue  # also within a continued line
        first = first if written else place
        if line.rstrip().endswith("\\"):
            written.append(line.rstrip()[:-1] + " ")
            continue
        whole = "".join((*written, line))
        written = []
        keyword, *rest = whole.split(None, 1) or [""]
        if keyword:
            column = len(whole) - len(whole.lstrip()) + 1
            end = "".join(rest).strip()
            found.append(Instruction(keyword.upper(), end, first, column))
            place = ends.behind_texts(found[-1], place)
        if len(found) > _MOST_INSTRUCTIONS:
            message = f"more than {_MOST_INSTRUCTIONS} instructions"
            raise ValueError(message)
    return found


def taken_from(rest: str) -> list[str]:
    """Return the stages and images that an instruction takes files from."""
    found = []
    for named, mount in _FROM.findall(rest):
        found += [named] if named else []
        options = (each.partition("=") for each in mount.split(","))
        found += [value for name, _, value in options if name == "from" and value]
    return found


class _Ends:
    """Finds where the texts end that stand below an instruction."""

    def __init__(self, lines: list[str]) -> None:
        plain = [each.rstrip("\r") for each in lines]
        self._places = {
            "": _places(plain),
            "-": _places([each.lstrip("\t") for each in plain]),
        }

    def behind_texts(self, instruction: Instruction, place: int) -> int:
        """Return the line behind the texts that an instruction begins, if any.

        A word without its end begins none.
        """
        if instruction.keyword not in _WITH_HEREDOCS:
            return place
        for strips, _, end in HEREDOC.findall(instruction.rest):
            known = self._places[strips].get(end, [])
            at = bisect_left(known, place)
            if at == len(known):
                break
            place = known[at] + 1
        return place


def _places(lines: list[str]) -> dict[str, list[int]]:
    """Return at which places each line stands."""
    found: dict[str, list[int]] = {}
    for place, line in enumerate(lines):
        found.setdefault(line, []).append(place)
    return found
