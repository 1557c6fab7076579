"""Reports in files, one module each, by the suffix of the file.

A module here has `SUFFIX`, and `write`, which returns the text for a scorecard, or
`report`, which returns that for a run, or both. `OPTION` is the name of the option of
`mlcube-conformance report`, where that is not the suffix. The modules are listed here:
to add a report is to add one. Another package names a module of its own by an entry
point; our suffixes stay ours.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlcube_conformance.results.judgements import Scorecard
    from mlcube_conformance.results.report import Report

__all__ = ["report_options", "reporters", "writers"]

_GROUP = "mlcube_conformance.reports"


@cache
def _modules() -> Mapping[str, Any]:
    names = sorted(each.name for each in iter_modules(__path__, f"{__name__}."))
    others = [each.load() for each in entry_points(group=_GROUP)]
    modules = [*others, *(import_module(each) for each in names)]
    return {each.SUFFIX: each for each in modules}


def writers() -> Mapping[str, Callable[[Scorecard], str]]:
    """Return what writes a scorecard, by suffix."""
    found = _modules().items()
    return {suffix: each.write for suffix, each in found if hasattr(each, "write")}


def reporters() -> Mapping[str, Callable[[Report], str]]:
    """Return what writes a report on a run, by suffix."""
    found = _modules().items()
    return {suffix: each.report for suffix, each in found if hasattr(each, "report")}


def report_options() -> Mapping[str, str]:
    """Return the suffix of each report on a run, by the name of its option."""
    return {
        getattr(_modules()[suffix], "OPTION", suffix.removeprefix(".")): suffix
        for suffix in reporters()
    }
