"""Reads the values below the keys of a section of a single-file cube."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlcube_conformance.formats.loaded import check_path
from mlcube_conformance.formats.run_args import read_flags, split_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.runners.about import Offer

__all__ = [
    "VARIABLE",
    "assignments",
    "flags_below",
    "is_text",
    "optional_text",
    "path_below",
    "scalar",
    "variables_of",
]

VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def flags_below(
    section: Located, key: str, problems: Problems, offer: Offer
) -> dict[str, str]:
    """Return the options that the flags below a key ask for."""
    options: dict[str, str] = {}
    at = section.get(key)
    if at is not None and at.value not in (None, ""):
        read_flags(at, options, problems, offer)
    return options


def assignments(
    section: Located, key: str, flags: tuple[str, ...], problems: Problems
) -> dict[str, str]:
    """Read variables: a mapping, or the flags that stand for one in a command line."""
    at = section.get(key)
    if at is None or at.value in (None, ""):
        return {}
    if at.is_mapping():
        return {
            name: scalar(value, problems)
            for name, value in at.items()
            if _is_variable(name, value, problems) and value.value is not None
        }
    if not is_text(at, problems):
        return {}
    return variables_of(split_words(at, problems), at, flags, problems)


def variables_of(
    given: Iterable[str], at: Located, flags: tuple[str, ...], problems: Problems
) -> dict[str, str]:
    """Return the variables that flags of a command line set."""
    key = at.source.key.rpartition(".")[2]
    found: dict[str, str] = {}
    words = iter(given)
    for word in words:
        flag, _, rest = word.partition("=")
        assigned = rest if flag in flags and rest else next(words, "")
        name, equals, value = assigned.partition("=")
        if flag not in flags or not VARIABLE.fullmatch(name) or not equals:
            problems.add(
                f"{key} is not a list of variables",
                at,
                found=f"{word} {assigned}".strip(),
                expected=f"a mapping, or {flags[0]} NAME=VALUE for each",
                do=f"write {key}: {{NAME: value}}",
            )
            return {}
        found[name] = value
    return found


def scalar(at: Located, problems: Problems) -> str:
    """Return a text or number as text; add a problem and return "" for all else."""
    if isinstance(at.value, (dict, list)) or "\0" in at.text():
        problems.add(
            f"{at.source.key!r} is neither text nor a number",
            at,
            found=ascii(at.value) if at.text() else at.kind,
            expected="a text or a number",
            do="fix the value",
        )
        return ""
    return at.as_written()


def optional_text(section: Located, key: str, problems: Problems) -> str:
    """Return the text below a key, "" where there is none."""
    at = section.get(key)
    if at is None or at.value in (None, ""):
        return ""
    if at.text() or isinstance(at.value, (bool, dict, list)):
        return problems.text(section, key)
    return at.as_written()


def path_below(section: Located, key: str, problems: Problems) -> str:
    """Return the path under a key; add a problem and return "" for anything else."""
    text = optional_text(section, key, problems)
    at = section.get(key) or section
    return text if check_path(text, f"the {key}", at, problems) else ""


def _is_variable(name: str, at: Located, problems: Problems) -> bool:
    if VARIABLE.fullmatch(name):
        return True
    problems.add(
        "the name of a variable is invalid",
        at,
        found=ascii(name),
        expected="letters, digits and _, and no digit first",
        do="rename it",
    )
    return False


def is_text(at: Located, problems: Problems) -> bool:
    """Say whether a value is a text; add a problem where it is not."""
    if at.text():
        return True
    problems.add(
        f"the key {at.source.key!r} must be text",
        at,
        expected="a mapping or a text of flags",
        do="fix the value",
    )
    return False
