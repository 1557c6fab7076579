"""Reads the keys of a mapping and gathers every problem, rather than the first."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, Violation, did_you_mean
from mlcube_conformance.formats.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from mlcube_conformance.formats.yaml import Located

__all__ = ["Problems", "TooManyProblemsError", "is_version", "misspelt_keys"]

# https://semver.org: MAJOR.MINOR.PATCH, then an optional pre-release and build.
_VERSION = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?"
)


#: Problems of the files of a cube, after which reading ends.
_MOST_PROBLEMS = 100
#: Keys that a format does not have for which one of its own is looked for.
_MOST_GUESSED = 100
#: Keys of a mapping that messages tell.
_MOST_KEYS = 20


def _kind_of(schema_type: str) -> str:
    """Describe the type of a file in words."""
    for ending, words in (
        ("_root", "the main file of a cube"),
        ("_task", "a task file, of tasks/"),
        ("_invoke", "a run file, of run/"),
        ("_platform", "a platform file, of platform/"),
    ):
        if schema_type.endswith(ending):
            return f" ({words})"
    return ""


def is_version(text: str) -> bool:
    """Say whether a text is a semantic version, such as `1.0.0` or `1.0.0-rc1`."""
    return _VERSION.fullmatch(text) is not None


def misspelt_keys(
    mapping: Located, known: Collection[str]
) -> Iterator[tuple[str, Located, str]]:
    """Yield each unknown key that looks like a known one, its value and a hint."""
    others = (pair for pair in mapping.items() if pair[0] not in known)
    for key, value in islice(others, _MOST_GUESSED):
        meant = did_you_mean(key, known)
        if meant:
            yield key, value, meant


class TooManyProblemsError(Exception):
    """Reading ended after too many problems."""

    def __init__(self, messages: Iterable[Message]) -> None:
        """Keep what was found so far."""
        self.messages = tuple(dict.fromkeys(messages))
        super().__init__("too many problems")


def _message(what: str, at: Located, expected: str, do: str, found: str) -> Message:
    where = str(at.source)
    return Message(
        what=what, where=where, found=found or at.kind, expected=expected, do=do
    )


class Problems:
    """Everything that is wrong with a cube's files, in the order it was found."""

    def __init__(self, reading: Reading | None = None) -> None:
        """Start with none; files that were read already are not read again."""
        self.reading = reading or Reading()
        self.messages: list[Message] = []
        self.warnings: list[Message] = []
        self.limits: list[Message] = []

    def limit(
        self, what: str, at: Located, *, expected: str, do: str, found: str = ""
    ) -> None:
        """Add what is asked for and not given here, by choice: no fault of the cube."""
        self.limits.append(_message(what, at, expected, do, found))

    def add(
        self, what: str, at: Located, *, expected: str, do: str, found: str = ""
    ) -> None:
        """Add one problem with a value of a file.

        Raises:
            TooManyProblemsError: There are so many that no more are looked for.
        """
        if len(self.messages) >= _MOST_PROBLEMS:
            raise TooManyProblemsError(self.messages)
        self.messages.append(_message(what, at, expected, do, found))

    def read(
        self, file: Path, what: str, expected: str | Iterable[str], *roots: Path
    ) -> Located | None:
        """Read a file that must hold a mapping, or add the problem and return None.

        Args:
            file: The file.
            what: What messages call it.
            expected: Keys that it may have, or what messages say of them.
            roots: Folders in one of which it must be, with its links followed.
        """
        try:
            document = self.reading.read(file, *roots)
        except Violation as violation:
            self.messages.extend(violation.messages)
            return None
        if not document.is_mapping():
            self.add(
                f"{what} {file.name} is not a mapping",
                document,
                expected=expected
                if isinstance(expected, str)
                else f"a mapping with the keys {', '.join(expected)}",
                do="write the keys at the left margin, each followed by a colon",
            )
            return None
        self.warn_of_duplicates(document)
        return document

    def warn_of_duplicates(self, mapping: Located) -> None:
        """Add a warning for each key that was written more than once."""
        self.warnings.extend(
            Message(
                what=f"the key {key!r} is written twice; the last one counts",
                where=str(mapping.source),
                do="remove one of them",
            )
            for key in mapping.duplicates
        )

    def warn(self, what: str, at: Located, *, found: str, do: str) -> None:
        """Add what a cube's author may not mean, and what can be run anyway."""
        self.warnings.append(
            Message(what=what, where=str(at.source), found=found, do=do)
        )

    def unknown_keys(self, mapping: Located, known: Iterable[str]) -> None:
        """Add a problem for each key that the format does not have."""
        names = tuple(known)
        unknown = ((k, value) for k, value in mapping.items() if k not in names)
        for key, value in islice(unknown, _MOST_KEYS):
            self.add(
                f"{value.source.file.name} has the unknown key {key!r}",
                value,
                found=key,
                expected=f"one of {', '.join(names)}",
                do=did_you_mean(key, names) or "remove it",
            )

    def further_keys(self, mapping: Located, known: Collection[str]) -> None:
        """Add a problem for each misspelt key, and a warning for other unknown ones.

        For formats whose readers pass over what they do not know.
        """
        name = mapping.source.file.name
        misspelt = {key: meant for key, _, meant in misspelt_keys(mapping, known)}
        unknown = ((k, value) for k, value in mapping.items() if k not in known)
        for key, value in islice(unknown, _MOST_KEYS):
            what = f"{name} has the unknown key {key!r}"
            if key in misspelt:
                expected = f"one of {', '.join(known)}"
                self.add(what, value, found=key, expected=expected, do=misspelt[key])
            else:
                self.warn(what, value, found=key, do="remove it: nothing reads it")

    def mapping(  # noqa: PLR0913 - each is one fact of it
        self,
        document: Located,
        key: str,
        *,
        expected: str,
        do: str,
        name: str = "",
        filled: bool = False,
    ) -> Located | None:
        """Return the mapping under a key; add a problem and return None without one.

        Args:
            document: The mapping around it.
            key: The key.
            expected: What messages say of it.
            do: What to do if it is missing.
            name: What messages call the document, instead of its file's name.
            filled: Whether an empty one counts as none.
        """
        at = document.get(key)
        if at is not None and at.is_mapping() and (at.value or not filled):
            return at
        self.add(
            f"{name or document.source.file.name} has no mapping {key!r}",
            at or document,
            found=at.kind if at else f"no key {key!r}",
            expected=expected,
            do=do,
        )
        return None

    def text(self, mapping: Located, key: str, *, required: bool = True) -> str:
        """Return the text under a key; add a problem and return "" without one."""
        at = mapping.get(key)
        name = f"{mapping.source.key}.{key}" if mapping.source.key else key
        if at is None:
            if required:
                keys = islice((each for each, _ in mapping.items()), _MOST_KEYS)
                self.add(
                    f"{mapping.source.file.name} lacks the key {name!r}",
                    mapping,
                    found=f"the keys {', '.join(keys)}",
                    expected=f"{key}: some text",
                    do=f"add {key!r}",
                )
            return ""
        if not at.text().strip():
            self.add(
                f"the key {name!r} must be text",
                at,
                expected="text",
                do="write some text, in quotes if it looks like a number",
            )
            return ""
        return at.text()

    def schema_type(self, document: Located, expected: tuple[str, ...]) -> bool:
        """Check `schema_type` and `schema_version`; say whether the type is right."""
        given = self.text(document, "schema_type")
        if given and given not in expected:
            self.add(
                f"{document.source.file.name} has the wrong schema_type",
                document.get("schema_type") or document,
                found=given + _kind_of(given),
                expected=expected[0] + _kind_of(expected[0]),
                do="give another file"
                if _kind_of(given)
                else f"write schema_type: {expected[0]}",
            )
        self.version(document, "schema_version")
        return given in expected

    def version(self, mapping: Located, key: str) -> str:
        """Return the semantic version under a key; add a problem without one."""
        at = mapping.get(key)
        if at is not None and not is_version(at.text()):
            self.add(
                f"{key!r} is not a version",
                at,
                expected="MAJOR.MINOR.PATCH, such as 1.0.0",
                do="write three numbers with dots",
            )
            return ""
        return self.text(mapping, key)
