"""The program `singularity` or `apptainer`: where it is, what it can, how it is called.

Apptainer is Singularity under another name since 2021; both read variables that begin
with their own name.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message, PlatformUnavailable
from mlcube_conformance.base.process import find_program, run_process
from mlcube_conformance.base.text import tail
from mlcube_conformance.base.trees import temporary_folder
from mlcube_conformance.runners.common.version_line import version_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["NAMES", "Engine", "answer", "find_engine", "lacks_privileges"]

#: Programs that are looked for, in this order.
NAMES = ("singularity", "apptainer")

_OLDEST = (3, 5)
#: The first versions that know `--mount`, whose paths may hold any sign.
_MOUNT_SINCE = {"apptainer": (1, 0), "singularity-ce": (3, 9), "singularity": (99, 0)}
_GET_IT = (
    "install Apptainer (package `apptainer`, or apptainer.org/docs), or\n"
    "put its folder on PATH"
)
#: Variables of the program that say where and how fast it works, not what it does.
_KEPT = (
    *("TMPDIR", "CACHEDIR", "CONFIGDIR", "DOCKER_USERNAME", "DOCKER_PASSWORD"),
    "MKSQUASHFS_ARGS",
)
_OWN = re.compile(r"(SINGULARITY|APPTAINER)(ENV)?_(\w+)")
#: Seconds for a question that needs no image.
_ANSWER_TIMEOUT = 30
#: What stands for the answer of a command that goes on past them.
_SILENCE = f"does not answer within {_ANSWER_TIMEOUT} seconds"
#: Bytes of a stream of a short command, and characters of what it says in a message.
_LONGEST_ANSWER = 64 * 1024
_SHOWN = 200
#: Bits of capabilities(7) without which root cannot make containers as root does.
_CAPABILITIES = {"CAP_SYS_ADMIN": 21, "CAP_SYS_RESOURCE": 24}


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A program that builds and runs images."""

    path: str
    flavour: str
    """`apptainer`, `singularity-ce` or `singularity`."""
    version: tuple[int, int]
    text: str
    """Its version as it says it."""

    def __str__(self) -> str:
        """Name it as in "apptainer 1.4.5"."""
        return f"{self.flavour} {self.text}"

    @property
    def knows_mount(self) -> bool:
        """Whether it takes `--mount`, and not `--bind` alone."""
        return self.version >= _MOUNT_SINCE[self.flavour]

    def environment(
        self, inside: Mapping[str, str], settings: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the variables to call it with.

        Args:
            inside: What the container sees.
            settings: Its own settings, such as `CONTAIN`, without their prefix.
        """
        # What a user has set for runs by hand would change what is tested.
        kept = {
            name: value
            for name, value in os.environ.items()
            if (match := _OWN.fullmatch(name)) is None
            or (match[2] is None and match[3] in _KEPT)
        }
        prefix = "APPTAINER" if self.flavour == "apptainer" else "SINGULARITY"
        return {
            **kept,
            **{f"{prefix}ENV_{name}": value for name, value in inside.items()},
            # Another shell must not read what is in arguments and variables.
            f"{prefix}_NO_EVAL": "1",
            **{f"{prefix}_{name}": value for name, value in settings.items()},
        }


def find_engine(wanted: str = "") -> Engine:
    """Return the program that is used here.

    Args:
        wanted: The name that a platform file asks for, or "" for the first that works.

    Raises:
        PlatformUnavailable: There is none, or it is too old.
    """
    found, broken = [], []
    for name in (wanted,) if wanted else NAMES:
        path = find_program(name)
        if path is None:
            found.append(f"{name}: not on PATH")
            continue
        said = answer([path, "--version"])
        line = version_line(said)
        if not line:
            told = f"says {said[:_SHOWN] or 'nothing'!r} for --version"
            found.append(f"{path}: {said if said == _SILENCE else told}")
            broken.append(path)
            continue
        flavour = line.name if line.name in _MOUNT_SINCE else Path(path).name
        major, minor = line.number.split(".")[:2]
        version = (int(major), int(minor))
        text = line.number + line.suffix
        engine = Engine(path=path, flavour=flavour, version=version, text=text)
        if flavour == "apptainer" or version >= _OLDEST:
            return engine
        found.append(f"{path}: {engine}")
    raise PlatformUnavailable(
        Message(
            what="cannot use Singularity",
            where=f"PATH={os.environ.get('PATH', '')}",
            found="\n".join(found),
            expected=f"{wanted or ' or '.join(NAMES)}, of version "
            f"{_OLDEST[0]}.{_OLDEST[1]} or newer (Apptainer: any)",
            do=_GET_IT if not broken else _fix(broken[0]),
        )
    )


def _fix(path: str) -> str:
    """Return what helps where a program is there and does not say its version."""
    line = shlex.join([path, "--version"])
    return f"see what this says by hand, and fix the program:\n  {line}\nor {_GET_IT}"


def answer(argv: Sequence[str]) -> str:
    """Return what a short command says, or why it says nothing."""
    with temporary_folder() as folder:
        said, complained = folder / "said", folder / "complained"
        try:
            ended = run_process(
                argv,
                stdout=said,
                stderr=complained,
                timeout=_ANSWER_TIMEOUT,
                limit=_LONGEST_ANSWER,
            )
        except OSError as error:
            return str(error)
        if ended.timed_out:
            return _SILENCE
        text = said.read_text(encoding="utf-8", errors="replace").strip()
        return text or "\n".join(tail(complained))


def lacks_privileges() -> bool:
    """Say whether this is a root that may do less than root, as in a container."""
    if os.geteuid() != 0:
        return False
    effective = 0
    for name, value in _process_status():
        if name == "CapEff":
            effective = int(value, 16)
    return any(not effective >> bit & 1 for bit in _CAPABILITIES.values())


def _process_status() -> Iterator[tuple[str, str]]:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        yield name, value.strip()
