"""`mlcube-conformance configure` and `run`: a cube on any platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.commands import runner
from mlcube_conformance.commands.runner_options import command_of

if TYPE_CHECKING:
    from mlcube_conformance.commands.runner_options import Given

__all__ = ["configure", "run"]


def _configure(given: Given) -> None:
    """Make the image of a cube, on any platform.

    The default is the cube of the current folder.

    Example: mlcube-conformance configure mnist --platform docker
    """
    runner.configure(given)


def _run(given: Given) -> None:
    """Run a task of a cube, on any platform.

    The default is the cube of the current folder. The image is made first if it does
    not exist. Outputs are in the workspace of the cube unless --workspace names
    another.

    Example: mlcube-conformance run mnist --platform docker --task train
    """
    runner.run(given)


configure = command_of("configure", _configure, short=True, epilog=runner.EXIT_CODES)
run = command_of("run", _run, short=True, epilog=runner.EXIT_CODES)
