"""Imports what runs of the suite need, and is forked for each run."""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from _pytest.assertion import install_importhook
from _pytest.config import get_config

#: What Python itself reads when it starts, and what it imports then.
_READ_BY_PYTHON = ("PYTHON", "LC_", "LANG", "LD_", "TZ", "VIRTUAL_ENV")
_IMPORTED_BY_PYTHON = {"sitecustomize", "usercustomize"}
#: Where modules are looked for after the folders that a program is given.
_LAST = [
    each
    for each in sys.path
    if each not in os.environ.get("PYTHONPATH", "").split(os.pathsep)
    and each != str(Path(__file__).parent)
]
#: Where modules keep what the folders were when they were imported.
_COPIES: list[list[str]] = []
#: What the package imports only when it is needed, and most runs do.
_LATER = ("jsonschema", "platformdirs", "xdist.plugin")


def main() -> None:
    """Serve until the process that started this one has ended."""
    address, told, alive = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    _import_all()
    own = _of_python(dict(os.environ))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(address))
    listener.listen()
    os.write(told, b"ready")
    os.close(told)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # A key at the terminal is for the tests, which end this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    while True:
        heard, _, _ = select.select([listener.fileno(), alive], [], [])
        if alive in heard:
            address.unlink()
            address.parent.rmdir()
            return
        connection, _ = listener.accept()
        if os.fork() == 0:
            request, files = _receive(connection)
            if _of_python(request["variables"]) != own or _has_others(request):
                connection.sendall(b"other")
                os._exit(0)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            program = os.fork()
            if program == 0:
                listener.detach()
                connection.detach()
                _become(request, files)
                break
            for each in files:
                os.close(each)
            _follow(program, connection)
        connection.close()
    words = request["words"]
    sys.argv = [request["module"], *words]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


def _import_all() -> None:
    # As pytest imports the package of a plugin, which it says otherwise.
    hook = install_importhook(get_config())
    for each in entry_points(group="pytest11"):
        hook.mark_rewrite(each.module.partition(".")[0])
    import mlcube_conformance  # noqa: PLC0415

    folders, prefix = mlcube_conformance.__path__, "mlcube_conformance."
    for module in pkgutil.walk_packages(folders, prefix):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in _LATER:
        importlib.import_module(name)
    sys.meta_path.remove(hook)
    # xdist keeps what its workers look for modules in as Python starts.
    _COPIES.extend(
        value
        for module in list(sys.modules.values())
        for value in vars(module).values()
        if isinstance(value, list) and value == sys.path and value is not sys.path
    )


def _of_python(variables: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in variables.items()
        if name.startswith(_READ_BY_PYTHON) and name != "PYTHONPATH"
    }


def _first(request: dict[str, Any]) -> list[str]:
    """Return the folders in which a program looks for modules first."""
    given = request["variables"].get("PYTHONPATH", "")
    folders = given.split(os.pathsep) if given else []
    if not sys.flags.safe_path:
        folders.insert(0, "")
    return [str(Path(request["folder"], each)) for each in folders]


def _has_others(request: dict[str, Any]) -> bool:
    """Say whether a program finds other modules than those that are imported here."""
    for folder in _first(request):
        with suppress(OSError):
            for each in Path(folder).iterdir():
                name = each.name.partition(".")[0]
                if name in _IMPORTED_BY_PYTHON:
                    return True
                file = getattr(sys.modules.get(name), "__file__", None)
                if file and not file.startswith(f"{folder}/"):
                    return True
    return False


def _receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    files = array.array("i")
    room = socket.CMSG_SPACE(3 * files.itemsize)
    length, rights, _, _ = connection.recvmsg(8, room)
    for _, _, data in rights:
        files.frombytes(data)
    if not length:
        os._exit(0)
    left, parts = int.from_bytes(length), []
    while left:
        part = connection.recv(left)
        if not part:
            os._exit(0)  # who asked has ended
        parts.append(part)
        left -= len(part)
    return json.loads(b"".join(parts)), list(files)


def _become(request: dict[str, Any], files: list[int]) -> None:
    """Take the place of a program that was just started."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, each in enumerate(files):
        os.dup2(each, number)
    os.closerange(3, 2**16)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old = getattr(sys, name)
        by_line = number and (old.line_buffering or os.isatty(number))
        new = os.fdopen(
            number,
            "w" if number else "r",
            buffering=1 if by_line else -1,
            encoding=old.encoding,
            errors=old.errors,
            closefd=False,
        )
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    os.environ.clear()
    os.environ.update(request["variables"])
    os.umask(request["umask"])
    os.chdir(request["folder"])
    sys.path[:] = [*_first(request), *_LAST]
    for copy in _COPIES:
        copy[:] = sys.path


def _follow(program: int, connection: socket.socket) -> None:
    """Say how the program ended; end it where nobody waits any more."""
    ended = os.pidfd_open(program)
    heard, _, _ = select.select([ended, connection.fileno()], [], [])
    if ended not in heard:
        os.kill(program, signal.SIGKILL)
    _, status = os.waitpid(program, 0)
    with suppress(OSError):
        connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


main()
