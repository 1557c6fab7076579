"""Another host: how it is reached, and what is used there; no input or output."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Interpreter", "Place", "RemoteEntry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """The Python of another host, and the environment that a runner gets there."""

    kind: Literal["system", "virtualenv"] = "system"
    python: str = "python3"
    """A program of that host; relative to the home where it holds a slash."""
    requirements: tuple[str, ...] = ()
    """What to install instead of the package that is sent."""
    location: str = ""
    """Folder of the virtual environments there; "" for the place's own."""
    name: str = "mlcube-conformance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Another host: how it is reached, and what is used there."""

    host: str
    file: Path | None = None
    """The platform file that describes it."""
    user: str = ""
    """"" as the configuration of ssh says; so are the next ones."""
    port: int = 0
    jump: str = ""
    """Hosts to go through, as ProxyJump of ssh_config(5) takes them."""
    identity_file: Path | None = None
    known_hosts: Path | None = None
    """File of host keys to be trusted, beside the user's own."""
    fingerprints: tuple[str, ...] = ()
    """Host keys to be trusted, as `SHA256:…`."""
    ssh_config: Path | None = None
    """Read instead of `~/.ssh/config`."""
    root: str = "mlcube"
    """Our folder there, relative to the home."""
    cube_folder: str = ""
    """Folder of the cube there; "" for one of its own below `root`."""
    sync_package: bool = True
    """Whether to send the package; otherwise the interpreter must have it."""
    sync_cube: bool = True
    interpreter: Interpreter = field(default_factory=Interpreter)
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment of builds and tasks there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEntry:
    """A file, folder or link as it is on another host."""

    kind: str
    """`file`, `directory`, `link`, `pipe`, `socket` or `device`."""
    size: int
    foreign: bool
    """Whether it belongs to another user than the one who ran the task there."""
