"""Looks at another host by testinfra: its programs, disk and files.

testinfra knows no deadline and reports trouble of ssh as a RuntimeError, so it
looks in a process of its own, which reads questions and writes answers, as JSON:
`python -m mlcube_conformance.runners.places.ssh.host`. It is imported there alone.
"""

from __future__ import annotations

import json
import os
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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlcube_conformance.model import Platform
    from mlcube_conformance.runners.places.ssh.connection import Connection

__all__ = [
    "HostFacts",
    "check_host",
    "entries_on_host",
    "look_at_host",
    "main",
    "what_is_missing",
]

#: Seconds for all that is asked at once.
_TIMEOUT = 120
#: What the package itself takes, and a little room to work.
_NEEDED_BYTES = 64 * 1024 * 1024
_OLDEST_PYTHON = (3, 11)
_KINDS = {
    "f": "file",
    "d": "directory",
    "l": "link",
    "p": "pipe",
    "s": "socket",
}
#: What decides which engine is spoken to.
_ENGINE_VARIABLE = re.compile(r"DOCKER_|APPTAINER|SINGULARITY|PATH$")
_PYTHON = re.compile(r"^(\d{1,3}(?:\.\d{1,3}){2})\s*\Z", re.MULTILINE)
_VERSION = re.compile(r"\d+(\.\d+)+")
# Apptainer 1.0 went on from Singularity 3.9, and counts again.
_APPTAINER_AS_SINGULARITY = "3.9"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """Facts of a host that matter to a cube; "" for a missing one."""

    python: str
    rsync: bool
    engine: str
    """What the engine's client says of itself and of its daemon."""
    engine_version: str
    engine_error: str
    free: int
    """Bytes on the disk of our folder."""
    unwritable: tuple[str, ...]
    """Folders that are needed and cannot be written to."""


def look_at_host(connection: Connection, platform: Platform) -> HostFacts:
    """Ask a host for everything that a cube on a platform needs there.

    Raises:
        MachineError: testinfra is not installed here, or cannot look.
    """
    place, inner = connection.place, platform.inner or platform
    image = inner.image if inner.kind == "singularity" else ""
    found = _ask(
        connection,
        {
            "python": place.interpreter.python,
            "engine": inner.kind,
            "command": inner.options.get("command", ""),
            "root": place.root,
            "variables": [
                f"{name}={text}"
                for name, text in place.variables.items()
                if _ENGINE_VARIABLE.match(name)
            ],
            "image": str(PurePosixPath(image).parent) if image else "",
        },
    )
    return HostFacts(**{**found, "unwritable": tuple(found["unwritable"])})


def check_host(connection: Connection, platform: Platform) -> None:
    """Look whether a host has all that is needed.

    Raises:
        PlatformUnavailable: Something is missing; one message says it all.
    """
    missing = what_is_missing(look_at_host(connection, platform), platform)
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
        [sys.executable, "-m", __name__],
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


# What follows runs in the process that looks.


def main() -> None:
    """Answer the question on standard input."""
    import testinfra  # noqa: PLC0415 - in this process alone

    question = json.load(sys.stdin)
    host = testinfra.get_host(
        f"ssh://{question['host']}", ssh_config=question["config"], controlpersist=0
    )
    answer = _entries(host, question) if "paths" in question else _facts(host, question)
    json.dump(answer, sys.stdout)


#: All questions as one command: to go there and back takes longer than to answer.
#: A client of Docker is for people: its daemon is spoken to by its socket.
_LOOK = r"""
python=$1 root=$2 image=$3 engine=$4 names=$5
shift 5
tell() { printf '%s\t%s\0' "$1" "$2"; }
standing() {
    while [ ! -d "$1" ] && [ "$1" != . ]; do
        case ${1%/*} in '') set -- / ;; "$1") set -- . ;; *) set -- "${1%/*}" ;; esac
    done
    printf '%s' "$1"
}
version='import sys; print(*sys.version_info[:3], sep=".")'
tell python "$("$python" -c "$version" 2>/dev/null)"
command -v rsync >/dev/null && tell rsync yes
case $root in /*) ;; *) root=$HOME/$root ;; esac
root=$(standing "$root")
df -Pk "$root" | while read -r _ _ _ free _; do tell free "$free"; done
[ -w "$root" ] || tell 'no root' "$root"
case $image in
    '~' | '~/'*) image=$HOME${image#'~'} ;;
    '$HOME' | '$HOME/'*) image=$HOME${image#'$HOME'} ;;
    '${HOME}' | '${HOME}/'*) image=$HOME${image#'${HOME}'} ;;
esac
case $image in
    /*) image=$(standing "$image"); [ -w "$image" ] || tell 'no image' "$image" ;;
esac
for name in $names; do
    command -v "$name" >/dev/null || continue
    tell engine "$name"
    if [ "$engine" = docker ]; then
        version=$(env "$@" "$name" version --format '{{.Server.Version}}' 2>&1)
    else
        version=$(env "$@" "$name" --version 2>&1)
    fi
    tell status $?
    tell version "$version"
    exit
done
[ "$engine" = docker ] && [ -S /var/run/docker.sock ] && tell engine docker
"""


def _facts(host: Any, question: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - of testinfra
    words = [question[each] for each in ("python", "root", "image", "engine")]
    engines = {"docker": ["docker"], "singularity": ["singularity", "apptainer"]}
    names = [question["command"]] if question["command"] else engines.get(words[-1], [])
    given = [*words, " ".join(names), *question["variables"]]
    done = host.run("sh -c %s look" + " %s" * len(given), _LOOK, *given)
    listed = _split(os.fsdecode(done.stdout_bytes))
    said = dict(each.partition("\t")[::2] for each in listed)
    engine, version = said.get("engine", ""), said.get("version", "")
    if engine and "apptainer" in version:
        engine = "apptainer"
    elif engine:
        engine = question["engine"]
    failed = said.get("status", "0") != "0"
    last = version.strip().splitlines()
    return {
        # A program in its place may say something first.
        "python": found[1] if (found := _PYTHON.search(said.get("python", ""))) else "",
        "rsync": "rsync" in said,
        "engine": engine,
        "engine_version": _version(version),
        "engine_error": (last[-1] if last else f"exit code {said['status']}")
        if failed
        else "",
        "free": int(free) * 1024 if (free := said.get("free", "")).isdecimal() else 0,
        "unwritable": [said[each] for each in ("no root", "no image") if each in said],
    }


def _version(text: str) -> str:
    match = _VERSION.search(text)
    return match[0] if match else ""


def _entries(host: Any, question: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - of testinfra
    user = host.check_output("id -u").strip()
    found = {}
    for name, path in question["paths"].items():
        done = host.run("find %s -printf %s", path, r"%y\t%s\t%U\t%P\0")
        listed = os.fsdecode(done.stdout_bytes)
        found[name] = {
            parts[3] or ".": {
                "kind": _KINDS.get(parts[0], "device"),
                "size": int(parts[1]),
                "foreign": parts[2] != user,
            }
            for each in _split(listed)
            if len(parts := each.split("\t", 3)) == 4  # noqa: PLR2004 - as printed
        }
    return {"entries": found}


def _split(listed: str) -> Sequence[str]:
    return [each for each in listed.split("\0") if each]


if __name__ == "__main__":
    main()
