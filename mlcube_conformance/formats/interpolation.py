"""Replaces the references in a single-file cube, such as `${docker.image}`.

The characters are those of OmegaConf, of which MLCube is a user: `${key.path}` for
another value of the file, `${workspace}`, and `${oc.env:NAME,default}` for a variable.
That of any variable would hand a secret to whoever wrote the file: few are given, and
others where the command line names them.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import did_you_mean
from mlcube_conformance.formats.yaml import Located

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.base.source import Source
    from mlcube_conformance.formats.problems import Problems

__all__ = ["Interpolation"]

_REFERENCE = re.compile(r"\$\{([^{}$]+)\}")
_VARIABLE = re.compile(r"(?:oc\.)?env:(\w+)(?:,(.*))?", re.DOTALL)
_SCALARS = (str, int, float, bool, date)
#: As deep as references may be in one another.
_MAX_ROUNDS = 10
_MAX_LENGTH = 10_000
#: References of a file, and as many as may point to one another, one by one.
_MAX_REFERENCES = 10_000
_MAX_CHAIN = 50
_BEGUN = object()
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
        *,
        for_builds: bool = False,
    ) -> None:
        """Take what references may mean.

        Args:
            document: The whole file.
            problems: Takes what cannot be filled in.
            given: Variables that the command line gives.
            places: What the format gives beside the file's own keys, by name.
            for_builds: Whether the values are given to builds, whose images keep them:
                what the command line gives to tasks is left out.
        """
        free = {*_FREE, *(name.upper() for name in _FREE)}
        own = {name: os.environ[name] for name in free if name in os.environ}
        self._document = document
        self._problems = problems
        self._variables = own if for_builds else {**own, **given}
        self._kept_from_builds = set(given) if for_builds else set()
        self._places = places
        self._filled: dict[tuple[Source, str], object] = {}
        self._followed = 0
        self._chain = 0

    def filled(self, at: Located) -> Located:
        """Return a value with every reference in it filled in."""
        if isinstance(at.value, dict):
            pairs = {key: self.filled(value) for key, value in at.items()}
            return replace(at, value=pairs)
        if isinstance(at.value, list):
            return replace(at, value=[self.filled(each) for each in at.value])
        if "${" not in at.text():
            return at
        # The same text may be asked for many times, by as many references.
        key = (at.source, at.text())
        if key not in self._filled:
            self._filled[key] = _BEGUN  # what a reference to itself finds
            self._filled[key] = self._text(at)
        found = self._filled[key]
        if isinstance(found, Located):
            return replace(found, source=at.source)
        return replace(at, value=found)

    def _text(self, at: Located) -> object:
        """Fill in one text, from its innermost references outwards."""
        text = at.text()
        for _ in range(_MAX_ROUNDS):
            whole = _REFERENCE.fullmatch(text)
            if whole:
                value = self._meaning(whole[1].strip(), at)
                if isinstance(value, Located) and isinstance(value.value, str):
                    value = value.value
                if not isinstance(value, str) or "${" not in value:
                    return value
                text = value
                continue
            text, count = self._replaced(text, at)
            if len(text) > _MAX_LENGTH:
                self._problems.add(
                    "the value is too long once its references are filled in",
                    at,
                    found="more characters",
                    expected=f"at most {_MAX_LENGTH}",
                    do="write it with fewer references",
                )
                return ""
            if not count:
                break
        if "${" in text:
            self._problems.add(
                "the value has an invalid reference",
                at,
                found=text,
                expected="${KEY}, ${workspace} or ${oc.env:NAME,default}",
                do="fix the reference",
            )
        return text

    def _replaced(self, text: str, at: Located) -> tuple[str, int]:
        """Replace what can be at once, up to where the text becomes too long."""
        pieces: list[str] = []
        end = length = count = 0
        for match in _REFERENCE.finditer(text):
            new = (
                text[end : match.start()],
                _written(self._meaning(match[1].strip(), at)),
            )
            pieces += new
            length += sum(map(len, new))
            end, count = match.end(), count + 1
            if length > _MAX_LENGTH:
                break
        return "".join((*pieces, text[end:])), count

    def _meaning(self, name: str, at: Located) -> object:
        self._followed += 1
        if self._followed > _MAX_REFERENCES or self._chain > _MAX_CHAIN:
            self._problems.add(
                "the file holds too many references, or too long a chain of them",
                at,
                found=at.text(),
                expected=f"at most {_MAX_REFERENCES}, and {_MAX_CHAIN} in a row",
                do="write the value itself",
            )
            return ""
        self._chain += 1
        try:
            return self._value(name, at)
        finally:
            self._chain -= 1

    def _value(self, name: str, at: Located) -> object:
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
        if self._filled.get((found.source, found.text())) is _BEGUN:
            self._problems.add(
                f"${{{name}}} refers to itself",
                at,
                found=at.text(),
                expected="references that end in a value",
                do="write the value itself",
            )
            return ""
        return self.filled(found)

    def _variable(self, name: str, default: str | None, at: Located) -> object:
        if name in self._variables:
            return self._variables[name]
        if default is not None:
            text = default.strip()
            quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
            return text[1:-1] if quoted else text
        if name in self._kept_from_builds:
            self._problems.warn(
                f"the variable {name!r} is not passed to builds: the image would "
                "keep it",
                at,
                found=at.text(),
                do=f"give the argument, unless it is a secret: --build-arg {name}",
            )
            return None
        self._problems.limit(
            f"the variable {name!r} is not passed to cubes",
            at,
            found=at.text(),
            expected="a variable of the command line: others may be secrets",
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
            do=did_you_mean(name, known) or "fix the reference",
        )


def _written(value: object) -> str:
    if isinstance(value, Located):
        return value.as_written()
    return "" if value is None else str(value)
