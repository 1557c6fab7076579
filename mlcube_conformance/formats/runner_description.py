"""Reads the description of a runner: how its command line is spoken to."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from mlcube_conformance.base.errors import Message, UsageError, did_you_mean
from mlcube_conformance.clauses import FEATURES, clause
from mlcube_conformance.formats.description_values import (
    PLACEHOLDER,
    Words,
    check_placeholders,
    items_below,
    items_of,
    texts_below,
    words_below,
)
from mlcube_conformance.formats.problems import Problems, TooManyProblemsError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from mlcube_conformance.formats.yaml import Located

__all__ = [
    "BROUGHT",
    "COMMANDS",
    "DESCRIPTION_KEYS",
    "FORMATS",
    "NEEDS_A_KEY",
    "OPTIONS",
    "Format",
    "RunnerDescription",
    "filled",
    "load_runner_description",
]

Format = Literal["multi-file", "single-file"]

FORMATS = ("multi-file", "single-file")
#: Placeholders of each command, beside those that every word knows.
OPTIONS = {
    "task": {"task"},
    "workspace": {"workspace"},
    "parameter": {"name", "value"},
    "network": {"network"},
    "gpus": {"gpus"},
    "environment": {"name", "value"},
}
COMMANDS = {
    "version": (True, set[str]()),
    "configure": (True, {"cube", "platform"}),
    "run": (True, {"cube", "platform"}),
    "left_behind": (False, {"image"}),
    "remove": (False, {"left"}),
    "remove_image": (False, {"image"}),
}
#: Features that an option of the command line brings.
BROUGHT = {
    "parameter": "override",
    "workspace": "workspace",
    "network": "network",
    "gpus": "gpus",
    "environment": "environment",
}
#: Features that an option, or another key, has to bring.
NEEDS_A_KEY = {"engine", "gpus", "leftovers", "network", "override", "workspace"}
DESCRIPTION_KEYS = (
    *("name", "version", "formats", "configure", "run", "options", "features"),
    *("without", "platform", "place", "place_singularity", "left_behind", "remove"),
    *("remove_image", "engine_absent", "unsupported"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerDescription:
    """How a runner is called, and what it offers."""

    name: str
    file: Path
    version: Words
    formats: tuple[Format, ...]
    """Formats of cubes that it reads; the first is used unless another is asked for."""
    configure: Words
    run: Words
    options: Mapping[str, Words]
    """Words that are added to `run`, by what they say."""
    features: frozenset[str]
    without: Mapping[str, str] = field(default_factory=dict)
    """Why a feature does not exist."""
    platform: str = ""
    place: str = ""
    """Platform file of another host, where that is not the platform."""
    place_singularity: str = ""
    """Platform file of another host whose engine is Singularity."""
    left_behind: Words = ()
    """Prints one word for each container of an image that is still there."""
    remove: Words = ()
    """Removes one of these."""
    remove_image: Words = ()
    engine_absent: Mapping[str, str] = field(default_factory=dict)
    """Environment in which the engine cannot be reached."""
    unsupported: Mapping[str, str] = field(default_factory=dict)
    """Clauses that only should hold and do not, with the reason."""

    def has(self, feature: str) -> bool:
        """Say whether the runner offers a feature."""
        return feature in self.features

    def lacking(self, needs: tuple[str, ...]) -> str:
        """Return why a clause that needs these features does not apply, or ""."""
        for feature in needs:
            if feature not in self.features:
                reason = self.without.get(feature, "the runner does not offer it")
                return f"needs {feature}: {reason}"
        return ""


def filled(words: Words, values: Mapping[str, str]) -> tuple[str, ...]:
    """Return words with their placeholders replaced, each word for itself.

    Raises:
        UsageError: A variable that a word names is not set.
    """
    known = {"python": sys.executable, **values}

    def replace(match: re.Match[str]) -> str:
        variable, name = match.groups()
        if name:
            return known[name]
        if variable not in os.environ:
            raise _not_set(variable)
        return os.environ[variable]

    return tuple(PLACEHOLDER.sub(replace, word) for word in words)


def _not_set(variable: str) -> UsageError:
    return UsageError(
        Message(
            what=f"the description of the runner needs the variable {variable}",
            where=f"the runner's description, ${{{variable}}}",
            found="it is not set",
            expected="the path that the description expects",
            do=f"export {variable}=…; docs/runners.md lists the variables",
        )
    )


def load_runner_description(file: Path) -> RunnerDescription:
    """Read the description of a runner.

    Raises:
        UsageError: Something in it is wrong; one message lists all of it.
    """
    problems = Problems()
    try:
        document = problems.read(file, "the runner's description", DESCRIPTION_KEYS)
        found = _description(document, problems) if document else None
    except TooManyProblemsError as error:
        raise UsageError(*error.messages) from error
    if problems.messages or found is None:
        raise UsageError(*problems.messages)
    return found


def _description(document: Located, problems: Problems) -> RunnerDescription:
    problems.unknown_keys(document, DESCRIPTION_KEYS)
    commands = {
        key: _from_here(
            words_below(document, key, known, problems, required=required),
            document,
            problems,
        )
        for key, (required, known) in COMMANDS.items()
    }
    formats = _formats(document, problems)
    options = _options(document, problems)
    engine_absent = texts_below(document, "engine_absent", problems)
    brought = {BROUGHT[each] for each in options if each in BROUGHT}
    if engine_absent:
        brought.add("engine")
    if commands["left_behind"]:
        brought.add("leftovers")
    for key in ("platform", "place", "place_singularity"):
        text = document.get(key)
        if text is not None:
            check_placeholders(text, {"python"}, problems)
    features = _features(document, problems)
    missing = sorted((features & NEEDS_A_KEY) - brought)
    if missing:
        problems.add(
            f"the description does not say how the runner has {missing[0]!r}",
            document.get("features") or document,
            found=missing[0],
            expected="an option, left_behind or engine_absent that goes with it",
            do="write that, or remove the feature",
        )
    return RunnerDescription(
        name=problems.text(document, "name"),
        file=document.source.file,
        formats=formats,
        options=options,
        features=frozenset({*features, *brought, *formats}),
        without=_without(document, problems),
        platform=problems.text(document, "platform", required=False),
        place=problems.text(document, "place", required=False),
        place_singularity=problems.text(document, "place_singularity", required=False),
        engine_absent=engine_absent,
        unsupported=_unsupported(document, problems),
        **commands,
    )


def _from_here(words: Words, document: Located, problems: Problems) -> Words:
    """Return words in which paths beside the description are whole.

    Each call has a folder of its own, which no path of a description can be about.
    """
    folder = document.source.file.absolute().parent
    found = tuple(
        str(folder / word)
        if word.startswith(("./", "../"))
        or (number == 0 and "/" in word and word[0] not in "/~${")
        else word
        for number, word in enumerate(words)
    )
    if found != words and PLACEHOLDER.search(str(folder)):
        problems.add(
            "the folder of the description has a name that is a placeholder",
            document,
            found=str(folder),
            expected="a path without {NAME} and ${NAME}",
            do="rename the folder, or write absolute paths",
        )
        return words
    return found


def _formats(document: Located, problems: Problems) -> tuple[Format, ...]:
    at = document.get("formats")
    found = tuple(each.text() for each in items_of(at)) if at else ()
    if not found or not {*found} <= {*FORMATS}:
        problems.add(
            "the formats of the runner are missing or unknown",
            at or document,
            found=", ".join(found) or (at.kind if at else "no key 'formats'"),
            expected=f"a list with at least one of {' and '.join(FORMATS)}",
            do="write formats: [single-file]",
        )
        return ()
    return cast("tuple[Format, ...]", found)


def _options(document: Located, problems: Problems) -> dict[str, Words]:
    at = document.get("options")
    if at is None:
        return {}
    if not at.is_mapping():
        problems.add(
            "'options' is not a mapping",
            at,
            expected=f"a mapping with {', '.join(OPTIONS)}",
            do="write each option with its words",
        )
        return {}
    problems.unknown_keys(at, OPTIONS)
    return {
        key: words_below(at, key, OPTIONS[key], problems, required=False)
        for key, _ in at.items()
        if key in OPTIONS
    }


def _features(document: Located, problems: Problems) -> set[str]:
    values = items_below(document, "features", problems)
    for each in values:
        _check_feature(each.text() or each.kind, each, problems)
    return {each.text() for each in values}


def _check_feature(name: str, at: Located, problems: Problems) -> None:
    if name not in FEATURES:
        problems.add(
            f"unknown feature {name!r}",
            at,
            found=name,
            expected=f"one of {', '.join(FEATURES)}",
            do=did_you_mean(name, FEATURES) or "remove it",
        )


def _without(document: Located, problems: Problems) -> dict[str, str]:
    at = document.get("without")
    for key, value in at.items() if at else ():
        _check_feature(key, value, problems)
    return texts_below(document, "without", problems)


def _unsupported(document: Located, problems: Problems) -> dict[str, str]:
    items = items_below(document, "unsupported", problems)
    return dict(_reasons(items, problems))


def _reasons(items: Iterable[Located], problems: Problems) -> Iterator[tuple[str, str]]:
    for each in items:
        problems.unknown_keys(each, ("clause", "reason"))
        name = problems.text(each, "clause")
        reason = problems.text(each, "reason")
        try:
            level = clause(name).level if name else "SHOULD"
        except KeyError:
            problems.add(
                f"unknown clause {name!r}",
                each,
                found=name,
                expected="the id of a clause",
                do="fix the id",
            )
            continue
        if level != "SHOULD":
            problems.add(
                f"the clause {name} is a MUST: no runner may leave it out",
                each,
                found=f"{name}: {reason}",
                expected="a SHOULD clause",
                do="let it fail, and list it in a file for --expected-failures",
            )
        yield name, reason
