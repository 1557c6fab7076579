"""What is on another host: its programs, disk and files.

testinfra, which looks, knows no deadline and reports trouble of ssh as a
RuntimeError, so it looks in a process of its own.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from mlcube_conformance.base.errors import MachineError, Message, PlatformUnavailable
from mlcube_conformance.base.process import run_process
from mlcube_conformance.base.text import tail
from mlcube_conformance.place import RemoteEntry
from mlcube_conformance.runners.places.agent.environment import ASK, package_in
from mlcube_conformance.runners.places.ssh import look
from mlcube_conformance.runners.places.ssh.package import own_python, use_python
from mlcube_conformance.runners.places.ssh.trouble import by_hand
from mlcube_conformance.runners.places.wheel import package_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.model import Platform
    from mlcube_conformance.runners.places.ssh.connection import Connection

__all__ = [
    "HostFacts",
    "check_host",
    "entries_on_host",
    "look_at_host",
    "use_package",
    "what_is_missing",
]

#: Seconds for all that is asked at once.
_TIMEOUT = 120
#: What the package itself takes, and a little room to work.
_NEEDED_BYTES = 64 * 1024 * 1024
_OLDEST_PYTHON = (3, 11)
#: Characters that are shown of what a shell says.
_SHOWN = 200
#: What decides which engine is spoken to.
_ENGINE_VARIABLE = re.compile(r"DOCKER_|APPTAINER|SINGULARITY|PATH$")
# Apptainer 1.0 went on from Singularity 3.9, and counts again.
_APPTAINER_AS_SINGULARITY = "3.9"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """Facts of a host that matter to a cube; "" for a missing one."""

    shell_says: str
    """Output of the login shell, before and after that of a command."""
    python: str
    package: str
    """Key of the package that the Python of the environment has."""
    package_python: str
    """The path of that Python."""
    home: str
    root: str
    """The folder that is ours."""
    rsync: bool
    engine: str
    """What the engine's client says of itself and of its daemon."""
    engine_version: str
    engine_error: str
    free: int
    """Bytes on the disk of our folder."""
    unwritable: tuple[str, ...]
    """Folders that are needed and cannot be written to."""


def look_at_host(connection: Connection, platform: Platform | None) -> HostFacts:
    """Ask a host for everything that a cube on a platform needs there.

    Without a platform, no engine is asked for.

    Raises:
        MachineError: testinfra is not installed here, or cannot look; or the host
            runs no commands.
    """
    place, inner = connection.place, platform and (platform.inner or platform)
    image = inner.image if inner and inner.kind == "singularity" else ""
    found = _ask(
        connection,
        {
            "python": place.interpreter.python,
            "own": own_python(place),
            "asked": ASK,
            "engine": inner.kind if inner else "",
            "command": inner.options.get("command", "") if inner else "",
            "root": place.root,
            "variables": [
                f"{name}={text}"
                for name, text in place.variables.items()
                if _ENGINE_VARIABLE.match(name)
            ],
            "image": str(PurePosixPath(image).parent) if image else "",
        },
    )
    if "no_answer" in found:
        raise PlatformUnavailable(
            Message(
                what=f"the answer of {connection.name} breaks off"
                if found["begun"]
                else f"{connection.name} runs no commands",
                where=str(place.file),
                found=found["no_answer"][:_SHOWN],
                expected="an answer to simple questions",
                do=f"try it by hand: {by_hand(connection.place)}",
            )
        )
    key, python = package_in(found["package"])
    # As the host itself writes them, which may be by another way the next time.
    home = PurePosixPath(found["home"])
    more = {
        "package": key,
        "package_python": str(PurePosixPath(python)),
        "home": str(home),
        "root": str(home / place.root),
        "unwritable": tuple(found["unwritable"]),
    }
    return HostFacts(**{**found, **more})


def check_host(connection: Connection, platform: Platform) -> HostFacts:
    """Look whether a host has all that is needed, and return what it has.

    Raises:
        PlatformUnavailable: Something is missing; one message says it all.
    """
    facts = look_at_host(connection, platform)
    if facts.shell_says:
        raise PlatformUnavailable(
            Message(
                what=f"the shell of {connection.name} says something with each command",
                where=str(platform.file),
                found=facts.shell_says[:_SHOWN],
                expected="no output of the shell: rsync reads it as its own",
                do="fix ~/.bashrc: `[ -t 1 ] && echo …` prints at a terminal only",
            )
        )
    missing = what_is_missing(facts, platform)
    if missing:
        inner = platform.inner or platform
        raise PlatformUnavailable(
            Message(
                what=f"{connection.name} lacks what the cube needs",
                where=str(platform.file),
                found="\n".join(missing),
                expected=f"Python 3.11 or newer, rsync, {inner.kind}, some disk",
                do="install it there, or name another host or platform",
            )
        )
    return facts


