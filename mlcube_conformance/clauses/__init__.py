"""The requirements of cubes and runners, each with its id and level."""

from __future__ import annotations

from mlcube_conformance.clauses.arguments import ARGUMENTS
from mlcube_conformance.clauses.clause import FEATURES, Clause
from mlcube_conformance.clauses.cubes import CUBES
from mlcube_conformance.clauses.environment import ENVIRONMENT
from mlcube_conformance.clauses.exits import EXITS
from mlcube_conformance.clauses.files import FILES
from mlcube_conformance.clauses.hermetic import HERMETIC, IMAGE, TWICE
from mlcube_conformance.clauses.images import IMAGES
from mlcube_conformance.clauses.mounts import MOUNTS
from mlcube_conformance.clauses.paths import PATHS
from mlcube_conformance.clauses.promises import PROMISES
from mlcube_conformance.clauses.recipes import RECIPES
from mlcube_conformance.clauses.remote import REMOTE
from mlcube_conformance.clauses.runs import RUNS

__all__ = [
    "CLAUSES",
    "CUBE_CLAUSES",
    "FEATURES",
    "RUNNER_CLAUSES",
    "Clause",
    "clause",
]

CUBE_CLAUSES = (*CUBES, *PROMISES, *IMAGE, *HERMETIC, *TWICE, *RECIPES)
RUNNER_CLAUSES = (
    *EXITS,
    *PATHS,
    *MOUNTS,
    *RUNS,
    *ARGUMENTS,
    *FILES,
    *IMAGES,
    *ENVIRONMENT,
    *REMOTE,
)
CLAUSES = (*CUBE_CLAUSES, *RUNNER_CLAUSES)

_BY_ID = {each.id: each for each in CLAUSES}


def clause(clause_id: str) -> Clause:
    """Return the clause with that id.

    Raises:
        KeyError: There is none.
    """
    return _BY_ID[clause_id]
