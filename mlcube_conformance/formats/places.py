"""Reads the description of another host, of both schemas.

The first one has `host`, `user`, `env.{path,sync,interpreter,variables}` and
`mlcube.{path,sync}`; the later one `host`, `authentication.{user,identity_file}` and
`interpreter.{type,python,requirements,location,name}`. Their keys may be mixed. The
code of that time read `identify_file`, its documents say `identity_file`: both are
read. What ssh itself can take (`port`, `jump`, `known_hosts`, `fingerprint`,
`ssh_config`) is ours, and all of it may stand in the configuration of ssh instead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from mlcube_conformance.base.homes import is_of_another_user, with_home
from mlcube_conformance.base.text import visible
from mlcube_conformance.formats.loaded import check_path
from mlcube_conformance.formats.main_files import roots_of
from mlcube_conformance.place import Interpreter, Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlcube_conformance.formats.problems import Problems
    from mlcube_conformance.formats.yaml import Located

__all__ = [
    "AUTHENTICATION_KEYS",
    "CUBE_KEYS",
    "ENV_KEYS",
    "FINGERPRINT",
    "HOST",
    "IDENTITY_KEYS",
    "INTERPRETERS",
    "INTERPRETER_KEYS",
    "JUMP",
    "PLACE_KEYS",
    "PORTS",
    "USER",
    "VARIABLE",
    "read_place",
]

_DEFAULT_ROOT = "mlcube"
PLACE_KEYS = (
    *("schema_type", "schema_version"),
    *("host", "user", "port", "jump", "authentication", "known_hosts", "fingerprint"),
    *("ssh_config", "platform", "interpreter", "env", "mlcube", "mlbox"),
)
IDENTITY_KEYS = ("identity_file", "identify_file")
AUTHENTICATION_KEYS = ("user", *IDENTITY_KEYS)
INTERPRETER_KEYS = ("type", "python", "requirements", "location", "name")
ENV_KEYS = ("path", "sync", "interpreter", "variables")
CUBE_KEYS = ("path", "sync")

# A host, user or path that a program or a shell could take for something else is
# refused, so none needs to be quoted.
HOST = re.compile(r"[A-Za-z0-9:][A-Za-z0-9._:%-]*")
USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@\\-]*")
JUMP = re.compile(
    r"([A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][\w.-]*(:\d+)?"
    r"(,([A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][\w.-]*(:\d+)?)*",
    re.ASCII,
)
THERE = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+@-]*")
FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOME = re.compile(r"(~|\$HOME|\$\{HOME\})/")
PORTS = 65535
INTERPRETERS: Mapping[str, Literal["system", "virtualenv"]] = {
    "system": "system",
    "virtualenv": "virtualenv",
}


def read_place(document: Located, problems: Problems) -> Place:
    """Read a place; what is wrong with it is added to the problems."""
    return _PlaceReader(document, problems).read()


class _PlaceReader:
    """Reads one file, and gathers what is wrong with it."""

    def __init__(self, document: Located, problems: Problems) -> None:
        self._document = document
        self._problems = problems

    def read(self) -> Place:
        document = self._document
        self._problems.unknown_keys(document, PLACE_KEYS)
        authentication = self._mapping(document, "authentication", AUTHENTICATION_KEYS)
        env = self._mapping(document, "env", ENV_KEYS)
        cube = self._mapping(document, "mlcube", CUBE_KEYS) or self._mapping(
            document, "mlbox", CUBE_KEYS
        )
        if document.get("host") is None or not self._text(document.get("host")):
            self._problems.text(document, "host")
        identity = next(
            (
                each
                for each in (_get(authentication, name) for name in IDENTITY_KEYS)
                if each is not None
            ),
            None,
        )
        at_top = document.get("interpreter")
        return Place(
            file=document.source.file,
            host=self._word(
                document.get("host"), HOST, "the name or address of a host"
            ),
            user=self._word(
                document.get("user") or _get(authentication, "user"),
                USER,
                "the name of a user",
            ),
            port=self._port(document.get("port")),
            jump=self._word(document.get("jump"), JUMP, "hosts, as [user@]host[:port]"),
            identity_file=self._file(identity),
            known_hosts=self._file(document.get("known_hosts")),
            fingerprints=self._fingerprints(document.get("fingerprint")),
            ssh_config=self._ssh_config(document.get("ssh_config")),
            root=self._there(_get(env, "path")) or _DEFAULT_ROOT,
            cube_folder=_HOME.sub("", self._text(_get(cube, "path")), count=1),
            sync_package=self._yes(_get(env, "sync")),
            sync_cube=self._yes(_get(cube, "sync")),
            interpreter=self._interpreter(at_top or _get(env, "interpreter")),
            variables=self._variables(_get(env, "variables")),
        )

    def _mapping(
        self, parent: Located, key: str, known: tuple[str, ...]
    ) -> Located | None:
        at = parent.get(key)
        if at is None or at.value is None:
            return None
        if not at.is_mapping():
            self._wrong(at, f"a mapping with {', '.join(known)}")
            return None
        self._problems.unknown_keys(at, known)
        return at

    def _wrong(self, at: Located, expected: str, do: str = "fix the value") -> None:
        self._problems.add(
            f"{at.source.file.name} has a value that cannot be used",
            at,
            expected=expected,
            do=do,
        )

    def _text(self, at: Located | None) -> str:
        if at is None or at.value is None:
            return ""
        text = at.text()
        if not text or "\0" in text or "\n" in text:
            self._wrong(at, "a text of one line")
        return text

    def _word(self, at: Located | None, form: re.Pattern[str], expected: str) -> str:
        text = self._text(at)
        if at is not None and text and not form.fullmatch(text):
            self._wrong(at, expected)
        return text

    def _there(self, at: Located | None) -> str:
        """Read a path of the other host, where a command starts in the home."""
        text = _HOME.sub("", self._text(at), count=1)
        if at is not None and text and not THERE.fullmatch(text):
            self._wrong(at, "a path of letters, digits and any of . _ - + @ /")
        return text

    def _file(self, at: Located | None) -> Path | None:
        """Read a path of this machine; a relative one is beside the file."""
        text = self._text(at)
        if at is None or not text:
            return None
        if not check_path(text, f"{at.source.key!r}", at, self._problems):
            return None
        if is_of_another_user(text):
            self._wrong(
                at, "a path of this machine", "write it in full, or ./~NAME for a name"
            )
            return None
        return at.source.file.parent / with_home(text)

    def _ssh_config(self, at: Located | None) -> Path | None:
        """Read a file of settings of ssh, which a cube must not choose.

        They may name programs to be started here, and ssh prints what it cannot read.
        """
        path = self._file(at)
        if at is None or path is None or not roots_of(self._document.source.file):
            return path
        self._problems.add(
            "a platform file of a cube must not name an ssh_config",
            at,
            found=visible(at.text())[:80],
            expected="no ssh_config: its settings may start programs on this machine",
            do="copy the platform file out of the cube, and give it by --platform FILE",
        )
        return None

    def _port(self, at: Located | None) -> int:
        if at is None or at.value is None:
            return 0
        port = at.value
        if isinstance(port, bool) or not isinstance(port, int):
            port = 0
        if not 0 < port <= PORTS:
            self._wrong(at, f"a port: a number from 1 to {PORTS}")
        return port

    def _yes(self, at: Located | None) -> bool:
        if at is None or at.value is None:
            return True
        if not isinstance(at.value, bool):
            self._wrong(at, "true or false")
        return bool(at.value)

    def _texts(self, at: Located | None) -> list[Located]:
        if at is None or at.value is None:
            return []
        return list(at.value) if isinstance(at.value, list) else [at]

    def _fingerprints(self, at: Located | None) -> tuple[str, ...]:
        return tuple(
            self._word(
                each, FINGERPRINT, "SHA256:…, as `ssh-keygen -lf` prints a host key"
            )
            for each in self._texts(at)
        )

    def _interpreter(self, at: Located | None) -> Interpreter:
        if at is None or at.value is None:
            return Interpreter()
        if not at.is_mapping():
            self._wrong(at, f"a mapping with {', '.join(INTERPRETER_KEYS)}")
            return Interpreter()
        self._problems.unknown_keys(at, INTERPRETER_KEYS)
        kind = self._text(at.get("type")) or "system"
        if kind not in INTERPRETERS:
            self._wrong(at.get("type") or at, f"one of {', '.join(INTERPRETERS)}")
        default = Interpreter()
        return Interpreter(
            kind=INTERPRETERS.get(kind, "system"),
            python=self._there(at.get("python")) or default.python,
            requirements=tuple(self._requirements(at.get("requirements"))),
            location=self._there(at.get("location")),
            name=self._there(at.get("name")) or default.name,
        )

    def _requirements(self, at: Located | None) -> list[str]:
        if at is None or at.value in (None, ""):
            return []
        words = [
            (each, word)
            for each in self._texts(at)
            for word in self._text(each).split()
        ]
        for each, word in words:
            if not _is_requirement(word):
                self._wrong(
                    each, "packages as pip takes them, without spaces; no options"
                )
        return [word for _, word in words]

    def _variables(self, at: Located | None) -> dict[str, str]:
        if at is None or at.value is None:
            return {}
        if not at.is_mapping():
            self._wrong(at, "a mapping of names to texts")
            return {}
        variables = {}
        for name, value in at.items():
            text = value.as_written()
            if value.value is None or isinstance(value.value, (dict, list)):
                self._wrong(value, "a text", "put it into quotes")
            elif not VARIABLE.fullmatch(name) or "\0" in text:
                self._wrong(value, "a name of letters, digits and _")
            else:
                variables[name] = text
        return variables


def _is_requirement(word: str) -> bool:
    """Say whether pip takes a word for a package; an option of pip is not."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - most cubes need none

    if word.endswith(".whl"):
        return not word.startswith("-")
    try:
        Requirement(word)
    except InvalidRequirement:
        return False
    return True


def _get(parent: Located | None, key: str) -> Located | None:
    return parent.get(key) if parent is not None else None
