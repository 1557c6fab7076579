"""Builds images by BuildKit, through a command line of Docker that can.

Its API is a session of its own that only that program speaks. One from 18.09 to 22
brings BuildKit's client along; later ones need the plugin buildx.
https://docs.docker.com/build/buildkit/
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from docker.errors import DockerException

from mlcube_conformance.base.errors import MachineError
from mlcube_conformance.base.process import (
    find_program,
    run_process,
    safe_environment,
)
from mlcube_conformance.base.text import TAIL_LINES, LiveText, mask, tail
from mlcube_conformance.runners.common.deadlines import Progress
from mlcube_conformance.runners.docker.faults import (
    DO_WITH_BUILDKIT,
    build_failure,
    build_message,
)
from mlcube_conformance.runners.work import heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import docker

    from mlcube_conformance.runners.common.liveness import Liveness
    from mlcube_conformance.runners.contract import ConfigureRequest
    from mlcube_conformance.runners.docker.context import BuildContext

__all__ = ["build_by_command", "command_for"]

_SOCKET = "unix:///var/run/docker.sock"
#: Version of the API since which an engine has BuildKit.
_FIRST_API = (1, 39)
#: Versions of the command line that speak to BuildKit by themselves.
_SPEAKS, _NEEDS_PLUGIN = (18, 9), (23, 0)
_VERSION = re.compile(r"version (\d+)\.(\d+)")
#: Seconds for a question to a command line.
_TIMEOUT = 20
#: What the program says of the end, then of a step; a step's own words begin with `#`.
_SAID = (
    re.compile(r"(?:ERROR: |error: )?failed to solve(?: with frontend \S+)?: (.*)"),
    re.compile(r"(?:ERROR|error): (.*)"),
    re.compile(r"#\d+ ERROR: (.*)"),
)
#: Its marks on each line of a step, and lines that say nothing of a fault.
_MARK = re.compile(r"#\d+ (?:\d+\.\d+ )?")
_NOISE = re.compile(r"#\d+ (?:sha256:|DONE|CACHED|resolve |extracting )|-+$|\s*$")
_ITSELF = re.compile(
    r"failed to solve(?: with frontend \S+)?: |failed to create LLB definition: "
    r"|rpc error: code = \w+ desc = "
)
#: The line of a recipe that names who reads it, behind other such lines.
_FRONTEND = re.compile(
    r"((?:#\s*\w+\s*=[^\n]*\n)*)#\s*syntax\s*=\s*(\S+)[^\n]*\n", re.IGNORECASE
)
#: Variables that change what the program itself does: none is a build argument by it.
_ITS_OWN = re.compile(
    r"(?i)(DOCKER|BUILD|LD_|GO|XDG_|SSL_|OTEL_|HOME$|PATH$|TMPDIR$).*"
)


def command_for(client: docker.DockerClient) -> str:
    """Return the command line that builds by the BuildKit of an engine; "" for none."""
    with suppress(DockerException, OSError, ValueError, LookupError):
        told = client.version()
        parts = [str(each["Name"]) for each in told.get("Components") or ()]
        if any("podman" in each.lower() for each in parts):
            return ""  # Its own builder takes what BuildKit takes.
        if tuple(map(int, str(told["ApiVersion"]).split("."))) < _FIRST_API:
            return ""
        return _command()
    return ""


@cache
def _command() -> str:
    folders = safe_environment().get("PATH", os.defpath).split(":")
    found = (find_program(str(Path(each) / "docker")) for each in folders)
    return next((each for each in found if each and _speaks(each)), "")


def _speaks(command: str) -> bool:
    """Say whether a command line can build by BuildKit; a newer one may lack a part."""
    version = _VERSION.search(_answer(command, "--version"))
    if version is None:
        return False
    if _SPEAKS <= (int(version[1]), int(version[2])) < _NEEDS_PLUGIN:
        return True
    return bool(_answer(command, "buildx", "version"))


def _answer(*argv: str) -> str:
    """Return what a command says, "" where it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - our own argument list
            argv,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if done.returncode else done.stdout


def _environment() -> dict[str, str]:
    """Return variables by which it speaks to the engine that the library speaks to."""
    own = {k: v for k, v in os.environ.items() if k != "DOCKER_CONTEXT"}
    return safe_environment(
        {
            **own,
            "DOCKER_HOST": own.get("DOCKER_HOST") or _SOCKET,
            "DOCKER_BUILDKIT": "1",
            "BUILDX_BUILDER": "default",
            "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
            "DOCKER_CLI_HINTS": "false",
            "DOCKER_SCAN_SUGGEST": "false",
        }
    )


