"""Recognises main files that are of something else than a cube, or of none yet."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Violation
from mlcube_conformance.base.files import is_there, read_text
from mlcube_conformance.base.source import Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from mlcube_conformance.formats.yaml import Located

__all__ = ["MEDPERF", "is_of_medperf", "medperf", "misspelt", "template"]

#: Names of the file that describes a container of MedPerf.
MEDPERF = ("container_config.yaml", "container_config.yml")
#: What only such a file has.
_OF_MEDPERF = ("container_type", "input_volumes", "output_volumes")
#: A value, or a block, that cookiecutter or Jinja fills in; `${{` means something else.
_BLANK = re.compile(r"(?<!\$)\{\{-?\s*[A-Za-z_][^{}\n]*\}\}|\{%.*?%\}")
_NOTE = re.compile(r"\{#.*")
_COMMENT = re.compile(r"(^|\s)#.*")
_NEAR = 0.75


def misspelt(keys: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Return the keys that must be meant as known ones, which no key is."""
    names = [*keys]
    missing = [each for each in known if each not in names]
    found = {}
    for key in names:
        if key not in known:
            near = get_close_matches(key.lower()[:100], missing, n=1, cutoff=_NEAR)
            if near:
                found[key] = near[0]
    return found


def template(file: Path, root: Path) -> Message | None:
    """Say that a file is a template whose blanks are not filled in, if it is one."""
    try:
        lines = read_text(file, root).splitlines()
    except Violation:
        return None  # That is reported where it is read.
    for number, line in enumerate(lines, start=1):
        blank = _NOTE.match(line) or _BLANK.search(_COMMENT.sub("", line))
        if blank:
            return Message(
                what=f"{file.name} is a template, and not a cube yet",
                where=str(Source(file=file, line=number)),
                found=blank[0],
                expected="a file whose values are filled in",
                do="make a cube of it first, such as by cookiecutter, and give that",
            )
    return None


def is_of_medperf(document: Located) -> bool:
    """Say whether a document describes a container of MedPerf."""
    tasks = document.get("tasks")
    below = [each for _, each in tasks.items()] if tasks is not None else []
    return any(
        each.get(key) is not None for each in (document, *below) for key in _OF_MEDPERF
    )


def medperf(folder: Path, name: str = "") -> Message | None:
    """Say that there is a container of MedPerf instead of a cube, if there is one."""
    files = [folder / each for each in ([name] if name else MEDPERF)]
    found = next((each for each in files if is_there(each)), None)
    if found is None:
        return None
    return Message(
        what=f"{found.name} describes a container of MedPerf, not a cube",
        where=str(found),
        found="the format that MedPerf has used since 2025",
        expected="mlcube.yaml, with docker or singularity, and tasks",
        do="run it by `medperf container run_test`, or write an mlcube.yaml for it",
    )
