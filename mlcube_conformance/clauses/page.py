"""The page of the documents that lists every clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.base.markdown import cell, table
from mlcube_conformance.clauses import CLAUSES, FEATURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlcube_conformance.clauses import Clause

__all__ = ["FAMILIES", "clauses_markdown"]

#: The families of clauses, in the order of the page.
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
    "ENV": "variables, GPUs and network",
    "REMOTE": "other hosts",
    "SAME": "one platform and another",
}

_INTRO = """\
# The clauses

<!-- Written by `mlcube-conformance clauses`; change mlcube_conformance/clauses/. -->

A clause is one requirement. Its id stays as it is, whatever is added later. A *cube* is
tested against some, with `mlcube-conformance test`, and a *runner* against the others,
as a black box: it gets small cubes that are made to find the fault.

A MUST that is not met is a failure. A SHOULD may be declared as unsupported, with a
reason. A SHOULD of a cube without a test of its own is shown in the summary; it fails
the run with `--fail-on-should`. Where a runner lacks what the last column names, the
clause does not apply.

The reasons name commits and issues of [mlcube](https://github.com/mlcommons/mlcube),
of [examples](https://github.com/mlcommons/mlcube_examples) and of
[medperf](https://github.com/mlcommons/medperf). What mlcube does was seen or read at
d6a46c7 and ab5b38f (both early), 756eb0e (November 2020), a1135be (July 2021, the last
with cubes of several files) and 6b32fa3 (0.0.10rc2).\
"""

_HEAD = (
    "clause",
    "level",
    "who",
    "requirement",
    "why it is here",
    "test, or why there is none",
    "applies",
)


def clauses_markdown() -> str:
    """Return the page, which ends with a line end."""
    return "\n".join([_INTRO, *_sections(), ""])


def _sections() -> Iterator[str]:
    for family, title in FAMILIES.items():
        yield from ("", f"## {family}: {title}", "")
        members = [each for each in CLAUSES if each.family == family]
        yield from table(_HEAD, map(_row, sorted(members, key=_number)))
    yield from ("", "## What a runner may have", "")
    yield "The names that the description of a runner gives as `features`."
    yield ""
    named = ((f"`{name}`", cell(meaning)) for name, meaning in FEATURES.items())
    yield from table(("name", "meaning"), named)


def _number(clause: Clause) -> int:
    return int(clause.id.partition("-")[2])


def _row(clause: Clause) -> tuple[str, ...]:
    return (
        clause.id,
        clause.level,
        clause.who,
        cell(clause.sentence),
        cell(clause.evidence),
        _test(clause),
        _applies(clause),
    )


def _test(clause: Clause) -> str:
    if not clause.test:
        return f"none: {cell(clause.why_not)}"
    file, _, function = clause.test.partition("::")
    return f"[`{function}`](../{file})"


def _applies(clause: Clause) -> str:
    if not clause.needs:
        return "always"
    return "where " + ", and ".join(FEATURES[need] for need in clause.needs)
