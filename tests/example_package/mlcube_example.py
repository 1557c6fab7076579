"""A package that adds clauses, a check, a runner and a report: a worked example.

What makes them known stands in `mlcube_example-0.1.dist-info/entry_points.txt`, which
the `[project.entry-points]` of a `pyproject.toml` become.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.clauses import Clause
from mlcube_conformance.runners.fake import FakeRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mlcube_conformance.results.judgements import Scorecard
    from mlcube_conformance.suites.cube.task_run import TaskRun

__all__ = ["CLAUSES", "SUFFIX", "ExampleRunner", "pytest_mlcube_checks", "write"]

CLAUSES = (
    Clause(
        id="EXAMPLE-1",
        who="cube",
        sentence="no output has the word made in it",
        evidence="an example",
        test="mlcube_example::says_nothing_of_its_making",
    ),
    Clause(
        id="EXAMPLE-2",
        who="cube",
        level="SHOULD",
        depth="L3",
        sentence="a task is called make",
        evidence="an example",
        test="mlcube_example::is_called_make",
    ),
)
SUFFIX = ".example"


def says_nothing_of_its_making(run: TaskRun) -> Iterable[str]:
    """Yield a sentence for each file with that word."""
    for output in run.outputs:
        for name, _ in output.after.files():
            path = output.path if name == "." else output.path / name
            if "made" in path.read_text(encoding="utf-8"):
                yield f"{name} of {output.binding.parameter.name} says made"


def is_called_make(run: TaskRun) -> Iterable[str]:
    """Yield a sentence where the task has another name."""
    name = run.case.invocation.task.name
    if name != "make":
        yield f"the task is called {name}"


def pytest_mlcube_checks() -> Mapping[str, Callable[[TaskRun], Iterable[str]]]:
    """Return the test of each clause, by its id."""
    return {"EXAMPLE-1": says_nothing_of_its_making, "EXAMPLE-2": is_called_make}


class ExampleRunner(FakeRunner):
    """Runs nothing, and writes what the image of the platform says."""


def write(card: Scorecard) -> str:
    """Return a scorecard in one line."""
    return f"{card.runner}\n"
