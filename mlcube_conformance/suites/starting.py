"""The words that start pytest on cubes: by the settings of the current folder alone.

pytest takes its settings from the folders of the paths that it is given, and runs what
they name. A path that is a cube's would let the cube rule on this machine.
"""

from __future__ import annotations

import configparser
import os
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["OPTIONS", "PLUGIN", "is_test", "start_words"]

#: Plugin by which `mlcube-conformance test` says that it started pytest.
PLUGIN = "mlcube_conformance.suites.own_settings"
#: Plugin with our options, which is loaded even where none is by itself.
OPTIONS = "mlcube_conformance.plugin"
#: Files that pytest reads settings from, in its order, and the tables that hold them.
_SETTINGS: dict[str, tuple[str, ...]] = {
    "pytest.toml": (),
    ".pytest.toml": (),
    "pytest.ini": (),
    ".pytest.ini": (),
    "pyproject.toml": ("tool.pytest",),
    "tox.ini": ("pytest",),
    "setup.cfg": ("tool:pytest",),
}
#: Settings by which pytest finds the tests of a suite, whatever own ones are called.
_AS_OUR_TESTS = (
    *("testpaths=", "python_files=test_*.py", "python_functions=test"),
    "empty_parameter_set_mark=skip",
)
#: pytest warns that it cannot rewrite the assertions of who called it: there are none.
_REWRITE_WARNING = "Module already imported so cannot be rewritten"

#: pytest warns at length of a folder that it cannot keep its cache in.
_CACHE_WARNING = "ignore::pytest.PytestCacheWarning"


def start_words(words: Sequence[str], folder: Path) -> list[str]:
    """Return the words to start pytest with, in a folder and by its settings alone.

    Args:
        words: What the command line says; it may name other settings.
        folder: The current one.
    """
    file = _settings_of(folder)
    above = [] if file is not None else ["--confcutdir", str(folder)]
    named = [] if any(map(is_test, words)) else _AS_OUR_TESTS
    return [
        *("-c", str(file or os.devnull), "--rootdir", str(folder), *above),
        *("-p", PLUGIN, "-p", OPTIONS, "-W", f"ignore:{_REWRITE_WARNING}"),
        *("-W", _CACHE_WARNING),
        *(word for each in named for word in ("-o", each)),
        *words,
    ]


def is_test(word: str) -> bool:
    """Say whether a word of the command line names tests, and no cube."""
    return word.endswith(".py") or "::" in word


def _settings_of(folder: Path) -> Path | None:
    """Return the file that pytest would take its settings from, in a folder."""
    for each in (folder, *folder.parents):
        for name, tables in _SETTINGS.items():
            file = each / name
            if file.is_file() and (not tables or _has_table(file, tables)):
                return file
    return None


def _has_table(file: Path, tables: tuple[str, ...]) -> bool:
    """Say whether a file holds settings; one that cannot be read is left to it."""
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".toml":
            tool = tomllib.loads(text).get("tool", {})
            return isinstance(tool, dict) and "pytest" in tool
        found = configparser.RawConfigParser(strict=False, allow_no_value=True)
        found.read_string(text)
    except (OSError, UnicodeDecodeError, ValueError, configparser.Error):
        return f"[{tables[0]}" in _text(file)
    return any(each in found.sections() for each in tables)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
