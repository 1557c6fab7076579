"""Writes platform files that differ from a given one in what a test is about."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.errors import MachineError, Violation
from mlcube_conformance.base.homes import with_home
from mlcube_conformance.formats.yaml import Located, read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["variant_of", "with_command"]

_PATHS = ("identity_file", "identify_file", "known_hosts", "ssh_config")


def variant_of(
    file: Path,
    folder: Path,
    *,
    identity: Callable[[Path, Path], object],
    variables: Mapping[str, str] | None = None,
) -> Path:
    """Write a platform file of another host that names a key in another folder.

    Args:
        file: The platform file to begin with.
        folder: Where to write it; the key comes into a folder with a blank.
        identity: Makes the key, from that of the file, at the path given second.
        variables: Environment of tasks there.
    """
    document = _absolute(_plain(_read(file)), file.parent)
    folder.mkdir(parents=True)
    key = folder / "a key" / "id"
    key.parent.mkdir()
    login = document.setdefault("authentication", {})
    given = login.pop("identify_file", None) or login.get("identity_file")
    identity(Path(given or os.devnull), key)
    key.chmod(0o600)
    login["identity_file"] = str(key)
    if variables:
        document.setdefault("env", {})["variables"] = dict(variables)
    return _written(document, folder / file.name)


def with_command(file: Path, command: str) -> None:
    """Have a platform file name the executable of the engine."""
    document = _plain(_read(file))
    document.setdefault("container", {})["command"] = command
    _written(document, file)


def _written(document: object, file: Path) -> Path:
    file.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return file


def _plain(located: Located) -> Any:  # noqa: ANN401 - what a file holds
    if isinstance(located.value, dict):
        return {name: _plain(value) for name, value in located.items()}
    if isinstance(located.value, list):
        return [_plain(each) for each in located.value]
    return located.value


def _absolute(value: Any, folder: Path, key: str = "") -> Any:  # noqa: ANN401 - as above
    if isinstance(value, dict):
        return {name: _absolute(each, folder, name) for name, each in value.items()}
    if key in _PATHS and isinstance(value, str):
        return str(folder / with_home(value))
    return value


def _read(file: Path) -> Located:
    """Read a platform file; that it cannot be read is not a fault of the runner."""
    try:
        return read_yaml(file)
    except Violation as violation:
        raise MachineError(*violation.messages) from violation
