"""The Python environment of a runner on this host, with the package that was sent."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlcube_conformance.base.process import safe_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ASK", "EnvironmentRefused", "make_environment", "package_in"]

_MARKER = "mlcube-conformance.json"
#: Asks a Python which package it has, with what that needs.
ASK = """\
import sys, click
from mlcube_conformance.runners.places.wheel import package_key
print("\\npackage", package_key(), sys.executable)
"""
_SAID = re.compile(r"^package (\w+) (.+)$", re.MULTILINE)


class EnvironmentRefused(Exception):  # noqa: N818 - sent as an answer
    """No environment can be made; says what was found and what to do."""

    def __init__(self, found: str, do: str) -> None:
        """Keep both."""
        self.found, self.do = found, do
        super().__init__(found)


def make_environment(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return `python` and `env`, by which commands of the runner are started.

    Args:
        request: `root`, `kind`, `location`, `name`, `requirements`, `wheel` (its path;
            "" for none), `key` of the package, `variables`, `timeout` in seconds.

    Raises:
        EnvironmentRefused: It cannot be made, or holds another package.
    """
    root = Path.home() / request["root"]
    if request["kind"] == "virtualenv":
        location = Path.home() / (request["location"] or root / "environments")
        made = _virtualenv(request, location / request["name"])
    elif _key_of(sys.executable, {}) == request["key"]:
        made = {"python": sys.executable, "env": {}}
    else:
        made = _beside_system(request, root)
    return {**made, "root": str(root), "home": str(Path.home())}


def _key_of(python: str, env: Mapping[str, str]) -> str:
    """Return the key of the package that a Python has, "" where it has none."""
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that the user named
            [python, "-c", ASK],
            env=_clean(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ""
    return package_in(done.stdout)[0]


def package_in(said: str) -> tuple[str, str]:
    """Return the key of the package that a Python has, and its path; "" for none.

    Args:
        said: Its answer to `ASK`; it may say more when it starts or ends.
    """
    found: list[tuple[str, str]] = _SAID.findall(said)
    return found[-1] if found else ("", "")


def _clean(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of this process, except how it found the package itself."""
    own = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    return safe_environment({**own, "PYTHONSAFEPATH": "1", **env})


def _virtualenv(request: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    python = str(folder / "bin" / "python")
    made = {"python": python, "env": {}}
    with _one_at_a_time(folder):
        if not Path(python).exists():
            _say(f"making the virtual environment {folder}")
            _run([sys.executable, "-m", "venv", str(folder)], request, "python3-venv")
        if not _is_ready(folder, made, request):
            if not (folder / "bin" / "pip").exists():  # cut short when it was made
                _run([python, "-m", "ensurepip"], request, "python3-venv")
            pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
            if request["requirements"]:
                _run([*pip, *request["requirements"]], request, "pip")
            elif request["wheel"]:
                # One version may have been sent with other code before.
                remove = ["uninstall", "--yes", "mlcube-conformance"]
                _run([python, "-m", "pip", *remove], request, "pip")
                _run([*pip, request["wheel"]], request, "pip")
            _mark(folder, made, request)
    return made


def _beside_system(request: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Install into our own folder: the packages of the system stay as they are."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    key = sha256(json.dumps(_wanted(request)).encode()).hexdigest()[:16]
    folder = root / "packages" / key / f"python{version}"
    made = {"python": sys.executable, "env": {"PYTHONPATH": str(folder)}}
    wanted = request["requirements"] or [request["wheel"]]
    if not any(wanted):
        msg = f"{sys.executable} has no mlcube-conformance of this version"
        raise EnvironmentRefused(
            msg,
            "install it there, or let it be sent (env.sync: true)",
        )
    with _one_at_a_time(folder):
        if not _is_ready(folder, made, request):
            shutil.rmtree(folder, ignore_errors=True)
            pip = [sys.executable, "-m", "pip", "install", "--target", str(folder)]
            _say(f"installing {' '.join(wanted)} into {folder}")
            _run([*pip, "--disable-pip-version-check", *wanted], request, "python3-pip")
            _mark(folder, made, request)
    return made


def _wanted(request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": request["key"],
        "requirements": request["requirements"],
        "python": list(sys.version_info[:2]),
    }


def _is_ready(
    folder: Path, made: Mapping[str, Any], request: Mapping[str, Any]
) -> bool:
    try:
        marker = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    # Something else may have changed it since.
    asked: bool = _key_of(made["python"], made["env"]) == request["key"]
    return asked and marker == _wanted(request)


def _mark(folder: Path, made: Mapping[str, Any], request: Mapping[str, Any]) -> None:
    """Note that an environment is ready, once it is seen to have the package.

    Raises:
        EnvironmentRefused: It does not have it.
    """
    found = _key_of(made["python"], made["env"])
    if found != request["key"]:
        msg = f"{made['python']} has {'another' if found else 'no'} mlcube-conformance"
        raise EnvironmentRefused(
            msg,
            "let the package be sent (env.sync: true, no requirements), or install the "
            "same version there",
        )
    (folder / _MARKER).write_text(json.dumps(_wanted(request)), encoding="utf-8")


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _run(argv: Sequence[str], request: Mapping[str, Any], package: str) -> None:
    """Run a command; its output goes to the log of whoever asked."""
    shown = " ".join(argv[1:4])
    try:
        done = subprocess.run(  # noqa: S603 - our own argument list
            argv,
            env=_clean(request["variables"]),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=sys.stderr,
            timeout=request["timeout"],
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        msg = f"`{shown} …` did not end within {request['timeout']:g} s"
        raise EnvironmentRefused(
            msg,
            "give more seconds (--configure-timeout)",
        ) from error
    if done.returncode:
        msg = f"`{shown} …` of {argv[0]} exits with {done.returncode}"
        raise EnvironmentRefused(
            msg,
            f"look at the log; it may lack {package}, or a way to its packages "
            "(proxies are given as env.variables)",
        )
