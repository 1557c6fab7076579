"""What every step needs: messages, errors, and commands that end in time."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX: Final = "mlcube-conformance"
MINUTE: Final = 60.0
TAIL: Final = 20  # lines of output in a message
LONG: Final = 240  # characters of a command in a message


class SetUpError(Exception):
    """A step cannot go on; the message says why, where, and what to do."""

    def __init__(self, *, what: str, where: str, found: str, todo: str) -> None:
        """Lay the four parts out, one a line."""
        super().__init__(f"{what}\n  where: {where}\n  found: {found}\n  do: {todo}")


class CommandError(SetUpError):
    """A command did not end well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    requirements: Path


def say(line: str) -> None:
    """Tell about progress, on stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def run(
    step: str,
    command: Sequence[str],
    *,
    folder: Path | None = None,
    seconds: float = 5 * MINUTE,
) -> str:
    """Run a command to its end; return its output, both streams together."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 (argument list, no shell)
            command,
            cwd=folder,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        ended = f"no end within {seconds:.0f} s"
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                ended = f"exit code {process.wait(seconds)}"
        finally:
            stop(process)
        if process.returncode != 0:
            raise CommandError(
                what=f"{step}: {Path(command[0]).name} failed",
                where=_shortened(command),
                found=f"{ended}; the output ends with:\n{last_lines(output)}",
                todo="check the network, the package sources and the free disk space",
            )
        output.seek(0)
        return output.read().decode(errors="replace")


def _shortened(command: Sequence[str]) -> str:
    text = shlex.join(command)
    return text if len(text) < LONG else f"{text[: LONG // 2]} ... {text[-LONG // 2 :]}"


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children: ask, wait, insist."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)


def last_lines(output: IO[bytes]) -> str:
    """Return the end of an output, ready for a message."""
    output.seek(0)
    return indented(output.read().decode(errors="replace").splitlines()[-TAIL:])


def indented(lines: Sequence[str]) -> str:
    """Set lines off from the message around them."""
    return "\n".join(f"    {line}" for line in lines) or "    (nothing)"


def find_program(step: str, name: str) -> str:
    """Return the path of a program; say what to do where it is missing."""
    path = shutil.which(name)
    if path is None:
        raise SetUpError(
            what=f"{step}: a program is missing",
            where=f"PATH={os.environ.get('PATH', '')}",
            found=found_on_path(name),
            todo=f"install the package that brings {name} (a Debian-like system is "
            "needed), or put its folder on PATH",
        )
    return path


def found_on_path(*names: str) -> str:
    """Tell, for a message, which programs are on PATH and where."""
    return ", ".join(f"{name}: {shutil.which(name) or 'not on PATH'}" for name in names)
