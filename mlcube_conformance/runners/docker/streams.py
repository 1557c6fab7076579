"""Ends the endless answers of a Docker daemon."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from docker.types import CancellableStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker
    from requests import Response

__all__ = ["ending_streams"]


@contextmanager
def ending_streams(api: docker.APIClient) -> Iterator[None]:
    """Cut what the daemon still sends when the block ends, and free its sockets.

    The library hands out streams without their connection; a daemon takes a
    connection that is cut as the end of a build.
    """
    responses: list[Response] = []

    def keep(response: Response, **_: object) -> None:
        responses.append(response)

    api.hooks["response"].append(keep)
    try:
        yield
    finally:
        api.hooks["response"].remove(keep)
        for response in responses:
            # Each may have ended by itself, half or whole.
            with suppress(Exception):
                CancellableStream(iter(()), response).close()
            with suppress(Exception):
                response.close()
