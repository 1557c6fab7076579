"""The forms in which flaws are written; two of them are those of reports of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.results.annotations import github_commands
from mlcube_conformance.results.sarif_log import sarif_log
from mlcube_conformance.validation.formats import json, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlcube_conformance.validation.report import Report

__all__ = ["FORMATS"]


def _github(report: Report) -> str:
    lines = github_commands((each for _, each in report.flaws()), report.folder)
    return "\n".join([*lines, f"{report.counts}\n"])


def _sarif(report: Report) -> str:
    return sarif_log([each for _, each in report.flaws()], report.folder)


#: By the name that `--format` gives, the first one being the default.
FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": text.write,
    "json": json.write,
    "github": _github,
    "sarif": _sarif,
}
