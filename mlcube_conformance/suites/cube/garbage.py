"""Keeps thousands of cubes out of the search for garbage."""

from __future__ import annotations

import atexit
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["freeze_what_is_read"]

#: Programs, and modules run by `python -m`, whose process ends with the run.
_ENDS_WITH_RUN = (
    *("pytest", "mlcube-conformance"),
    *("pytest.__main__", "mlcube_conformance.__main__"),
)


def freeze_what_is_read(config: pytest.Config) -> None:
    """Keep what is in memory out of the search for garbage, to the end of the process.

    Nothing is searched at that end either: all memory is given back anyway. A process
    that does not end with the run keeps its search as it is.
    """
    if _ends_with_run(config):
        gc.freeze()
        atexit.register(gc.freeze)


def _ends_with_run(config: pytest.Config) -> bool:
    if hasattr(config, "workerinput"):  # a worker of xdist
        return True
    module = sys.modules["__main__"].__spec__
    return (module.name if module else Path(sys.argv[0]).name) in _ENDS_WITH_RUN
