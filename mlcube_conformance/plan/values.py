"""Reads the values of options, as texts of a command line.

A value that cannot be read is refused with the option's name, and shown only where it
cannot be a secret.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, UsageError, Violation
from mlcube_conformance.base.files import (
    is_folder,
    is_plain_file,
    is_there,
    read_text,
)
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.base.sizes import size_in_bytes
from mlcube_conformance.base.text import HIDDEN, hide
from mlcube_conformance.plan.order import Override

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "count",
    "days",
    "folder",
    "gpus",
    "hide_values",
    "not_there",
    "overrides",
    "pem_file",
    "seconds",
    "size",
    "variables",
]

#: Bytes of a file with certificates; that of a system has a quarter of a million.
_LARGEST_BUNDLE = 16 * 1024 * 1024


def overrides(option: str, given: Sequence[str]) -> tuple[Override, ...]:
    """Read `TASK.PARAMETER=PATH` or `PARAMETER=PATH` texts.

    Raises:
        UsageError: One of them reads otherwise.
    """
    found = []
    form = "TASK.PARAMETER=PATH"
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not value or not name.rpartition(".")[2]:
            raise _bad_value(option, each, form)
        found.append(Override(name=name, value=str(given_path(value, option))))
    return tuple(found)


def variables(option: str, given: Sequence[str]) -> dict[str, str]:
    """Read `NAME=VALUE` texts, and names of variables of this process.

    Of a name that is given twice, the last one counts. Values may be secrets.

    Raises:
        UsageError: One of them is neither.
    """
    found = {}
    for each in given:
        text = f"{each}={os.environ[each]}" if each in os.environ else each
        name, equals, value = text.partition("=")
        if not equals or not name:
            shown = f"{name}={HIDDEN}" if equals else each
            raise _bad_value(option, shown, "NAME or NAME=VALUE")
        found[name] = value
    return found


def hide_values(given: Sequence[str]) -> None:
    """Keep the values of variables out of all that is shown.

    Texts that cannot be read are left to `variables`.
    """
    hide(
        [
            each.partition("=")[2] if "=" in each else os.environ.get(each, "")
            for each in given
        ]
    )


def seconds(option: str, given: str) -> float:
    """Read a number of seconds above 0.

    Raises:
        UsageError: It is not one.
    """
    found = _number(given)
    if not 0 < found < float("inf"):
        raise _bad_value(option, given, "a number of seconds above 0")
    return found


def size(option: str, given: str) -> int:
    """Read a size in bytes, such as 500mb or 8g.

    Raises:
        UsageError: It is not one.
    """
    try:
        found = size_in_bytes(given)
    except ValueError:
        found = 0
    if found <= 0:
        raise _bad_value(option, given, "a size, such as 500mb or 8g")
    return found


def count(option: str, given: str) -> int:
    """Read a whole number, 1 or more.

    Raises:
        UsageError: It is not one.
    """
    found = _number(given)
    if not 1 <= found < float("inf") or found != int(found):
        raise _bad_value(option, given, "a whole number, 1 or more")
    return int(found)


def days(option: str, given: str) -> float:
    """Read a number of days, 0 or more.

    Raises:
        UsageError: It is not one.
    """
    found = _number(given)
    if not 0 <= found < float("inf"):
        raise _bad_value(option, given, "a number of days")
    return found


def _number(given: str) -> float:
    try:
        return float(given)
    except ValueError:
        return -1


def gpus(option: str, given: str) -> str:
    """Read which GPUs are asked for; "" and 0 ask for none, whatever the platform.

    Raises:
        UsageError: It is neither `all`, a number, nor `device=…`.
    """
    asked = given.strip('"')  # as docker's own documents quote a list of devices
    if asked in {"", "0"}:
        return ""
    if re.fullmatch(r"all|[0-9]+|device=[\w,-]+", asked):
        return asked
    raise _bad_value(option, given, "all, a number, or device=0,1")


def pem_file(option: str, given: str) -> Path:
    """Read the path of a file with certificates.

    Raises:
        UsageError: There is no such file, or it holds no certificate.
    """
    path = given_path(given, option)
    try:
        text = read_text(path, limit=_LARGEST_BUNDLE)
    except Violation:
        text = ""
    if "BEGIN CERTIFICATE" not in text:
        raise _bad_value(option, given, "a PEM file that can be read")
    return path


def folder(option: str, given: str) -> Path:
    """Read the path of a folder.

    Raises:
        UsageError: It is not one.
    """
    path = given_path(given, option)
    if not is_folder(path):
        raise not_there(option, path, "a folder")
    return path


def not_there(option: str, path: Path, expected: str) -> UsageError:
    """Return the refusal of a path that is not what an option takes."""
    return UsageError(
        Message(
            what=f"the path of {option} does not exist",
            where=str(path),
            found="a file" if is_plain_file(path) else _found(path),
            expected=expected,
            do="fix the path",
        )
    )


def _found(path: Path) -> str:
    if is_folder(path):
        return "a folder"
    return "a broken link, a pipe or a device" if is_there(path) else "nothing"


def _bad_value(option: str, found: str, expected: str) -> UsageError:
    return UsageError(
        Message(
            what=f"the value of {option} is invalid",
            where=option,
            found=found or "nothing",
            expected=expected,
            do=f"write {option} with {expected}",
        )
    )
