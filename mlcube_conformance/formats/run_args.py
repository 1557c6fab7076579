"""Reads what a platform file asks of its kind of platform.

What a kind cannot give is refused: to leave it out in silence would run a task
otherwise than its author means.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import did_you_mean
from mlcube_conformance.runners.about import built_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.runners.about import Offer

__all__ = [
    "given_elsewhere",
    "read_container",
    "read_flag",
    "read_flags",
    "read_program",
    "read_words",
    "split_words",
]

#: Characters of a text of flags.
_MAX_LENGTH = 10_000
_NO_VALUE = re.compile("")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_container(
    container: Located, offer: Offer, options: dict[str, str], problems: Problems
) -> None:
    """Read what the mapping `container` of a platform file asks for, into options."""
    runtime = container.get("runtime")
    if runtime is not None and runtime.value is not None:
        name = problems.text(container, "runtime")
        if offer.runtimes:
            options["runtime"] = name
        else:
            gpus = offer.written["gpus"]
            problems.limit(
                f"the platform file asks for a runtime: {offer.kind} has none",
                runtime,
                found=str(runtime.value),
                expected="no key 'runtime'",
                do=f"remove it; run_args: {gpus} gives GPUs",
            )
    command = container.get("command")
    if command is not None and command.value is not None:
        name = problems.text(container, "command")
        read_program(name, command, options, problems, offer)
    flags = container.get("run_args")
    if flags is not None and flags.value is not None:
        read_flags(flags, options, problems, offer)


def split_words(at: Located, problems: Problems) -> list[str]:
    """Split a text as a shell would, and run nothing; add a problem where it cannot."""
    if len(at.text()) > _MAX_LENGTH:
        problems.add(
            f"{_key(at)} is too long",
            at,
            expected=f"at most {_MAX_LENGTH} characters",
            do="write fewer flags",
        )
        return []
    try:
        return shlex.split(at.text())
    except ValueError as error:
        problems.add(
            f"{_key(at)} is not a list of flags",
            at,
            expected="flags, such as --network=none",
            found=f"{at.text()} ({error})",
            do="close the quote",
        )
        return []


def _key(at: Located) -> str:
    return at.source.key.rpartition(".")[2]


def read_flags(
    at: Located, options: dict[str, str], problems: Problems, offer: Offer
) -> None:
    """Read flags of a command line into options; add a problem where it cannot be."""
    if not at.text():
        problems.add(
            f"the key {_key(at)!r} must be text",
            at,
            expected=f"flags of {offer.command}, such as --network=none",
            do="write the flags as one text",
        )
        return
    read_words(split_words(at, problems), at, options, problems, offer)


def read_words(
    words: Iterable[str],
    at: Located,
    options: dict[str, str],
    problems: Problems,
    offer: Offer,
) -> None:
    """Read flags that are words by themselves into options; see `read_flags`."""
    other_names = {each.partition("=")[0] for each in offer.same}
    waiting = iter(words)
    for word in waiting:
        flag, equals, value = _parted(word, offer)
        if flag in offer.ignored or (
            value == "false" and flag in {*offer.refused, *offer.words}
        ):
            continue
        if flag in offer.ignored_values:
            value = value if equals else next(waiting, "")
            continue
        if flag in other_names:
            whole = f"{flag}={value if equals else next(waiting, '')}"
            flag, equals, value = offer.same.get(whole, whole).partition("=")
            if whole in offer.same and options.get(offer.options[flag]):
                continue  # the other flag says more
        if flag in offer.words and (not equals or value == "true"):
            options[offer.options[flag]] = offer.words[flag]
            continue
        if flag in offer.options and not equals:
            value = next(waiting, "")
        if not read_flag(flag, value, at, options, problems, offer=offer):
            return


def read_flag(  # noqa: PLR0913 - a flag, its value, and where they stand
    flag: str,
    value: str,
    at: Located,
    options: dict[str, str],
    problems: Problems,
    *,
    offer: Offer,
) -> bool:
    """Read one flag into options; add a problem and return False where it cannot be."""
    if flag not in offer.options:
        _refuse_flag(flag, f"{flag}={value}" if value else flag, at, problems, offer)
        return False
    option = offer.options[flag]
    if option == "gpus":
        # As docker's own documents quote a list of devices.
        value = value.strip('"').removeprefix("count=")
    allowed = offer.values.get(option, _NO_VALUE)
    if option == "env" and _NAME.fullmatch(value):
        problems.limit(
            "the cube asks for a variable of this machine",
            at,
            found=f"{flag} {value}",
            expected=f"{flag} NAME=VALUE: others may be secrets",
            do=f"give it on the command line: --env {value}",
        )
        return False
    known = offer.known.get(option)
    if known and known.fullmatch(value) and not allowed.fullmatch(value):
        problems.limit(
            f"unsupported value of {flag}",
            at,
            found=f"{flag} {value}",
            expected=offer.in_words[option],
            do="remove it, if the tasks work without it",
        )
        return False
    if not allowed.fullmatch(value):
        problems.add(
            f"invalid value of {flag}",
            at,
            found=f"{flag} {value}".strip(),
            expected=offer.in_words.get(option, "no value"),
            do="fix the value",
        )
        return False
    earlier = options.get(option, "") if option in offer.repeated else ""
    options[option] = f"{earlier}\n{value}" if earlier else value
    return True


def _parted(word: str, offer: Offer) -> tuple[str, str, str]:
    """Return a flag, whether its value is in the same word, and that value."""
    flag, equals, value = word.partition("=")
    short = word[:2]
    known = {*offer.options, *offer.refused, *offer.ignored_values}
    glued = short in known and not word.startswith("--") and len(flag) > len(short)
    if glued and flag not in offer.ignored:
        return short, "=", word[2:]
    return flag, equals, value


def given_elsewhere(offer: Offer) -> set[str]:
    """Return the flags of a program that other kinds of platform give."""
    others = (each.offer for each in built_in().values() if each.offer)
    return {x for each in others if each.command == offer.command for x in each.options}


def _refuse_flag(
    flag: str, found: str, at: Located, problems: Problems, offer: Offer
) -> None:
    """Say that a flag is not given: by choice, or since the program has none such."""
    known = (*offer.options, *sorted(offer.ignored))
    what, expected = f"unsupported flag in {_key(at)}", f"one of {', '.join(known)}"
    if flag in offer.refused:
        problems.limit(what, at, found=found, expected=expected, do=offer.refused[flag])
    elif flag in offer.others or flag in given_elsewhere(offer):
        do = "remove it, if the tasks work without it"
        problems.limit(what, at, found=found, expected=expected, do=do)
    else:
        every = {*known, *offer.refused, *offer.others, *offer.ignored_values}
        do = did_you_mean(flag, known) or did_you_mean(flag, every) or "remove it"
        problems.add(
            f"unknown flag in {_key(at)}", at, found=found, expected=expected, do=do
        )


def read_program(
    name: str, at: Located, options: dict[str, str], problems: Problems, offer: Offer
) -> None:
    """Read which program stands for an engine; add a problem where none can."""
    if name in offer.programs:
        options.update(offer.programs[name])
    elif name:
        than = f"another executable than {offer.kind}"
        none = f"an executable, which {offer.kind} does not have"
        problems.limit(
            f"{at.source.file.name} asks for {than if offer.programs else none}",
            at,
            found=name,
            expected=" or ".join(offer.programs) or "nothing",
            do=offer.otherwise,
        )
