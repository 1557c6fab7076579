"""Runs modules of Python in processes that have imported already what they need.

Most of a short run of the suite is the import of a thousand modules. A server imports
them once and is forked for each run: the run is a process of its own, with the folder,
variables, files and arguments that it was given, and ends as its module ends.

A plain start of Python differs in three ways. There, a signal to a group of processes
reaches the program, too; modules are imported after the variables are set; and what is
installed is read again. Tests that are about one of these start Python.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
#: The variables of this process, before a test sets others for what it starts.
_VARIABLES = dict(os.environ)


def python(module: str) -> tuple[str, ...]:
    """Return the words that run a module, to which its own words are added.

    As for Python, the module `-c` is the text that follows.
    """
    if not hasattr(os, "pidfd_open"):  # another system than Linux
        return (sys.executable, *(() if module == "-c" else ("-m",)), module)
    return (sys.executable, "-IS", str(_FOLDER / "client.py"), server(), module)


@cache
def server() -> str:
    """Return the socket of the server, which ends with this process.

    Raises:
        RuntimeError: It does not start.
    """
    # Below no folder of a test, which goes with the test, and with a short name.
    address = Path(tempfile.mkdtemp(dir="/tmp", prefix="warm-")) / "socket"
    ready, told = os.pipe()
    alive, held = os.pipe()
    process = subprocess.Popen(
        [sys.executable, _FOLDER / "server.py", address, str(told), str(alive)],
        stdin=subprocess.DEVNULL,
        env=_VARIABLES,
        pass_fds=(told, alive),
    )
    atexit.register(_end, process, held)
    os.close(told)
    os.close(alive)
    with os.fdopen(ready, "rb") as stream:
        if stream.read() != b"ready":
            message = "the server of tests did not start: what it says is above"
            raise RuntimeError(message)
    return str(address)


def _end(process: subprocess.Popen[bytes], held: int) -> None:
    # A worker that is killed closes it, too.
    os.close(held)
    process.wait(timeout=10)
