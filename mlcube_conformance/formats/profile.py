"""Reads profiles: files that make clauses stricter, weaker, or leave them out."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError, Violation, did_you_mean
from mlcube_conformance.base.files import is_there
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.clauses import CUBE_CLAUSES
from mlcube_conformance.clauses.others import clauses_of_others
from mlcube_conformance.formats.problems import Problems, TooManyProblemsError
from mlcube_conformance.formats.yaml import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.formats.yaml import Located

__all__ = ["LEVELS", "PROFILE_KEYS", "load_profile"]

_OWN = Path(__file__).parent / "profiles"
_DEFAULT = "default"
PROFILE_KEYS = ("clauses",)
LEVELS = ("MUST", "SHOULD", "off")


def load_profile(given: str | None) -> Mapping[str, str]:
    """Return what a profile makes of clauses, by their ids.

    Args:
        given: Name of a profile that comes with this package, or a file; None for the
            default.

    Raises:
        UsageError: It does not exist, or is invalid; with every problem.
    """
    found = dict(_read(_OWN / f"{_DEFAULT}.yaml"))
    if given not in {None, _DEFAULT}:
        found |= _read(_file_of(str(given)))
    return found


def _file_of(given: str) -> Path:
    own = {each.stem: each for each in _OWN.glob("*.yaml")}
    if given in own:
        return own[given]
    file = given_path(given, "--profile")
    if not is_there(file):
        raise UsageError(
            Message(
                what=f"unknown profile {given!r}",
                where="--profile",
                found=f"no file {file}",
                expected=f"one of {', '.join(sorted(own))}, or a YAML file",
                do=did_you_mean(given, own) or "fix the name or the path",
            )
        )
    return file


def _read(file: Path) -> Mapping[str, str]:
    problems = Problems()
    try:
        document = read_yaml(file)
        if document.is_mapping():
            problems.unknown_keys(document, PROFILE_KEYS)
        listed = problems.mapping(
            document,
            "clauses",
            expected="clauses: a mapping of ids, or patterns of ids",
            do="write the key 'clauses', as in {clauses: {EXIT-16: MUST}}",
        )
        found = _levels(listed, problems) if listed else {}
    except Violation as violation:
        raise UsageError(*violation.messages) from violation
    except TooManyProblemsError as error:
        raise UsageError(*error.messages) from error
    if problems.messages:
        raise UsageError(*problems.messages)
    return found


def _levels(listed: Located, problems: Problems) -> dict[str, str]:
    found: dict[str, str] = {}
    ids = [each.id for each in (*CUBE_CLAUSES, *clauses_of_others())]
    for pattern, at in listed.items():
        meant = [each for each in ids if fnmatchcase(each, pattern)]
        level = at.as_written()
        if not meant:
            problems.add(
                f"unknown clause {pattern!r}",
                at,
                found=pattern,
                expected="the id of a clause of cubes, or a pattern such as HERMETIC-*",
                do=did_you_mean(pattern, ids) or "see docs/clauses.md",
            )
        if level not in LEVELS:
            problems.add(
                f"the level of {pattern!r} is unknown",
                at,
                expected=f"one of {', '.join(LEVELS)}",
                do=did_you_mean(level, LEVELS) or "fix the value",
            )
        found |= dict.fromkeys(meant, level)
    return found
