"""Imports what runs of the suite need, and is forked for each run."""

from __future__ import annotations

import array
import atexit
import gc
import importlib
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _pytest.assertion import install_importhook
from _pytest.config import get_config
from execnet import gateway_io

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def _of_python(variables: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in variables.items()
        if name.startswith(_READ_BY_PYTHON) and name != "PYTHONPATH"
    }


_OWN = _of_python(dict(os.environ))


@dataclass(frozen=True, slots=True)
class Request:
    """What to run, and with which words, folder, variables and files."""

    module: str
    words: list[str]
    folder: str
    umask: int
    variables: dict[str, str]
    files: list[int]


@dataclass(frozen=True, slots=True)
class Running:
    """A program that was started, and who waits for it."""

    number: int
    end: int
    """A file that can be read when the program has ended."""
    client: socket.socket


def main() -> None:
    """Serve until the process that started this one has ended."""
    address, told, alive = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    _import_all()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(address))
    listener.listen()
    os.write(told, b"ready")
    os.close(told)
    # A key at the terminal is for the tests, which end this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    request = _next_to_run(listener, alive)
    if not request:
        address.unlink()
        address.parent.rmdir()
        return
    _become(request)
    gateway_io.popen_args = partial(_warm_worker, str(address))
    try:
        if request.module == "-c":
            program = sys.argv.pop(1)
            exec(program, {"__name__": "__main__"})  # noqa: S102 - as Python does
        else:
            runpy.run_module(request.module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, int | None):
            _end_at_once(end.code or 0)
        raise
    _end_at_once(0)


def _next_to_run(listener: socket.socket, alive: int) -> Request | None:
    """Serve, and return in the process of each program what it is to run."""
    running: list[Running] = []
    while True:
        files = [file for each in running for file in (each.end, each.client)]
        heard, _, _ = select.select([alive, listener, *files], [], [])
        for each in tuple(running):
            if not {alive, each.end, each.client}.isdisjoint(heard):
                running.remove(each)
                _say_how_it_ended(each, killed=each.end not in heard)
        if alive in heard:
            return None
        if listener not in heard:
            continue
        client, _ = listener.accept()
        request = _receive(client)
        if not request:
            continue
        program = os.fork()
        if program == 0:
            for open_one in (listener, client, *(each.client for each in running)):
                open_one.detach()
            return request
        running.append(Running(program, os.pidfd_open(program), client))
        with suppress(OSError):
            client.sendall(program.to_bytes(4))
        _close(request.files)


def _say_how_it_ended(program: Running, *, killed: bool) -> None:
    if killed:  # Its client or the tests have ended.
        os.kill(program.number, signal.SIGKILL)
    _, status = os.waitpid(program.number, 0)
    os.close(program.end)
    with suppress(OSError), program.client:
        code = os.waitstatus_to_exitcode(status)
        program.client.sendall(code.to_bytes(4, signed=True))


def _warm_worker(address: str, _: object) -> list[str]:
    """Return what starts a worker of xdist: most of its time is the import, too."""
    client = str(Path(__file__).with_name("client.py"))
    program = gateway_io.popen_bootstrapline
    return [sys.executable, "-IS", client, address, "-c", program]


def _end_at_once(code: int) -> None:
    """End as Python does, without the time that it takes to tear modules down."""
    threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001
    atexit._run_exitfuncs()  # noqa: SLF001
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _import_all() -> None:
    _read_entry_points_once()
    # As pytest imports the package of a plugin, which it says otherwise.
    hook = install_importhook(get_config())
    for each in metadata.entry_points(group="pytest11"):
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


def _read_entry_points_once() -> None:
    """Keep what is read of each distribution: each run of pytest asks for all."""
    read: Any = metadata.Distribution.entry_points
    known: dict[str, metadata.EntryPoints] = {}

    def entry_points(distribution: Any) -> metadata.EntryPoints:  # noqa: ANN401
        folder = str(distribution._path)  # noqa: SLF001 - there is no other
        if folder not in known:
            known[folder] = read.fget(distribution)
        return known[folder]

    metadata.Distribution.entry_points = property(entry_points)  # type: ignore[assignment]


def _first(request: Request) -> list[str]:
    """Return the folders in which a program looks for modules first."""
    given = request.variables.get("PYTHONPATH", "")
    folders = given.split(os.pathsep) if given else []
    if not sys.flags.safe_path:
        folders.insert(0, "")
    return [str(Path(request.folder, each)) for each in folders]


def _has_others(request: Request) -> bool:
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


def _receive(client: socket.socket) -> Request | None:
    """Return what to run, if it can be run here."""
    files = array.array("i")
    length, rights, _, _ = client.recvmsg(8, socket.CMSG_SPACE(3 * files.itemsize))
    for _, _, data in rights:
        files.frombytes(data)
    left, parts = int.from_bytes(length), []
    while left:
        part = client.recv(left)
        if not part:
            break
        parts.append(part)
        left -= len(part)
    if left or len(length) < 8:  # The client has ended.
        _close(files)
        return None
    folder, umask, count, module, *rest = map(os.fsdecode, b"".join(parts).split(b"\0"))
    words, variables = rest[: int(count)], rest[int(count) :]
    request = Request(
        *(module, words, folder, int(umask)),
        dict(each.split("=", 1) for each in variables),
        list(files),
    )
    if _of_python(request.variables) != _OWN or _has_others(request):
        _close(files)
        with suppress(OSError), client:
            client.sendall((0).to_bytes(4))
        return None
    return request


def _close(files: Iterable[int]) -> None:
    for each in files:
        os.close(each)


def _become(request: Request) -> None:
    """Take the place of a program that was just started."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, each in enumerate(request.files):
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
    os.environ.update(request.variables)
    os.umask(request.umask)
    os.chdir(request.folder)
    sys.argv = [request.module, *request.words]
    sys.path[:] = [*_first(request), *_LAST]
    if request.module == "-c" and not sys.flags.safe_path:
        sys.path[0] = ""
    for copy in _COPIES:
        copy[:] = sys.path


main()
