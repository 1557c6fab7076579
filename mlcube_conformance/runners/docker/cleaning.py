"""Removes the images that were built here, and those of nobody else."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from docker.errors import APIError

from mlcube_conformance.base.text import visible
from mlcube_conformance.runners.common.content import CONTENT_LABEL
from mlcube_conformance.runners.docker.faults import daemon_faults
from mlcube_conformance.runners.docker.made import every_built_image
from mlcube_conformance.runners.docker.runner import DockerRunner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

__all__ = ["clean_images"]

_OWN_NAME = re.compile(r"mlcube-conformance/built-[a-z0-9-]*[0-9a-f]{12}:latest")
_NO_NAME = "<none>:<none>"
_DAY = 24 * 3600


def clean_images(*, days: float, dry_run: bool) -> Iterator[str]:
    """Remove images that this user built here and that have no other name.

    What somebody else built or committed is kept, whatever its name and labels say,
    and so is what a container uses.

    Args:
        days: Days since it was built, at least.
        dry_run: Whether to remove nothing.

    Yields:
        A line about each.

    Raises:
        MachineError: The daemon does not answer.
    """
    runner = DockerRunner("clean")
    trouble = runner.unavailable()
    if trouble is not None:
        raise trouble
    try:
        with daemon_faults("looking for images"):
            api = runner.client.api
            built = every_built_image()
            for each in api.images(filters={"label": CONTENT_LABEL}):
                age = time.time() - int(each["Created"])
                if each["Id"] not in built or age < days * _DAY or not _is_alone(each):
                    continue
                shown = visible(", ".join(_names(each)) or str(each["Id"]))
                if dry_run:
                    yield f"would remove the image {shown}"
                    continue
                try:
                    # By each name first: the image goes with the last one.
                    for name in (*_names(each)[1:], each["Id"]):
                        api.remove_image(name)
                except APIError as error:
                    reason = visible(str(error.explanation or error))
                    yield f"kept the image {shown}: {reason}"
                else:
                    yield f"removed the image {shown}"
    finally:
        runner.close()


def _names(image: Mapping[str, Any]) -> list[str]:
    return [each for each in image["RepoTags"] or () if each != _NO_NAME]


def _is_alone(image: Mapping[str, Any]) -> bool:
    """Say whether an image has no names but ours."""
    return all(_OWN_NAME.fullmatch(each) for each in _names(image))
