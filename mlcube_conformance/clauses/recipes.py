"""Recipes of images say what a task starts, and what can be started."""

from __future__ import annotations

from mlcube_conformance.clauses.clause import Clause

__all__ = ["RECIPES"]

_BEFORE_A_RUN = (
    "`mlcube-conformance validate` reads it in the recipe, without a run; a run shows "
    "it by EXIT-1"
)

RECIPES = (
    Clause(
        id="RECIPE-1",
        who="cube",
        sentence="the entry point of a recipe takes the arguments of a task",
        evidence=(
            "in shell form Docker drops the arguments, and they replace a CMD: the "
            "task runs without its parameters, or not at all"
        ),
        why_not=_BEFORE_A_RUN,
    ),
    Clause(
        id="RECIPE-2",
        who="cube",
        sentence="a script that an image starts can be executed",
        evidence=(
            "without an exec bit or a #! line the kernel refuses it; with line ends of "
            "Windows no interpreter is found"
        ),
        why_not=_BEFORE_A_RUN,
    ),
    Clause(
        id="RECIPE-3",
        who="cube",
        level="SHOULD",
        sentence="a recipe names its entry point itself",
        evidence="that of a base image is another one when the base moves on",
        why_not=_BEFORE_A_RUN,
    ),
    Clause(
        id="RECIPE-4",
        who="cube",
        level="SHOULD",
        sentence="a recipe names each base image with a tag other than latest",
        evidence="examples #44 to #51: images that no longer built",
        why_not="`mlcube-conformance validate` reads it in the recipe",
    ),
)
