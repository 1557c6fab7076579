"""Which runner to test, and with which cubes."""

from __future__ import annotations

import os
import re
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import (
    MachineError,
    Message,
    UsageError,
    did_you_mean,
)
from mlcube_conformance.base.files import is_plain_file
from mlcube_conformance.base.homes import given_path, is_written_as_path
from mlcube_conformance.base.text import last_lines
from mlcube_conformance.base.trees import temporary_folder
from mlcube_conformance.formats.runner_description import filled
from mlcube_conformance.results.formats import writers
from mlcube_conformance.suites.hooks import file_to_write
from mlcube_conformance.suites.runner.command import call

if TYPE_CHECKING:
    from mlcube_conformance.formats.runner_description import Format, RunnerDescription
    from mlcube_conformance.suites.runner.trial import Trial

__all__ = [
    "ask_version",
    "card_file",
    "chosen_format",
    "cubes_place",
    "description_file",
    "platform_word",
    "probe_sources",
]


def chosen_format(given: str | None, description: RunnerDescription) -> Format:
    """Return the format of probe cubes that `--format` asks for.

    Raises:
        UsageError: The runner does not read it.
    """
    for each in description.formats:
        if given in {None, each}:
            return each
    raise UsageError(
        Message(
            what=f"the runner {description.name} does not read this format",
            where="--format",
            found=str(given),
            expected=f"one of {', '.join(description.formats)}",
            do="leave --format out, or fix `formats` of the description",
        )
    )


def probe_sources() -> Path:
    """Return the folder of what the probe's image is built from."""
    return _suite() / "probe"


def _suite() -> Path:
    spec = find_spec("conformance_tests.runner")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent
    raise UsageError(
        Message(
            what="the suite for runners is not installed",
            found="no package conformance_tests.runner",
            expected="the package that comes with the plugin",
            do="install mlcube-conformance again",
        )
    )


def description_file(given: str) -> Path:
    """Return the file that `--runner` means: a path, or the name of a ready one.

    Raises:
        UsageError: There is none of that name.
    """
    if is_written_as_path(given):
        return given_path(given, "--runner")
    ready = _suite() / "descriptions"
    file = ready / f"{given}.yaml"
    if not is_plain_file(file):
        names = sorted(p.stem for p in ready.glob("*.yaml") if "." not in p.stem)
        raise UsageError(
            Message(
                what=f"unknown runner {given!r}",
                where="--runner",
                found=given,
                expected=f"one of {', '.join(names)}, or the path of a description",
                do=did_you_mean(given, names)
                or "write a description: docs/runners.md says how",
            )
        )
    return file


def card_file(given: str) -> Path:
    """Return the file that `--scorecard` means.

    Raises:
        UsageError: Its name does not say a format.
    """
    return file_to_write("--scorecard", "scorecard", given, tuple(writers()))


def ask_version(trial: Trial) -> str:
    """Return the version that the runner under test prints.

    Raises:
        UsageError: It does not exist, or says nothing.
    """
    description = trial.description
    try:
        with temporary_folder() as folder:
            called = call(
                filled(description.version, {}),
                logs=folder,
                cwd=folder,
                timeout=trial.timeout,
                base=os.environ,
                environment={},
            )
    except MachineError as error:
        raise UsageError(*error.messages) from error
    said = last_lines(called.stdout.decode("utf-8", "replace"), 20)
    if called.exit_code or not said:
        raise UsageError(
            Message(
                what=f"the runner {description.name} does not print its version",
                where=str(description.file),
                found=f"exit code {called.exit_code}",
                expected="a version on its standard output",
                do="install the runner, or fix `version` of its description",
                tail=last_lines(called.said, 5),
            )
        )
    return said[0]


def cubes_place(folder: Path) -> Path:
    """Return where cubes are placed: here, unless its path tries a runner by itself."""
    plain = re.fullmatch(r"[\w./@+-]+", str(folder), re.ASCII)
    return folder if plain else Path(tempfile.gettempdir())


def platform_word(given: str | None, description: RunnerDescription) -> str:
    """Return the platform for the runner: a name, or a file's whole path.

    Raises:
        UsageError: It is a file, and the runner takes none.
    """
    platform = given or filled((description.platform,), {})[0]
    if not is_written_as_path(platform):
        return platform
    if "remote" not in description.features:
        raise _platform_is_not_its(description, platform)
    return str(given_path(platform, "--runner-platform"))


def _platform_is_not_its(description: RunnerDescription, platform: str) -> UsageError:
    return UsageError(
        Message(
            what=f"the runner {description.name} takes no platform file",
            where="--runner-platform",
            found=platform,
            expected="the name of a platform; a file only for a runner with `remote`",
            do="leave --runner-platform out",
        )
    )
