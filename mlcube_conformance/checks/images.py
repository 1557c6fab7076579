"""Checks of the image of a cube, as its engine tells of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlcube_conformance.base.errors import Message
from mlcube_conformance.base.text import HIDDEN, visible

if TYPE_CHECKING:
    from mlcube_conformance.model import Image, Platform

__all__ = ["has_no_secrets", "has_user", "is_named_with_tag", "is_small_enough"]

#: A tag, which a port is not, or a digest.
_TAGGED = re.compile(r".*(:[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})")
_SECRET = re.compile(
    r"(?i).*(password|passwd|secret|token|credential|private_?key|api_?key|access_?key)"
    r".*"
)
_ROOT = ("", "0", "root")


def _message(
    platform: Platform, what: str, found: str, expected: str, do: str
) -> Message:
    return Message(
        what=what, where=str(platform.source), found=found, expected=expected, do=do
    )


def is_named_with_tag(platform: Platform) -> tuple[Message, ...]:
    """Check that the name of an image says which one is meant."""
    # A platform without a registry names a file.
    kind = (platform.inner or platform).kind
    is_file = kind != "docker" and "://" not in platform.image
    if (
        not platform.image
        or is_file
        or _TAGGED.fullmatch(platform.image.rpartition("/")[2])
    ):
        return ()
    return (
        _message(
            platform,
            "the image has no tag and no digest",
            visible(platform.image),
            "NAME:TAG or NAME@sha256:…",
            "write a version behind a colon",
        ),
    )


def has_user(platform: Platform, image: Image) -> tuple[Message, ...]:
    """Check that an image names another user than root."""
    if image.user is None or image.user.partition(":")[0] not in _ROOT:
        return ()
    return (
        _message(
            platform,
            "the image runs as root",
            f"USER {image.user}" if image.user else "no USER",
            "another user",
            "end the Dockerfile with USER 1000, or the like",
        ),
    )


def has_no_secrets(platform: Platform, image: Image) -> tuple[Message, ...]:
    """Check that no variable of an image looks like a secret; show no value."""
    found = [each for each in image.variables if _SECRET.fullmatch(each)]
    if not found:
        return ()
    return (
        _message(
            platform,
            "the image holds what looks like a secret",
            "\n".join(f"{visible(each)}={HIDDEN}" for each in found),
            "no passwords, tokens or keys in an image",
            "give it when the task runs (--env NAME), and change the secret",
        ),
    )


def is_small_enough(platform: Platform, image: Image, most: int) -> tuple[Message, ...]:
    """Check that an image has at most so many bytes."""
    if image.size is None or image.size <= most:
        return ()
    return (
        _message(
            platform,
            "the image is too large",
            f"{image.size:,} bytes",
            f"at most {most:,} bytes, as --max-image-size says",
            "leave out caches and tools of the build: use another stage, or a "
            "smaller\nbase image",
        ),
    )
