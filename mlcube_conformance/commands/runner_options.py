"""The options of a runner's command line, as typer reads them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

__all__ = [
    "BuildArgOption",
    "BuildContextOption",
    "BuildStrategy",
    "BuildStrategyOption",
    "CaBundleOption",
    "ConfigureTimeoutOption",
    "CubeOption",
    "DaysOption",
    "EnvOption",
    "ForceOption",
    "GpusOption",
    "LogsOption",
    "NetworkOption",
    "OptionalOption",
    "ParameterOption",
    "PlatformOption",
    "TaskOption",
    "TaskTimeoutOption",
    "WorkspaceOption",
]

CubeOption = Annotated[
    str, typer.Option("--mlcube", metavar="DIR", help="Folder of the cube.")
]
PlatformOption = Annotated[
    str, typer.Option("--platform", metavar="FILE", help="Platform file, or its name.")
]
TaskOption = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar="NAME",
        help="Task or run file, by its name or its path, which has a / or ends in "
        ".yaml (default: the cube's only task).",
    ),
]
OptionalOption = Annotated[
    list[str],
    typer.Option(
        "--optional",
        metavar="NAME",
        help="Input that the task does without where it is not there (repeatable).",
    ),
]


class BuildStrategy(StrEnum):
    """Where an image comes from."""

    AUTO = "auto"
    PULL = "pull"
    ALWAYS = "always"


BuildStrategyOption = Annotated[
    BuildStrategy | None,
    typer.Option(
        "--build-strategy",
        help="Build where there is a recipe, pull, or build anew before each run; "
        "without the option, as the cube says.",
    ),
]
BuildContextOption = Annotated[
    str | None,
    typer.Option(
        "--build-context",
        metavar="DIR",
        help="Folder to build in, in place of the one that the cube names.",
    ),
]
ParameterOption = Annotated[
    list[str],
    typer.Option(
        "--parameter",
        metavar="NAME=PATH",
        help="Value for a parameter, instead of the run file's (repeatable).",
    ),
]
BuildArgOption = Annotated[
    list[str],
    typer.Option(
        "--build-arg",
        metavar="NAME[=VALUE]",
        help="Build argument of the image; without a value, the variable of this "
        "process (repeatable).",
    ),
]
EnvOption = Annotated[
    list[str],
    typer.Option(
        "--env",
        metavar="NAME[=VALUE]",
        help="Variable for tasks; without a value, that of this process (repeatable).",
    ),
]
WorkspaceOption = Annotated[
    str | None,
    typer.Option(
        "--workspace", metavar="DIR", help="Folder in place of the cube's workspace/."
    ),
]
RetagOption = Annotated[
    bool,
    typer.Option(
        "--retag",
        help="Move the image's name to the new image, whatever it names now.",
    ),
]
LogsOption = Annotated[
    str | None,
    typer.Option(
        "--logs",
        metavar="DIR",
        help="Folder to keep the logs in, and outcome.json: what came of it.",
    ),
]
NetworkOption = Annotated[
    str | None,
    typer.Option("--network", metavar="none|host", help="Network of build and task."),
]
GpusOption = Annotated[
    str | None,
    typer.Option("--gpus", metavar="N", help="GPUs: all, a number, or device=0,1."),
]
CaBundleOption = Annotated[
    str | None,
    typer.Option("--ca-bundle", metavar="FILE", help="Certificates to trust (PEM)."),
]
ConfigureTimeoutOption = Annotated[
    str | None,
    typer.Option(
        "--configure-timeout", metavar="SECONDS", help="Time to build (3600)."
    ),
]
TaskTimeoutOption = Annotated[
    str | None,
    typer.Option("--task-timeout", metavar="SECONDS", help="Time for the task (3600)."),
]
DaysOption = Annotated[
    float,
    typer.Option("--older-than", metavar="DAYS", help="Days without use, at least."),
]
ForceOption = Annotated[
    bool,
    typer.Option(
        "--force", help="End what runs there, and drop results not fetched yet."
    ),
]
