"""Remembers which images were made here, and which tags were set.

A label of an image says nothing of that: anybody can copy it. So it is kept in files
of this user, by the ids that the daemon gave.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from docker.errors import ImageNotFound
from docker.utils import match_tag, parse_repository_tag

from mlcube_conformance.runners.common.image_names import own_name
from mlcube_conformance.runners.common.records import (
    read_record,
    read_records,
    write_record,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from docker import DockerClient

    from mlcube_conformance.model import Image

__all__ = [
    "built_image",
    "described",
    "every_built_image",
    "give_name",
    "ids_of",
    "image_id",
    "is_image_name",
    "known_as",
    "made_for",
    "remember_built",
    "remember_made",
    "remember_tag",
    "tagged_image",
]


def is_image_name(name: str) -> bool:
    """Say whether a text is a name, with a tag, a digest or neither."""
    repository, at, digest = name.partition("@")
    if at and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        return False
    return bool(match_tag(repository))


def built_image(key: str) -> str:
    """Return the id of the image that was built of some content; "" for none."""
    return next(iter(read_record("docker-built", key)), "")


def every_built_image() -> set[str]:
    """Return the ids of all images that this user built here."""
    return read_records("docker-built")


def remember_built(key: str, image: str) -> None:
    """Write down what was built of some content."""
    write_record("docker-built", key, ids=(image,))


def tagged_image(name: str) -> str:
    """Return the id that a tag was set to here; "" where it was not."""
    return next(iter(read_record("docker-tag", name)), "")


def remember_tag(name: str, image: str) -> None:
    """Write down that a tag was set."""
    write_record("docker-tag", name, ids=(image,))


def made_for(root: Path, name: str) -> tuple[str, str]:
    """Return the image that a cube was configured with, and what its tag was then."""
    image, tag, *_ = (*read_record("docker-cube", str(root.resolve()), name), "", "")
    return image, tag


def remember_made(root: Path, name: str, image: str, tag: str) -> None:
    """Write down what a cube was configured with."""
    write_record("docker-cube", str(root.resolve()), name, ids=(image, tag))


def image_id(client: DockerClient, name: str) -> str:
    """Return the id of an image that a daemon has, or ""."""
    if not name:
        return ""
    try:
        return str(client.images.get(name).id)
    except ImageNotFound:
        return ""


def ids_of(client: DockerClient, names: Iterable[str]) -> dict[str, str]:
    """Return the id of each image that a daemon has, "" for others."""
    return {
        each: image_id(client, each) if is_image_name(each) else "" for each in names
    }


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


def described(client: DockerClient, image: Image) -> Image:
    """Return an image with what the daemon tells of it."""
    found = client.images.get(image.digest).attrs
    config = found.get("Config") or {}
    pairs = (str(each).partition("=") for each in config.get("Env") or ())
    return replace(
        image,
        entrypoint=tuple(config.get("Entrypoint") or ()),
        user=str(config.get("User") or ""),
        variables=tuple(name for name, _, value in pairs if value),
        size=found.get("Size"),
    )
