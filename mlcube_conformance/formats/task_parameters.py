"""Reads the parameters of the tasks of a single-file cube."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, cast

from mlcube_conformance.formats.loaded import check_kind, check_name, check_value
from mlcube_conformance.formats.problems import Problems, misspelt_keys
from mlcube_conformance.formats.yaml import Located
from mlcube_conformance.model import Binding, Parameter

if TYPE_CHECKING:
    from mlcube_conformance.model import Access, Kind, Role

__all__ = ["PARAMETER_KEYS", "parameters_of"]

PARAMETER_KEYS = ("type", "default", "opts", "description")


def parameters_of(
    at: Located | None, role: Role, task: str, problems: Problems
) -> list[Binding]:
    """Return the parameters of one role of a task, each with its default."""
    if at is None or at.value is None:
        return []
    if not at.is_mapping():
        problems.add(
            f"the {role}s of {task!r} are not a mapping",
            at,
            expected="a mapping of names to paths, or to {type, default, opts}",
            do="write each as `name: path`, without a hyphen before it"
            if isinstance(at.value, list)
            else f"fix the {role}s",
        )
        return []
    problems.warn_of_duplicates(at)
    found = (_binding(name, each, role, problems) for name, each in at.items())
    return [each for each in found if each is not None]


def _binding(name: str, at: Located, role: Role, problems: Problems) -> Binding | None:
    """Read a parameter in any of its forms: nothing, a path, or a mapping."""
    value: Located | None = at
    kind = access = ""
    if at.is_mapping():
        _refuse_misspelt_keys(name, at, problems)
        value = at.get("default")
        kind = _word(at, "type", problems)
        access = _word(at, "opts", problems)
    if value is None or value.value is None:
        value = Located(value=name, source=at.source)
    elif value.value == "":
        value = Located(value="./", source=value.source)  # the workspace itself
    elif isinstance(value.value, (bool, date)):  # A number is refused: ARG-15.
        value = Located(value=value.as_written(), source=value.source)
    if kind in {"", "unknown"}:
        kind = "directory" if value.text().endswith(("/", "\\")) else "unknown"
    elif not check_kind(kind, f"the {role} {name!r}", at.get("type") or at, problems):
        return None
    if not check_name(name, f"an {role}", at, problems):
        return None
    parameter = Parameter(
        name=name, kind=cast("Kind", kind), role=role, access=cast("Access", access)
    )
    if not check_value(parameter, value, problems, f"default: {name}"):
        return None
    if not _check_output(parameter, at, problems) or not _check_access(
        parameter, at, problems
    ):
        return None
    text = value.text()
    path = text.replace("\\", "/") if text.endswith("\\") else text
    return Binding(parameter=parameter, value=path, source=value.source)


def _word(at: Located, key: str, problems: Problems) -> str:
    given = at.get(key)
    if given is None or given.value is None:
        return ""
    return problems.text(at, key)


def _refuse_misspelt_keys(name: str, at: Located, problems: Problems) -> None:
    for key, value, meant in misspelt_keys(at, PARAMETER_KEYS):
        problems.add(
            f"the parameter {name!r} has the unknown key {key!r}",
            value,
            found=key,
            expected=f"one of {', '.join(PARAMETER_KEYS)}",
            do=meant,
        )


def _check_output(parameter: Parameter, at: Located, problems: Problems) -> bool:
    if parameter.role == "input" or parameter.kind != "unknown":
        return True
    problems.add(
        f"the type of the output {parameter.name!r} is unknown",
        at,
        expected="type: file, type: directory, or a default that ends with /",
        do="write type: file or type: directory",
    )
    return False


def _check_access(parameter: Parameter, at: Located, problems: Problems) -> bool:
    if parameter.access in {"", "rw"} or (
        parameter.access == "ro" and parameter.role == "input"
    ):
        return True
    known = parameter.access == "ro"
    problems.add(
        f"the output {parameter.name!r} is read-only: nothing can write it"
        if known
        else f"unknown opts of {parameter.name!r}",
        at.get("opts") or at,
        found=parameter.access,
        expected="rw, or nothing" if known else "ro or rw",
        do="remove opts" if known else "write ro or rw",
    )
    return False
