"""Virtual environments made from a cube's requirements, once for each content."""

from __future__ import annotations

import os
import platform
import re
import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.copying import copy
from mlcube_conformance.base.errors import MachineError, Message, Violation
from mlcube_conformance.base.files import is_there
from mlcube_conformance.base.homes import cache_folder
from mlcube_conformance.base.names import FOLDER
from mlcube_conformance.base.process import run_process
from mlcube_conformance.base.text import last_lines, tail
from mlcube_conformance.base.trees import remove_tree, temporary_folder
from mlcube_conformance.plan.workspace import make_folder
from mlcube_conformance.runners.common.content import content_key, files_below
from mlcube_conformance.runners.common.deadlines import Progress
from mlcube_conformance.runners.common.faults import machine_fault
from mlcube_conformance.runners.local.requirements import (
    requirement_files,
    requirements_of,
)
from mlcube_conformance.runners.work import heartbeat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.model import Cube, ImageOrigin
    from mlcube_conformance.runners.contract import ConfigureRequest

__all__ = ["environment_key", "environment_path", "is_complete", "make_environment"]

_COMPLETE = ".mlcube-conformance-complete"
_NAMES_A_PATH = re.compile(
    r"^\s*(-e|--editable|-f|--find-links|\.|/)|file:|\.(whl|zip|tar\.gz)\b",
    re.MULTILINE,
)
#: Variables of whoever calls us that would change what an environment holds.
_NOT_FOR_PIP = re.compile(
    r"PYTHON.*|VIRTUAL_ENV|PIP_(USER|TARGET|PREFIX|ROOT|REQUIRE_VIRTUALENV|REQUIREMENT)"
)


def environment_path(key: str) -> Path:
    """Return the folder of the environment with that key, made or not."""
    return cache_folder() / "environments" / key


def is_complete(path: Path) -> bool:
    """Say whether an environment was made to its end."""
    return (path / _COMPLETE).is_file() and (path / "bin" / "python").exists()


def environment_key(cube: Cube) -> str:
    """Return a hash of all that decides what an environment holds.

    That is the requirements, the files they name, and this Python.

    Raises:
        Violation: They cannot be read, or the build context is nested too deep.
    """
    # The same for every environment that this program runs in itself.
    base = str(Path(sys.executable).resolve())
    python = [sys.version, platform.machine(), base]
    texts = list(requirement_files(cube).values())
    # What is in build/ decides too, where a line names a path.
    root = cube.docker.context
    try:
        beside = files_below(root) if _NAMES_A_PATH.search("\n".join(texts)) else []
        return content_key(root, beside, python, texts)[:16]
    except OSError as error:
        raise Violation(
            Message(
                what=f"the build context of {cube.id!r} cannot be read",
                where=str(error.filename or root),
                found=str(error.strerror or error),
                expected="files and folders that can be read, not too deep",
                do="fix the folder that requirements.txt names",
            )
        ) from error


def make_environment(
    request: ConfigureRequest, key: str, marks: Mapping[str, str]
) -> ImageOrigin:
    """Make an environment, unless it is there; a half-made one is made again.

    Args:
        request: What it is for.
        key: What `environment_key` gave.
        marks: Variables by which a later run knows what this one started.

    Raises:
        Violation: A requirement does not exist or does not install, or its build runs
            past the deadline.
        MachineError: The package index or the disk is at fault.
    """
    path = environment_path(key)
    if is_complete(path):
        return "up to date"
    request.watch.begin(f"making the environment {path}", request.log)
    try:
        remove_tree(path)
        make_folder(path.parent)
        _install(request, path, marks)
        (path / _COMPLETE).touch()
    except OSError as error:
        raise MachineError(_message(request, str(error), "a disk with room")) from error
    finally:
        if not is_complete(path):
            remove_tree(path)
    return "built"


