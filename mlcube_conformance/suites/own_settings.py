"""Whose settings and options pytest takes: the user's, and never those of a cube."""

from __future__ import annotations

import glob
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlcube_conformance.base.errors import Message, UsageError
from mlcube_conformance.base.homes import given_path
from mlcube_conformance.formats.main_files import MAIN_FILES
from mlcube_conformance.suites.starting import PLUGIN, is_test

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "asks_for_us",
    "no_cube",
    "pytest_addoption",
    "pytest_load_initial_conftests",
    "refuse_settings_of_cubes",
    "started_by_command",
]

#: What asks for this plugin, on a command line.
_ASKING = {"--cube", "--runner", "--help", "-h"}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Take words that are not tests for cubes; nothing beside them is loaded.

    Only where `mlcube-conformance test` started pytest: this module is its plugin.
    """
    known = early_config.known_args_namespace
    words: list[str] = list(known.file_or_dir)
    cubes = [each for each in words if not is_test(each)]
    asked = known.mlcube_cube or known.mlcube_runner
    if not cubes and not asked and any(map(os.path.lexists, MAIN_FILES)):
        cubes = ["."]
    early_config.option.mlcube_cube = cubes
    known.mlcube_cube = [*cubes, *known.mlcube_cube]
    # Without a path, pytest would load conftest.py of the current folder and of those
    # below it that begin with "test", which may be cubes.
    known.file_or_dir = [each for each in words if is_test(each)] or [os.devnull]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let usage and help name the command that was called, not a function of pytest."""
    parser.prog = "mlcube-conformance test"


def started_by_command(config: pytest.Config) -> bool:
    """Say whether `mlcube-conformance test` started this pytest."""
    return bool(config.pluginmanager.hasplugin(PLUGIN))


def no_cube(folder: Path) -> UsageError:
    """Return the refusal of a command that names nothing to test."""
    return UsageError(
        Message(
            what="nothing to test",
            where=str(folder),
            found=f"no {MAIN_FILES[0]} in the current folder",
            expected="the folder of a cube, or --runner NAME",
            do="write mlcube-conformance test CUBE, or make one: "
            "mlcube-conformance init hello",
        )
    )


def asks_for_us(config: pytest.Config) -> bool:
    """Say whether a command line wants this plugin, so it may take its options.

    Their names are everyday words, which other people's tests may use.
    """
    if started_by_command(config):
        return True
    # A worker of pytest-xdist is given options that were read already.
    if getattr(config.option, "mlcube_cube", None) or getattr(
        config.option, "mlcube_runner", None
    ):
        return True
    words = [
        *_split(os.environ.get("PYTEST_ADDOPTS", "")),
        *map(str, config.getini("addopts")),
        *map(str, config.invocation_params.args),
    ]
    return any(each.partition("=")[0] in _ASKING for each in words)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []  # pytest tells of it


def refuse_settings_of_cubes(config: pytest.Config, cubes: Iterable[str]) -> None:
    """Refuse to go on by the settings, or the code, of a cube.

    What is in the current folder or above it is the user's own, and so is what the
    command line names by `-c`.

    Raises:
        UsageError: pytest took its settings from a cube, or is about to load code.
    """
    if started_by_command(config):
        return  # It named the settings.
    known = config.known_args_namespace
    here = config.invocation_params.dir.resolve()
    own = {here, *here.parents}
    roots = [_place(given_path(each, "--cube")) for each in cubes]
    words = (each.partition("::")[0] for each in known.file_or_dir)
    tests = [_place(Path(os.path.normpath(here / each))) for each in words]
    file = config.inipath
    if file is not None and not known.inifilename:
        folder = file.resolve().parent
        of_tests = any(folder in {each, *each.parents} for each in tests)
        if folder not in own and not (of_tests and not _belongs(folder, roots)):
            raise _refusal(file, "settings of pytest")
    if not known.file_or_dir and not known.noconftest:
        for each in sorted(here.glob("test*/conftest.py")):
            folder = each.resolve().parent
            if folder not in own and any(folder.is_relative_to(root) for root in roots):
                raise _refusal(each, "a conftest.py, which pytest would run")


def _place(path: Path) -> Path:
    """Return what a path points to, as far as it is not a pattern."""
    while glob.has_magic(str(path)) and not os.path.lexists(path):
        path = path.parent
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path


def _belongs(folder: Path, roots: Iterable[Path]) -> bool:
    """Say whether a folder is, holds, or is in one of the cubes."""
    return any(
        folder in {root, *root.parents} or folder.is_relative_to(root) for root in roots
    )


def _refusal(file: Path, what: str) -> UsageError:
    return UsageError(
        Message(
            what=f"{file.name} of a cube must not control this run",
            where=str(file),
            found=what,
            expected="settings of the current folder, or those that -c names",
            do="write mlcube-conformance test CUBE, or --cube=CUBE in one word; or go "
            "into the folder if it is yours",
        )
    )
