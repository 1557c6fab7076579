"""Brings the package to a host, so the host answers requests."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlcube_conformance.base.text import tail
from mlcube_conformance.runners.places.ssh.transfer import push
from mlcube_conformance.runners.places.ssh.trouble import by_hand
from mlcube_conformance.runners.places.wheel import make_wheel, package_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlcube_conformance.place import Place
    from mlcube_conformance.runners.places.ssh.connection import Connection

__all__ = [
    "SAFE",
    "SMALL",
    "has_folder",
    "own_python",
    "prepare_agent",
    "use_python",
]

#: Seconds for the wheel and other small files.
SMALL = ("", 300.0)
#: Lines that no shell says of its own.
_YES, _NO = "mlcube-folder:yes", "mlcube-folder:no"
#: Neither what is in the home nor the host's language changes what is run.
SAFE = ("PYTHONSAFEPATH=1", "PYTHONUTF8=1")
_AGENT = ("-m", "mlcube_conformance.runners.places.agent")
#: A word that means itself to any shell.
_PLAIN = re.compile(r"[A-Za-z0-9_./+@=:-]+")


def has_folder(connection: Connection, folder: str) -> bool:
    """Say whether a folder is on the host; makes none.

    Raises:
        MachineError: The host does not say it.
    """
    said, errors = connection.folder / "test", connection.folder / "errors"
    script = f"'if test -d {folder}; then echo {_YES}; else echo {_NO}; fi'"
    words = ("sh", "-c", script)
    ended = connection.run(words, stdout=said, stderr=errors, timeout=SMALL[1])
    lines = said.read_text(encoding="utf-8", errors="replace").splitlines()
    if _YES in lines or _NO in lines:
        return _YES in lines
    if connection.is_cut(ended.exit_code):
        raise connection.lost("looking for a folder on it")
    raise connection.fault(
        what=f"cannot look for a folder on {connection.name}",
        found="no end in time"
        if ended.timed_out
        else f"exit code {ended.exit_code} and no answer",
        expected="a host that runs commands",
        do=f"try it by hand: {by_hand(connection.place)}",
        tail=(*tail(said, 4), *tail(errors, 4)),
    )


def own_python(place: Place) -> str:
    """Return the Python of the environment that a platform file names.

    It is a program of PATH, or a path, which may be relative to the home.
    """
    interpreter = place.interpreter
    if interpreter.kind != "virtualenv":
        return interpreter.python
    location = interpreter.location or f"{place.root}/environments"
    return str(PurePosixPath(location, interpreter.name, "bin/python"))


def use_python(
    connection: Connection, python: str, variables: Mapping[str, str]
) -> bool:
    """Let a Python with the package answer requests; say whether it can.

    It cannot where a shell would change the words of its command.
    """
    words = _words(python, variables.get("PYTHONPATH", ""))
    is_plain = all(_PLAIN.fullmatch(each) for each in words)
    if is_plain:
        connection.use_agent(words, stays=True)
    return is_plain


def _words(python: str, packages: str = "") -> tuple[str, ...]:
    """Return the command that answers requests.

    The PYTHONPATH of the host is not used: it may have another version.
    """
    return ("env", f"PYTHONPATH={packages}", *SAFE, python, *_AGENT)


def prepare_agent(connection: Connection) -> str:
    """Send the package, and let the host answer requests; return the wheel's path.

    Raises:
        MachineError: It cannot be sent.
    """
    place = connection.place
    interpreter = place.interpreter
    if not place.sync_package:
        connection.use_agent(_words(own_python(place)))
        return ""
    folder = f"{place.root}/packages/{package_key()}"
    said = connection.folder / "mkdir"
    ended = connection.run(
        ("mkdir", "-p", folder), stdout=said, stderr=said, timeout=SMALL[1]
    )
    if ended.exit_code:
        if connection.is_cut(ended.exit_code):
            raise connection.lost("making a folder on it")
        found = said.read_text(errors="replace").strip()
        raise connection.fault(
            what=f"cannot write to {connection.name}",
            found=found or f"mkdir -p {folder} fails",
            expected=f"a writable folder {place.root}",
            do="fix its permissions, or name another folder (env.path)",
        )
    wheel = make_wheel(connection.folder)
    push(
        connection,
        wheel.parent,
        [wheel.name],
        folder,
        mirror=False,
        by_content=True,  # An equal one may be there, and no room for another.
        limit=SMALL,
    )
    path = f"{folder}/{wheel.name}"
    connection.use_agent(_words(interpreter.python, path))
    return path
