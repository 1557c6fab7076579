"""Tests whether a packaged ML workload works where it claims to work.

The names below are the types of fixtures, for people's own tests. Each is imported on
first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlcube_conformance.model import Case, Cube, Image, Platform
    from mlcube_conformance.suites.cube.task_run import TaskRun

__all__ = ["Case", "Cube", "Image", "Platform", "TaskRun", "__version__"]

__version__ = "0.1.0"

_MODULES = {
    **dict.fromkeys(("Case", "Cube", "Image", "Platform"), "model"),
    "TaskRun": "suites.cube.task_run",
}


def __getattr__(name: str) -> object:
    """Return a type of a fixture."""
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
