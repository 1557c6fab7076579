"""Virtual environments made from a cube's requirements, once for each content."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from mlcube_conformance.errors import MachineError, Message, Violation
from mlcube_conformance.log import last_lines, tail
from mlcube_conformance.process import run_process
from mlcube_conformance.runners.base import heartbeat
from mlcube_conformance.workspace import make_folder

if TYPE_CHECKING:
    from mlcube_conformance.model import Cube, ImageOrigin
    from mlcube_conformance.runners.base import ConfigureRequest

__all__ = ["environment_key", "environment_path", "is_complete", "make_environment"]

_COMPLETE = ".mlcube-conformance-complete"
_OTHER_FILE = re.compile(r"\s*(?:-r|--requirement|-c|--constraint)[\s=]+(\S+)")
# Words of pip and of the system when the network or the disk is at fault.
_MACHINE_FAULTS = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|ProxyError"
    r"|SSLError|CERTIFICATE_VERIFY_FAILED|name resolution|Connection (refused|reset)"
    r"|No space left on device|\[Errno 28\]|Disk quota exceeded|HTTP error 5\d\d",
    re.IGNORECASE,
)


def environment_path(key: str) -> Path:
    """Return the folder of the environment with that key, made or not."""
    return user_cache_path("mlcube-conformance") / "environments" / key


def is_complete(path: Path) -> bool:
    """Say whether an environment was made to its end."""
    return (path / _COMPLETE).is_file()


def _requirements_of(cube: Cube) -> Path:
    """Return the file that says what a cube needs installed."""
    return cube.build_context / "requirements.txt"


def environment_key(cube: Cube) -> str:
    """Return a hash of all that decides what an environment holds.

    That is the requirements, the files they name, and this Python.
    """
    seen: dict[str, str] = {}
    waiting = [_requirements_of(cube)]
    while waiting:
        file = waiting.pop()
        if str(file) in seen or not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        seen[str(file)] = text
        waiting += [
            file.parent / match[1]
            for line in text.splitlines()
            if (match := _OTHER_FILE.match(line))
        ]
    # The same for every environment that this program runs in itself.
    base = str(Path(sys.executable).resolve())
    python = [sys.version, platform.machine(), base]
    content = json.dumps([python, list(seen.values())])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def make_environment(request: ConfigureRequest, key: str) -> ImageOrigin:
    """Make an environment, unless it is there; a half-made one is made anew.

    Raises:
        Violation: A requirement does not exist or does not install.
        MachineError: The package index or the disk is at fault.
    """
    path = environment_path(key)
    if is_complete(path):
        return "up to date"
    request.watch.note(f"making the environment {path}; log: {request.log}")
    try:
        shutil.rmtree(path, ignore_errors=True)
        make_folder(path.parent)
        _install(request, path)
        (path / _COMPLETE).touch()
    except OSError as error:
        raise MachineError(_message(request, str(error), "a disk with room")) from error
    finally:
        if not is_complete(path):
            shutil.rmtree(path, ignore_errors=True)
    return "built"


def _install(request: ConfigureRequest, path: Path) -> None:
    deadline = time.monotonic() + request.options.configure_timeout
    requirements = _requirements_of(request.cube)
    venv = [sys.executable, "-m", "venv", "--without-pip", str(path)]
    _step(request, venv, deadline)
    if not requirements.is_file():
        return
    python = str(path / "bin" / "python")
    # By itself, since `venv` keeps what goes wrong here to itself.
    _step(request, [python, "-m", "ensurepip", "--default-pip"], deadline)
    options = ["--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    # Each retry is told in the log, by which a bad index is known.
    options.append("--retries=3")
    install = [python, "-m", "pip", "install", *options, "-r", str(requirements)]
    _step(request, install, deadline, fault_of_cube=True)


def _step(
    request: ConfigureRequest,
    argv: list[str],
    deadline: float,
    *,
    fault_of_cube: bool = False,
) -> None:
    """Run one command of the making; its output is added to the log."""
    part = request.log.with_suffix(".part")
    part.unlink(missing_ok=True)
    name = f"still configuring {request.cube.id}"
    try:
        ended = run_process(
            argv,
            stdout=part,
            stderr=part,
            timeout=max(0.0, deadline - time.monotonic()),
            out=request.watch.err,
            waiting=heartbeat(request.watch, name, part),
        )
    finally:
        with request.log.open("ab") as log, part.open("rb") as said:
            shutil.copyfileobj(said, log)
        part.unlink()
    if ended.timed_out:
        raise Violation(
            _message(
                request,
                "it was stopped at its deadline",
                f"an end within {request.options.configure_timeout:g} s",
            )
        )
    if ended.exit_code == 0:
        return
    text = request.log.read_text(encoding="utf-8", errors="replace")
    errors = [line for line in last_lines(text, 200) if "error" in line.lower()]
    found = errors[-1] if errors else f"exit code {ended.exit_code}"
    fault = _MACHINE_FAULTS.search(text)
    if fault is not None or not fault_of_cube:
        found = f"{fault[0]}: {found}" if fault else found
        raise MachineError(_message(request, found, "an index and a disk that work"))
    raise Violation(_message(request, found, "requirements that install"))


def _message(request: ConfigureRequest, found: str, expected: str) -> Message:
    return Message(
        what=f"the environment of {request.cube.id!r} cannot be made",
        where=str(_requirements_of(request.cube)),
        found=found,
        expected=expected,
        do="look at the end of the log; the half-made environment was removed",
        tail=tail(request.log),
        log=str(request.log),
    )