def build_by_command(  # noqa: PLR0913 - each is one fact of the build
    command: str,
    request: ConfigureRequest,
    context: BuildContext,
    arguments: Mapping[str, str],
    labels: Mapping[str, str],
    *,
    liveness: Liveness,
) -> str:
    """Build an image without a name, and return its id.

    Args:
        command: What `command_for` returns.
        request: What is asked for.
        context: What it is built from.
        arguments: Build arguments.
        labels: Of the image.
        liveness: Takes what must not outlive the run.

    Raises:
        Violation: The build fails, or a step of it runs past its deadline.
        MachineError: The registry, the network, the disk or the daemon fails.
        OSError: The context cannot be packed.
    """
    try:
        return _build(command, request, context, arguments, labels, liveness=liveness)
    except MachineError as error:
        frontend = _FRONTEND.match(context.recipe_text)
        if frontend is None or _repository(frontend[2]) not in str(error):
            raise
        request.watch.note(
            f"warning: {frontend[2]} cannot be fetched: the line `# syntax=` is left "
            "out, and the recipe is read by the engine itself"
        )
    text = _FRONTEND.sub(r"\1#\n", context.recipe_text)
    without = replace(context, recipe=text, recipe_text=text)
    return _build(command, request, without, arguments, labels, liveness=liveness)


def _repository(frontend: str) -> str:
    """Return an image's name as addresses at its registry hold it."""
    name = frontend.partition("@")[0]
    registry, slash, rest = name.partition("/")
    if slash and re.search(r"[.:]|^localhost$", registry):
        name = rest
    return name.rpartition(":")[0] or name


def _build(  # noqa: PLR0913 - each is one fact of the build
    command: str,
    request: ConfigureRequest,
    context: BuildContext,
    arguments: Mapping[str, str],
    labels: Mapping[str, str],
    *,
    liveness: Liveness,
) -> str:
    network = request.options.network
    given, variables = _split(arguments, request.options.build_args)
    with (
        liveness.scratch() as folder,
        context.archive() as archive,
    ):
        answer = folder / "id"
        packed = Path(f"/proc/self/fd/{archive.fileno()}")
        argv = [
            *(command, "build", "--progress", "plain", "--iidfile", str(answer)),
            *("--file", context.recipe_name),
            # A task's network may be off; a build must fetch what it installs.
            *(("--network", network) if network not in {None, "none"} else ()),
            *_pairs("--label", labels),
            *given,
            "-",
        ]
        with _hiding(request) as live:
            ended = run_process(
                argv,
                stdin=packed,
                stdout=request.log,
                stderr=request.log,
                timeout=request.options.configure_timeout,
                env={**_environment(), **variables},
                out=live,
                waiting=heartbeat(
                    request.watch, f"still configuring {request.cube.id}", request.log
                ),
                limit=request.options.max_log_size,
                begun=liveness.remember_session,
            )
        if ended.timed_out:
            progress = Progress(tool="buildkit")
            with request.log.open(encoding="utf-8", errors="replace") as log:
                progress.hear(log)
            message = replace(
                build_message(request), tail=_steps(tail(request.log, 200))
            )
            raise progress.too_late(message, request.options.configure_timeout)
        image = answer.read_text(encoding="utf-8").strip() if answer.exists() else ""
    if ended.exit_code or not image:
        said = tail(request.log, 200)
        raise build_failure(
            request, _end(said), _steps(said), do_where_unknown=DO_WITH_BUILDKIT
        )
    return image


@contextmanager
def _hiding(request: ConfigureRequest) -> Iterator[Callable[[bytes], None] | None]:
    """Give what takes the output of a build, and keep secrets out of it and the log.

    BuildKit shows the steps of a recipe with the values of their arguments.
    """
    show, text = request.watch.err, LiveText()
    try:
        yield None if show is None else lambda piece: show(text.add(piece).encode())
    finally:
        if show is not None:
            show(text.end().encode())
        if request.options.build_args and request.log.exists():
            part = request.log.with_name(f"{request.log.name}.part")
            with (
                request.log.open(encoding="utf-8", errors="replace") as log,
                part.open("w", encoding="utf-8") as new,
            ):
                new.writelines(map(mask, log))
            part.replace(request.log)


def _end(said: tuple[str, ...]) -> str:
    """Return the program's own words for what failed."""
    for words in _SAID:
        found = [match[1] for line in said if (match := words.match(line))]
        if found:
            return _ITSELF.sub("", found[-1])
    return said[-1] if said else ""


def _steps(said: tuple[str, ...]) -> tuple[str, ...]:
    """Return the last lines as the steps said them, without the program's marks."""
    kept = (_MARK.sub("", line) for line in said if not _NOISE.match(line))
    return tuple(line for line in kept if line.strip())[-TAIL_LINES:]


def _split(
    arguments: Mapping[str, str], secret: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return words and variables that give build arguments.

    Those that may be secrets go by variables, since others on this machine see command
    lines. A cube's own never do: they could change what the program does.
    """
    hidden = {
        name: value
        for name, value in arguments.items()
        if name in secret and not _ITS_OWN.match(name)
    }
    words = [word for name in hidden for word in ("--build-arg", name)]
    shown = {k: v for k, v in arguments.items() if k not in hidden}
    return [*words, *_pairs("--build-arg", shown)], hidden


def _pairs(option: str, pairs: Mapping[str, str]) -> Iterator[str]:
    for name, value in pairs.items():
        yield from (option, f"{name}={value}")
