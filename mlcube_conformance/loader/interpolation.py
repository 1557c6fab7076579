"""Fills in what a text of a single-file cube refers to, such as `${docker.image}`.

The signs are those of OmegaConf, of which MLCube is a user: `${key.path}` for another
value of the file, `${workspace}`, and `${oc.env:NAME,default}` for a variable. That
of any variable would hand a secret to whoever wrote the file: few are given, and
others where the command line names them.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from mlcube_conformance.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.loader.fields import Problems
    from mlcube_conformance.loader.yaml import Located

__all__ = ["Interpolation"]

_REFERENCE = re.compile(r"\$\{([^{}$]+)\}")
_VARIABLE = re.compile(r"(?:oc\.)?env:(\w+)(?:,(.*))?", re.DOTALL)
_SCALARS = (str, int, float, bool)
#: As deep as a reference may lead to another one.
_MAX_DEPTH = 10
#: Variables that tell a cube nothing that a task could not see.
_FREE = ("HOME", "USER", "http_proxy", "https_proxy", "no_proxy")


class Interpolation:
    """Fills in the texts of one file."""

    def __init__(
        self,
        document: Located,
        problems: Problems,
        given: Mapping[str, str],
        places: Mapping[str, str],
    ) -> None:
        """Take what references may mean.

        Args:
            document: The whole file.
            problems: Takes what cannot be filled in.
            given: Variables that the command line gives.
            places: What the format gives beside the file's own keys, by name.
        """
        free = {*_FREE, *(name.upper() for name in _FREE)}
        own = {name: os.environ[name] for name in free if name in os.environ}
        self._document = document
        self._problems = problems
        self._variables = {**own, **given}
        self._places = places

    def filled(self, at: Located, depth: int = 0) -> Located:
        """Return a value with every reference in it filled in."""
        if isinstance(at.value, dict):
            pairs = {key: self.filled(value) for key, value in at.items()}
            return replace(at, value=pairs)
        if isinstance(at.value, list):
            return replace(at, value=[self.filled(each) for each in at.value])
        text = at.text()
        if "${" not in text:
            return at
        whole = _REFERENCE.fullmatch(text)
        if whole:
            return replace(at, value=self._meaning(whole[1], at, depth))
        filled = _REFERENCE.sub(
            lambda match: _written(self._meaning(match[1], at, depth)), text
        )
        return replace(at, value=filled)

    def _meaning(self, name: str, at: Located, depth: int) -> object:
        variable = _VARIABLE.fullmatch(name)
        if variable:
            return self._variable(variable[1], variable[2], at)
        if name in self._places:
            return self._places[name]
        found: Located | None = self._document
        for key in name.split("."):
            found = found.get(key) if found is not None else None
        if found is None or not isinstance(found.value, _SCALARS):
            self._refuse(name, at, found)
            return ""
        if depth >= _MAX_DEPTH:
            self._problems.add(
                f"${{{name}}} refers to itself",
                at,
                found=at.text(),
                expected="references that end in a value",
                do="write the value itself",
            )
            return ""
        return self.filled(found, depth + 1).value

    def _variable(self, name: str, default: str | None, at: Located) -> object:
        if name in self._variables:
            return self._variables[name]
        if default is not None:
            return default
        self._problems.add(
            f"the value names the variable {name!r}, which a cube does not get",
            at,
            found=at.text(),
            expected="a variable that the command line gives: others may be secrets",
            do=f"give it on the command line: --env {name}",
        )
        return ""

    def _refuse(self, name: str, at: Located, found: Located | None) -> None:
        known = [*self._places, *(key for key, _ in self._document.items())]
        self._problems.add(
            f"${{{name}}} refers to no value",
            at,
            found=found.kind if found else "no such key",
            expected="the path of a key with a text or a number, workspace, or "
            "oc.env:NAME",
            do=did_you_mean(name, known) or "mend the reference",
        )


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