def _install(request: ConfigureRequest, path: Path, marks: Mapping[str, str]) -> None:
    deadline = time.monotonic() + request.options.configure_timeout
    env = {k: v for k, v in os.environ.items() if not _NOT_FOR_PIP.fullmatch(k)} | dict(
        marks
    )
    # -P: no module of the folder that it is started in stands for one of Python's.
    venv = [sys.executable, "-P", "-m", "venv", "--without-pip", str(path)]
    _step(request, venv, deadline, env)
    if not is_there(requirements_of(request.cube)):
        return
    python = str(path / "bin" / "python")
    # By itself, since `venv` keeps what goes wrong here to itself.
    _give_pip(request, python, deadline, env)
    options = ["--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    # The log shows each retry, and so a bad index.
    options.append("--retries=3")
    install = [python, "-P", "-m", "pip", "install", *options, "-r", "requirements.txt"]
    # In a copy: paths in the file are beside it, and a build may write there.
    with temporary_folder() as folder:
        build = folder / "build"
        context = request.cube.docker.context
        copy(context, build, left_out=lambda path: path.name == FOLDER)
        _step(request, install, deadline, env, build)


def _give_pip(
    request: ConfigureRequest, python: str, deadline: float, env: Mapping[str, str]
) -> None:
    """Give an environment what Python brings for it.

    Our own pip does it without compiling what is used once, which is most of the time
    of `ensurepip`.
    """
    import ensurepip  # noqa: PLC0415 - some systems do not install it

    own = {name: text for name, text in env.items() if not name.startswith("PIP_")}
    own["PIP_CONFIG_FILE"] = os.devnull
    given = sysconfig.get_config_var("WHEEL_PKG_DIR")
    wheels = given or Path(ensurepip.__file__).with_name("_bundled")
    words = ("install", "--no-index", f"--find-links={wheels}", "--no-compile")
    names = ("pip",) if sys.version_info >= (3, 12) else ("pip", "setuptools")
    into = (sys.executable, "-P", "-s", "-m", "pip", "--python", python)
    try:
        _step(request, [*into, *words, *names], deadline, own)
    except MachineError:
        # We may have none, or one from before --python (22.3).
        by_python = [python, "-P", "-m", "ensurepip", "--default-pip"]
        _step(request, by_python, deadline, env)


def _step(
    request: ConfigureRequest,
    argv: list[str],
    deadline: float,
    env: Mapping[str, str],
    cwd: Path | None = None,
) -> None:
    """Run one command of the making; its output is added to the log.

    Only what runs in a copy of the cube's files can fail by the cube's fault.
    """
    part = request.log.with_suffix(".part")
    part.unlink(missing_ok=True)
    name = f"still configuring {request.cube.id}"
    text = ""
    try:
        ended = run_process(
            argv,
            stdout=part,
            stderr=part,
            timeout=max(0.0, deadline - time.monotonic()),
            env=env,
            cwd=cwd,
            out=request.watch.err,
            waiting=heartbeat(request.watch, name, part),
            limit=request.options.max_log_size,
        )
    finally:
        text = part.read_text(encoding="utf-8", errors="replace")
        with request.log.open("a", encoding="utf-8") as log:
            log.write(text)
        part.unlink()
    if ended.timed_out:
        progress = Progress(tool="pip")
        progress.hear(text.splitlines())
        timeout = request.options.configure_timeout
        raise progress.too_late(_message(request, "", ""), timeout)
    if ended.exit_code == 0:
        return
    # What a package's own build says is indented by pip.
    lines = [line for line in text.splitlines() if not line.startswith((" ", "\t"))]
    errors = [line for line in last_lines("\n".join(lines), 200) if "ERROR" in line]
    found = errors[-1] if errors else f"exit code {ended.exit_code}"
    fault = machine_fault("pip", "\n".join(lines))
    if fault or cwd is None:
        found = f"{fault}: {found}" if fault else found
        raise MachineError(_message(request, found, "an index and a disk that work"))
    raise Violation(_message(request, found, "requirements that install"))


def _message(request: ConfigureRequest, found: str, expected: str) -> Message:
    return Message(
        what=f"cannot make the environment of cube {request.cube.id!r}",
        where=str(requirements_of(request.cube)),
        found=found,
        expected=expected,
        do="read the end of the log; the incomplete environment was removed",
        tail=tail(request.log),
        log=str(request.log),
    )
