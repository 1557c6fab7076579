"""What is known of a clause: its reason, an example, how to fix and how to waive it."""

from __future__ import annotations

import ast
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from mlcube_conformance.clauses import FEATURES
from mlcube_conformance.zoo.animals import animals
from mlcube_conformance.zoo.difference import difference
from mlcube_conformance.zoo.examples import example_of, message_of_example, seen_on

if TYPE_CHECKING:
    from mlcube_conformance.clauses import Clause
    from mlcube_conformance.zoo.animals import Animal

__all__ = ["facts_of"]

_SUITES: Final = "conformance_tests"
#: A runner that breaks clauses, and the file of our own tests that says which.
_BREAKER: Final = "mlcube 0.0.9 with Docker"
_BREAKS: Final = "mlcube.expected.yaml"
_REASON: Final = "why, and until when"
_NOT_TESTED: Final = "there is nothing to waive: nothing fails by it"
#: Of a clause or a family of clauses that cannot be waived, the reason.
_NOT_WAIVED: Final = {
    "FILE-2": (
        "it cannot be waived, as a platform file may serve many cubes: fix it, or name "
        "another platform"
    ),
    "RECIPE": (
        "it cannot be waived: `validate` alone reports it, and has no expected failures"
    ),
}
#: What else there is to know of one that can.
_NOTES: Final = {
    "FILE-1": "the cube is not run even so, and `validate` reports it",
}


def facts_of(clause: Clause) -> dict[str, Any]:
    """Return what is known of a clause, as JSON has it."""
    shown = example_of(clause.id)
    return {
        "id": clause.id,
        "level": clause.level,
        "who": clause.who,
        "depth": clause.depth if clause.who == "cube" else "",
        "sentence": clause.sentence,
        "why": clause.evidence,
        "test": clause.test,
        "checks": _purpose(clause.test),
        "why_not": clause.why_not,
        "needs": [FEATURES[each] for each in clause.needs],
        "example": _example(shown) if shown else None,
        "animals": [
            {"name": each.name, "breaks": each.breaks, "fix": each.fix}
            for each in animals()
            if each.clause == clause.id
        ],
        "broken_by": _breakers().get(clause.id, {}),
        "waiver": _waiver(clause),
    }


def _example(animal: Animal) -> dict[str, Any]:
    kind = seen_on(animal)
    words = [f"--level {animal.level}"] if animal.level > "L2" else []
    words += animal.options
    told = f"test CUBE --platform {kind}{''.join(f' {each}' for each in words)}"
    return {
        "name": animal.name,
        "breaks": animal.breaks,
        "fix": animal.fix,
        "difference": difference(animal),
        "seen_by": f"mlcube-conformance {told if kind else 'validate CUBE'}",
        "message": message_of_example(animal),
    }


def _waiver(clause: Clause) -> dict[str, Any]:
    """Return where and how a failure is waived, or why it cannot be."""
    why_not = _NOT_WAIVED.get(clause.id) or _NOT_WAIVED.get(clause.family, "")
    if not clause.test and not example_of(clause.id):
        why_not = _NOT_TESTED
    if why_not:
        return {"why_not": why_not}
    entry = [f"- clause: {clause.id}", f"  reason: {_REASON}"]
    if clause.who == "runner":
        return {"file": "the file that `--expected-failures` names", "lines": entry}
    lines = ["expected_failures:", *(f"  {each}" for each in entry)]
    note = _NOTES.get(clause.id, "")
    return {
        "file": "`conformance.yaml` beside `mlcube.yaml`",
        "lines": lines,
        **({"note": note} if note else {}),
    }


@cache
def _breakers() -> dict[str, dict[str, str]]:
    """Return what the official runner does instead, by clause."""
    import yaml  # noqa: PLC0415 - needed by one command, and our own file

    file = files(_SUITES) / "runner" / "descriptions" / _BREAKS
    return {
        each["clause"]: {"runner": _BREAKER, "reason": each["reason"]}
        for each in yaml.safe_load(file.read_text("utf-8"))
    }


def _purpose(test: str) -> str:
    """Return what one of our tests says of itself; "" for others, and for none."""
    path, _, name = test.partition("::")
    if not path.startswith(f"{_SUITES}/"):
        return ""
    return _purposes(path.removeprefix(f"{_SUITES}/")).get(name, "")


@cache
def _purposes(path: str) -> dict[str, str]:
    file = files(_SUITES).joinpath(*path.split("/"))
    return {
        each.name: (ast.get_docstring(each) or "").partition("\n")[0]
        for each in ast.parse(file.read_text("utf-8")).body
        if isinstance(each, ast.FunctionDef)
    }
