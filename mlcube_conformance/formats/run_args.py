"""Reads what a platform file asks of its kind of platform.

What a kind cannot give is refused: to leave it out in silence would run a task
otherwise than its author means.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import did_you_mean

if TYPE_CHECKING:
    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located
    from mlcube_conformance.runners.about import Offer

__all__ = [
    "read_container",
    "read_flag",
    "read_flags",
    "read_program",
    "split_words",
]

#: Characters of a text of flags.
_MAX_LENGTH = 10_000
_NO_VALUE = re.compile("")


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
            problems.add(
                f"the platform file asks for a runtime: {offer.kind} has none",
                runtime,
                found=str(runtime.value),
                expected="no key 'runtime'",
                do=f"remove it; run_args: {gpus} gives GPUs",
            )
    command = container.get("command")
    if command is not None:
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
    other_names = {each.partition("=")[0] for each in offer.same}
    waiting = iter(split_words(at, problems))
    for word in waiting:
        flag, equals, value = word.partition("=")
        if flag in offer.ignored:
            continue
        if flag in other_names:
            whole = f"{flag}={value if equals else next(waiting, '')}"
            flag, equals, value = offer.same.get(whole, whole).partition("=")
            if whole in offer.same and options.get(offer.options[flag]):
                continue  # the other flag says more
        if flag in offer.words and not equals:
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
    known = (*offer.options, *sorted(offer.ignored))
    if flag not in offer.options:
        problems.add(
            f"unsupported flag in {_key(at)}",
            at,
            found=f"{flag}={value}" if value else flag,
            expected=f"one of {', '.join(known)}",
            do=did_you_mean(flag, known) or "remove it",
        )
        return False
    option = offer.options[flag]
    if option == "gpus":
        value = value.strip('"')  # as docker's own documents quote a list of devices
    allowed = offer.values.get(option, _NO_VALUE)
    if not allowed.fullmatch(value):
        problems.add(
            f"invalid value of {flag}",
            at,
            found=f"{flag} {value}".strip(),
            expected=offer.in_words.get(option) or allowed.pattern or "no value",
            do="fix the value",
        )
        return False
    options[option] = value
    return True


def read_program(
    name: str, at: Located, options: dict[str, str], problems: Problems, offer: Offer
) -> None:
    """Read which program stands for an engine; add a problem where none can."""
    if name in offer.programs:
        options.update(offer.programs[name])
    elif name:
        than = f"another executable than {offer.kind}"
        none = f"an executable, which {offer.kind} does not have"
        problems.add(
            f"{at.source.file.name} asks for {than if offer.programs else none}",
            at,
            found=name,
            expected=" or ".join(offer.programs) or "nothing",
            do=offer.otherwise,
        )
