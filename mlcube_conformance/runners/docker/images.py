"""What a Docker daemon has, for a platform that can make images from it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import requests
from docker.errors import DockerException

from mlcube_conformance.base.errors import UsageError
from mlcube_conformance.formats.platforms import find_platform, load_platform
from mlcube_conformance.runners.common.image_names import own_name
from mlcube_conformance.runners.docker.client import connect
from mlcube_conformance.runners.docker.context import BuildContext
from mlcube_conformance.runners.docker.made import built_image, ids_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker
    from docker.models.images import Image

    from mlcube_conformance.model import Cube
    from mlcube_conformance.runners.contract import ConfigureRequest

__all__ = ["image_in_daemon", "image_of_cube"]

#: Seconds for one answer of the daemon, which is no more than an offer here.
_TIMEOUT = 10


@contextmanager
def _daemon() -> Iterator[docker.DockerClient | None]:
    """Give a client of the daemon, or None where there is none."""
    client: docker.DockerClient | None = None
    with suppress(DockerException, OSError, ValueError):
        client = connect(_TIMEOUT)
    if client is None:
        yield None
        return
    try:
        yield client
    finally:
        client.close()


def _image(client: docker.DockerClient | None, name: str) -> Image | None:
    if client is None:
        return None
    try:
        return client.images.get(name)
    except (DockerException, requests.RequestException):
        return None


def image_in_daemon(name: str) -> str:
    """Return the id of an image that the daemon has; "" where it has none."""
    with _daemon() as client:
        image = _image(client, name)
    return str(image.id) if image is not None else ""


def image_of_cube(request: ConfigureRequest) -> str:
    """Return a name of the cube's image, if the daemon's is up to date.

    It is "" where there is no daemon, no such image, or one of other content.
    """
    name = _name_for_docker(request.cube)
    if not name:
        return ""
    with _daemon() as client:
        if client is None:
            return ""
        try:
            context = BuildContext.of(request)
            made = built_image(context.key(ids_of(client, context.bases)))
        except (OSError, ValueError, RecursionError, DockerException):
            return ""
        for each in (name, own_name(name)):
            image = _image(client, each)
            if image is not None and image.id == made:
                return each
    return ""


def _name_for_docker(cube: Cube) -> str:
    """Return the image that the cube's platform `docker` names."""
    try:
        platform, problems = load_platform(find_platform("docker", cube), cube)
    except UsageError:
        return ""
    return "" if platform is None or problems else platform.image
