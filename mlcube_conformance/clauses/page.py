"""The two pages of the documents that list the clauses: of cubes, and of runners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.markdown import cell, table
from mlcube_conformance.clauses import CUBE_CLAUSES, FEATURES, RUNNER_CLAUSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlcube_conformance.clauses import Clause

__all__ = ["FAMILIES", "clauses_markdown", "runner_clauses_markdown"]

#: The families of clauses, in the order of the pages.
FAMILIES = {
    "EXIT": "how a command ends",
    "PATH": "paths and values",
    "MOUNT": "what a task sees of the host",
    "INPUT": "inputs",
    "OUTPUT": "outputs",
    "OWNER": "who owns the outputs",
    "RUN": "the run as a whole",
    "ARG": "tasks, parameters and options",
    "FILE": "definitions",
    "IMAGE": "images",
    "RECIPE": "recipes of images",
    "ENV": "variables, GPUs and network",
    "REMOTE": "other hosts",
    "PROMISE": "what `conformance.yaml` promises",
    "HERMETIC": "what a cube must not need, change or leave",
    "TWICE": "a task and the same task again",
    "SAME": "one platform and another",
}

_OF_CUBES = """\
# The clauses of cubes

<!-- Written by `mlcube-conformance clauses --pages docs`: see CONTRIBUTING.md -->

A clause is one requirement. Its id stays as it is, whatever is added later. A cube is
tested against these with `mlcube-conformance test`;
[those of runners](runner-clauses.md) have a page of their own.

A MUST that is not met is a failure. A SHOULD of a cube is shown in the summary; it
fails the run with `--fail-on-should`. The third column is the
[level of trust](levels.md) that needs the clause.

The page of each clause says why it is here, shows a cube that breaks it with the
message of a real run, and says how to fix or waive it.
`mlcube-conformance explain OUTPUT-1` prints the same.\
"""

_OF_RUNNERS = """\
# The clauses of runners

<!-- Written by `mlcube-conformance clauses --pages docs`: see CONTRIBUTING.md -->

A runner is tested against these with `mlcube-conformance test --runner NAME`, as a
black box: it gets small cubes that are made to find the fault.
[Test a runner](runners.md) says how; [the clauses of cubes](clauses.md) have a page of
their own.

A MUST that is not met is a failure. A SHOULD may be declared as unsupported, with a
reason. Where a runner lacks what the last column names, the clause does not apply.\
"""

_ORIGIN = """\
The reasons name commits and issues of [mlcube](https://github.com/mlcommons/mlcube),
of [examples](https://github.com/mlcommons/mlcube_examples) and of
[medperf](https://github.com/mlcommons/medperf). What mlcube does was seen or read at
d6a46c7 and ab5b38f (both early), 756eb0e (November 2020), a1135be (July 2021, the last
with cubes of several files) and 6b32fa3 (0.0.10rc2).\
"""

_CUBE_HEAD = ("clause", "level", "for", "requirement")
_RUNNER_HEAD = ("clause", "level", "requirement", "applies")


def clauses_markdown(others: Sequence[Clause] = ()) -> str:
    """Return the page on cubes, which ends with a line end.

    Args:
        others: Clauses of other packages, which come last.
    """
    lines = [_OF_CUBES, "", _ORIGIN, *_sections(CUBE_CLAUSES)]
    return "\n".join([*lines, *_of_others(others, "cube"), ""])


def runner_clauses_markdown(others: Sequence[Clause] = ()) -> str:
    """Return the page on runners, which ends with a line end.

    Args:
        others: Clauses of other packages, which come last.
    """
    named = ((f"`{name}`", cell(meaning)) for name, meaning in FEATURES.items())
    lines = [
        *(_OF_RUNNERS, "", _ORIGIN),
        *_sections(RUNNER_CLAUSES),
        *_of_others(others, "runner"),
        *("", "## What a runner may have", ""),
        *("The names that the description of a runner gives as `features`.", ""),
        *table(("name", "meaning"), named),
    ]
    return "\n".join([*lines, ""])


def _of_others(others: Sequence[Clause], who: str) -> Iterator[str]:
    found = [each for each in others if each.who == who]
    if found:
        yield from ("", "## Clauses of other packages", "")
        yield from _table(found, is_ours=False)


def _sections(clauses: Sequence[Clause]) -> Iterator[str]:
    for family, title in FAMILIES.items():
        members = [each for each in clauses if each.family == family]
        if members:
            yield from ("", f"## {family}: {title}", "")
            yield from _table(sorted(members, key=_number))


def _number(clause: Clause) -> int:
    return int(clause.id.partition("-")[2])


def _table(clauses: Sequence[Clause], *, is_ours: bool = True) -> Iterator[str]:
    head = _CUBE_HEAD if clauses[0].who == "cube" else _RUNNER_HEAD
    yield from table(head, (_row(each, is_ours=is_ours) for each in clauses))


def _row(clause: Clause, *, is_ours: bool) -> tuple[str, ...]:
    name = f"[{clause.id}](clauses/{clause.id}.md)" if is_ours else clause.id
    sentence = cell(clause.sentence)
    if not clause.test and clause.why_not:
        sentence += " (no test of its own)"
    if clause.who == "cube":
        return (name, clause.level, clause.depth, sentence)
    return (name, clause.level, sentence, _applies(clause))


def _applies(clause: Clause) -> str:
    if not clause.needs:
        return "always"
    return "where " + ", and ".join(FEATURES[need] for need in clause.needs)
