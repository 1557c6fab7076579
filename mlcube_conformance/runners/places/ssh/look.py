"""Looks at another host by testinfra, which is imported here alone.

`python -m mlcube_conformance.runners.places.ssh.look` reads a question and writes an
answer, both as JSON.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from mlcube_conformance.runners.common.version_line import version_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["main"]

_KINDS = {
    "f": "file",
    "d": "directory",
    "l": "link",
    "p": "pipe",
    "s": "socket",
}
_PYTHON = re.compile(r"^(\d{1,3}(?:\.\d{1,3}){2})\s*\Z", re.MULTILINE)


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
printf 'begin\0'
trap 'printf "end\0"' EXIT
python=$1 root=$2 image=$3 engine=$4 own=$5 asked=$6 names=$7
shift 7
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
case $own in /*) ;; */*) own=$HOME/$own ;; esac
# Without a limit, a Python that hangs would keep all answers back.
command -v timeout >/dev/null && tell package "$(
    unset PYTHONPATH
    PYTHONSAFEPATH=1 PYTHONUTF8=1 timeout -k 5 20 "$own" -c "$asked" 2>/dev/null
)"
tell home "$HOME"
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
    asked = ("python", "root", "image", "engine", "own", "asked")
    words = [question[each] for each in asked]
    engines = {"docker": ["docker"], "singularity": ["singularity", "apptainer"]}
    names = (
        [question["command"]]
        if question["command"]
        else engines.get(question["engine"], [])
    )
    given = [*words, " ".join(names), *question["variables"]]
    done = host.run("sh -c %s look" + " %s" * len(given), _LOOK, *given)
    # What stands before and after the answer is said by the shell of the user.
    output = os.fsdecode(done.stdout_bytes)
    before, begin, rest = output.partition("begin\0")
    answer, end, after = rest.rpartition("end\0")
    if not (begin and end):
        shown = output + os.fsdecode(done.stderr_bytes)
        return {
            "no_answer": " ".join(shown.replace("\0", " ").split()) or "nothing",
            "begun": bool(begin),
        }
    said = dict(each.partition("\t")[::2] for each in _split(answer))
    engine, version = said.get("engine", ""), said.get("version", "")
    if engine and "apptainer" in version:
        engine = "apptainer"
    elif engine:
        engine = question["engine"]
    failed = said.get("status", "0") != "0"
    last = version.strip().splitlines()
    return {
        "shell_says": " ".join((before + after).split()),
        # A program in its place may say something first.
        "python": found[1] if (found := _PYTHON.search(said.get("python", ""))) else "",
        **{each: said.get(each, "") for each in ("package", "home")},
        "rsync": "rsync" in said,
        "engine": engine,
        "engine_version": line.number if (line := version_line(version)) else "",
        "engine_error": (last[-1] if last else f"exit code {said['status']}")
        if failed
        else "",
        "free": int(free) * 1024 if (free := said.get("free", "")).isdecimal() else 0,
        "unwritable": [said[each] for each in ("no root", "no image") if each in said],
    }


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
