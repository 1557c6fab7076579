"""Reports in files, one module each, by the suffix of the file.

A module here has `SUFFIX` and `write`, which returns the text for a scorecard. The
modules are listed here: to add a report is to add one.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlcube_conformance.results.judgements import Scorecard

__all__ = ["writers"]


@cache
def writers() -> Mapping[str, Callable[[Scorecard], str]]:
    """Return what writes a report, by suffix."""
    names = sorted(each.name for each in iter_modules(__path__, f"{__name__}."))
    modules = [import_module(each) for each in names]
    return {each.SUFFIX: each.write for each in modules}
