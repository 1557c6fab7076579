"""Where one cube is on another host.

Below our folder on the host, `cubes/` holds each cube by its content, and
`workspaces/` a workspace for each cube folder of each user of each machine, so
equal names never meet.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import re
import socket
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import MachineError, Message
from mlcube_conformance.base.files import is_folder, read_text, resolved
from mlcube_conformance.runners.common.content import content_key, files_below

if TYPE_CHECKING:
    from mlcube_conformance.model import Cube, Platform
    from mlcube_conformance.place import Place

__all__ = ["NOT_SENT", "CubeFolders", "is_sent", "owner"]

#: What of a cube stays here: data, and what tools keep beside it.
NOT_SENT = ("/workspace", "/.*", "__pycache__")


def owner() -> str:
    """Return the name of the caller: one account of the host may serve several."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


class CubeFolders:
    """The folders of a cube on a host, and what they are called by."""

    def __init__(self, place: Place, cube: Cube, platform: Platform) -> None:
        """Take down what decides them; nothing is asked."""
        self._place = place
        self._cube = cube
        self._platform = platform
        self._inner = platform.inner or platform
        self._home = ""
        # Relative to the home, where a command starts, until the host says more.
        self._root = place.root

    @property
    def name(self) -> str:
        """What the folders of the cube on the host are called, except their hash."""
        return re.sub(r"[^a-z0-9]+", "-", self._cube.name.lower()).strip("-") or "cube"

    @property
    def workspace_key(self) -> str:
        """Identity of the workspace on the host."""
        place = [owner(), str(self._cube.place), self._place.host, self._place.user]
        place += [self._place.root, self._platform.kind, self._inner.kind]
        return hashlib.sha256(json.dumps(place).encode()).hexdigest()[:12]

    @property
    def workspace_folder(self) -> str:
        """Folder on the host that holds the workspace, and the job that works in it."""
        return f"{self._root}/workspaces/{self.name}-{self.workspace_key}"

    @property
    def run_job(self) -> str:
        """Folder of the job that runs a task."""
        return f"{self.workspace_folder}/run"

    @property
    def _content_folder(self) -> str:
        """Folder on the host that holds the cube itself."""
        return f"{self._root}/cubes/{self.name}-{self.content_key}"

    @property
    def cube_folder(self) -> str:
        """Folder of the cube on the host."""
        given = self._place.cube_folder
        if given:
            return str(PurePosixPath(self._home, given))
        # By its own name, as messages of the host are to call it.
        return f"{self._content_folder}/cube/{self._cube.root.name}"

    def _beside(self, file: Path, kind: str) -> str:
        """Return the place on the host of one small file from elsewhere."""
        return f"{self._content_folder}/{kind}/{resolved(file).name}"

    @property
    def _context_name(self) -> str:
        """Return the folder that the image is built in, where it is not in the cube."""
        context = self._cube.docker.context
        there = is_folder(context) and not context.is_relative_to(self._cube.root)
        return context.name if there else ""

    @cached_property
    def content_key(self) -> str:
        """Identity of the content of the cube and its platform file.

        Raises:
            MachineError: A file of the cube cannot be read.
        """
        root = self._cube.root
        try:
            names = [each for each in files_below(root) if is_sent(each)]
            inner = read_text(self._inner.file)
            more = [owner(), inner, self._cube.definition]
            if self._context_name:
                context = self._cube.docker.context
                more.append(content_key(context, files_below(context)))
            return content_key(root, names, *more)[:12]
        except OSError as error:
            raise MachineError(
                Message(
                    what=f"cannot send the cube {self._cube.id!r}",
                    where=str(error.filename or root),
                    found=str(error.strerror),
                    expected="files that can be read",
                    do="fix the permissions",
                )
            ) from error

    def _places(self, job: str, stdout: Path, stderr: Path) -> dict[str, str]:
        """Return paths of the host, with what they are on this machine."""
        inner = self._beside(self._inner.file, "platform")
        return {
            f"{job}/logs/stdout.log": str(stdout),
            f"{job}/logs/stderr.log": str(stderr),
            f"{job}/logs/configure.log": str(stderr),
            inner: str(self._inner.file),
            self.cube_folder: str(self._cube.root),
        }


def is_sent(name: str) -> bool:
    """Say whether a path of a cube is sent; see `NOT_SENT`."""
    first = name.partition("/")[0]
    return not (
        first.startswith(".")
        or first == "workspace"
        or "__pycache__" in name.split("/")
    )