def use_package(connection: Connection, facts: HostFacts) -> bool:
    """Let the environment of a host answer requests where it has this very package.

    Returns:
        Whether it does. One with requirements is asked more than that.
    """
    return (
        facts.package == package_key()
        and not connection.place.interpreter.requirements
        and use_python(connection, facts.package_python, {})
    )


def what_is_missing(
    facts: HostFacts, platform: Platform, *, needed: int = _NEEDED_BYTES
) -> list[str]:
    """Return one line for each missing requirement of a host."""
    place, inner = platform.place, platform.inner or platform
    python = place.interpreter.python if place else ""
    oldest = ".".join(map(str, _OLDEST_PYTHON))
    missing = []
    if not facts.python:
        missing.append(f"no Python: {python!r} does not start (interpreter.python)")
    elif tuple(map(int, facts.python.split("."))) < _OLDEST_PYTHON:
        missing.append(f"Python {facts.python} of {python!r}; {oldest} is needed")
    if not facts.rsync:
        missing.append("no rsync")
    if not facts.engine:
        missing.append(f"no {inner.kind}, which {inner.file.name} asks for")
    elif facts.engine_error:
        missing.append(f"{inner.kind} does not answer: {facts.engine_error}")
    elif not _serves(inner.version, facts.engine, facts.engine_version):
        missing.append(
            f"{facts.engine} {facts.engine_version}, but {inner.file.name} asks for "
            f"{inner.version}"
        )
    if facts.free < needed:
        missing.append(
            f"{facts.free // 1024**2} MiB free on the disk of {place and place.root}; "
            f"{-(-needed // 1024**2)} MiB are needed"
        )
    missing += [f"no permission to write to {each}" for each in facts.unwritable]
    return missing


def _serves(wanted: str, engine: str, found: str) -> bool:
    """Say whether a version of an engine is one of those that a platform asks for."""
    try:
        specifier = SpecifierSet(wanted)
        versions = [Version(found)]
    except (InvalidSpecifier, InvalidVersion):
        return True  # a note for people, such as "any"
    if engine == "apptainer":
        versions.append(Version(_APPTAINER_AS_SINGULARITY))
    return any(specifier.contains(each, prereleases=True) for each in versions)


def entries_on_host(
    connection: Connection, paths: Mapping[str, str]
) -> dict[str, dict[str, RemoteEntry]]:
    """Return everything at and below some paths of a host, links not followed.

    Args:
        connection: To the host.
        paths: Absolute paths there, each under a name of the caller's.

    Returns:
        Under each name: what was found, by path relative to it ("." is itself).

    Raises:
        MachineError: testinfra cannot look.
    """
    found = _ask(connection, {"paths": dict(paths)})
    return {
        name: {path: RemoteEntry(**entry) for path, entry in entries.items()}
        for name, entries in found["entries"].items()
    }


def _ask(connection: Connection, question: Mapping[str, Any]) -> dict[str, Any]:
    if find_spec("testinfra") is None:
        raise PlatformUnavailable(
            Message(
                what="cannot use the platform ssh",
                where="this Python",
                found="no module testinfra, which looks at the other host",
                expected="the packages that ssh needs",
                do="run pip install 'mlcube-conformance[ssh]'",
            )
        )
    folder = connection.folder
    asked, answer, errors = (folder / f"look.{each}" for each in ("in", "out", "err"))
    host = connection.place.host
    described = {"host": host, "config": str(connection.config), **question}
    asked.write_text(json.dumps(described), encoding="utf-8")
    ended = run_process(
        [sys.executable, "-m", look.__name__],
        stdin=asked,
        stdout=answer,
        stderr=errors,
        timeout=_TIMEOUT,
    )
    with suppress(ValueError):
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        if ended.exit_code == 0:
            return found
    if connection.is_cut(ended.exit_code):
        raise connection.lost("looking at the host")
    raise MachineError(
        Message(
            what=f"cannot look at {connection.name}",
            where=f"host {host}",
            found="no end in time" if ended.timed_out else f"exit {ended.exit_code}",
            expected="an answer to simple questions",
            do="run it again; try by hand what the log shows",
            tail=tail(errors),
        )
    )
