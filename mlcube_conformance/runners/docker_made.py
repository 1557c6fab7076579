"""Remembers which images were made here, and which tags were set.

A label of an image says nothing of that: anybody can copy it. So it is kept in files
of this user, by the ids that the daemon gave.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from typing import TYPE_CHECKING

from docker.errors import ImageNotFound
from docker.utils import match_tag, parse_repository_tag
from platformdirs import user_cache_path

from mlcube_conformance.errors import MachineError, Message
from mlcube_conformance.workspace import make_folder

if TYPE_CHECKING:
    from pathlib import Path

    from docker import DockerClient

__all__ = [
    "built_image",
    "give_name",
    "image_id",
    "is_image_name",
    "known_as",
    "made_for",
    "own_name",
    "remember_built",
    "remember_made",
    "remember_tag",
    "tagged_image",
]

#: What one answer says: an id, and for a cube the one that its tag had then.
_Ids = tuple[str, ...]


def is_image_name(name: str) -> bool:
    """Say whether a text is a name, with a tag, a digest or neither."""
    repository, at, digest = name.partition("@")
    if at and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        return False
    return bool(match_tag(repository))


def own_name(name: str) -> str:
    """Return the name that an image gets beside the one that a platform file names."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"mlcube-conformance/built-{digest}:latest"


def built_image(key: str) -> str:
    """Return the id of the image that was built of some content; "" for none."""
    return next(iter(_read("built", key)), "")


def remember_built(key: str, image: str) -> None:
    """Write down what was built of some content."""
    _write("built", key, ids=(image,))


def tagged_image(name: str) -> str:
    """Return the id that a tag was set to here; "" where it was not."""
    return next(iter(_read("tag", name)), "")


def remember_tag(name: str, image: str) -> None:
    """Write down that a tag was set."""
    _write("tag", name, ids=(image,))


def made_for(root: Path, name: str) -> tuple[str, str]:
    """Return the image that a cube was configured with, and what its tag was then."""
    image, tag, *_ = (*_read("cube", str(root.resolve()), name), "", "")
    return image, tag


def remember_made(root: Path, name: str, image: str, tag: str) -> None:
    """Write down what a cube was configured with."""
    _write("cube", str(root.resolve()), name, ids=(image, tag))


def image_id(client: DockerClient, name: str) -> str:
    """Return the id of an image that a daemon has, or ""."""
    if not name:
        return ""
    try:
        return str(client.images.get(name).id)
    except ImageNotFound:
        return ""


def known_as(client: DockerClient, name: str, image: str) -> str:
    """Return what the daemon calls the image of a cube, to be used by hand.

    Args:
        client: Speaks to the daemon.
        name: What the platform file calls it.
        image: Its id.
    """
    names = (name, own_name(name))
    return next((each for each in names if image_id(client, each) == image), image)


def give_name(
    client: DockerClient, name: str, image: str, *, by_force: bool = False
) -> bool:
    """Give an image a name, unless that is somebody else's; say whether it has it.

    A name is ours where we set it last, to what it still means.
    """
    if "@" in name:
        return True  # A digest cannot be set.
    there = image_id(client, name)
    if there not in {"", image, tagged_image(name)} and not by_force:
        return False
    if there != image:
        repository, tag = parse_repository_tag(name)
        client.api.tag(image, repository, tag or "latest")
    remember_tag(name, image)
    return True


def _file(kind: str, words: tuple[str, ...]) -> Path:
    digest = hashlib.sha256(json.dumps(words).encode()).hexdigest()[:32]
    return user_cache_path("mlcube-conformance") / "docker" / f"{kind}-{digest}"


def _read(kind: str, *words: str) -> _Ids:
    try:
        return tuple(_file(kind, words).read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError):
        return ()


def _write(kind: str, *words: str, ids: _Ids) -> None:
    file = _file(kind, words)
    make_folder(file.parent)
    new = file.with_name(f"{file.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        new.write_text("".join(f"{each}\n" for each in ids), encoding="utf-8")
        new.replace(file)
    except OSError as error:
        raise MachineError(
            Message(
                what="what was made cannot be written down",
                where=str(file),
                found=str(error.strerror),
                expected="a folder that can be written to, and a disk with room",
                do="fix the permissions, or free some space",
            )
        ) from error
