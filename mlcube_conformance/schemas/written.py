"""Every schema, written out."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from mlcube_conformance.schemas.lists import (
    expected_failures_file,
    profile_file,
    runner_file,
)
from mlcube_conformance.schemas.main_file import main_file
from mlcube_conformance.schemas.multi_file import run_file, task_file
from mlcube_conformance.schemas.named import named
from mlcube_conformance.schemas.platform_file import platform_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlcube_conformance.schemas.rules import Rule

__all__ = ["GENERATED", "stored", "written"]

# The latest draft that every editor knows.
_DRAFT = "http://json-schema.org/draft-07/schema#"
#: Those that are made from the tables of their readers; others are files themselves.
GENERATED: Mapping[str, Callable[[], Rule]] = {
    "mlcube": main_file,
    "task": task_file,
    "run": run_file,
    "platform": platform_file,
    "runner": runner_file,
    "expected-failures": expected_failures_file,
    "profile": profile_file,
}


def written(name: str) -> str:
    """Return the text of a schema.

    Raises:
        KeyError: There is none of that name.
    """
    known = named(name)
    make = GENERATED.get(name)
    if make is None:
        return stored(name)
    schema = {"$schema": _DRAFT, "$id": known.url, "title": known.title, **make()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def stored(name: str) -> str:
    """Return the text of the published file of a schema.

    Raises:
        KeyError: There is none of that name.
    """
    package = files(__package__.partition(".")[0])
    return package.joinpath(named(name).path).read_text("utf-8")
