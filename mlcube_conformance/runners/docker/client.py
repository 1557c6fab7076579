"""Speaks to a Docker daemon with a deadline for each whole answer.

The library's own deadline is for each piece of an answer: one that drips never ends.
"""

from __future__ import annotations

import queue
import threading
import traceback
import warnings
from functools import cached_property
from typing import Any

import docker
import requests
from docker.auth import AuthConfig
from docker.errors import DockerException
from docker.utils import kwargs_from_env

from mlcube_conformance.base.process import find_program

__all__ = ["BoundedAPI", "BoundedClient", "connect"]

#: Seconds beyond the deadline of a request that its answer may take in all.
_GRACE = 5.0


class BoundedAPI(docker.APIClient):
    """The library's client, whose answers end in time or fail."""

    @cached_property
    def _about(self) -> dict[str, Any]:
        return super().version(api_version=False)

    def version(self, api_version: bool = True) -> dict[str, Any]:  # noqa: ARG002, FBT001, FBT002 - of the library
        """Return what the daemon says about itself; only the first call asks it."""
        return self._about

    @cached_property
    def limits_processes(self) -> bool:
        """Whether the daemon can limit processes; without cgroups, Podman cannot."""
        return bool(self.info().get("PidsLimit"))

    def forget_missing_helpers(self) -> list[str]:
        """Ask registries without the programs that keep passwords and are not here.

        Returns:
            Their names, as Docker's `config.json` has them.
        """
        config: AuthConfig = self._auth_configs  # type: ignore[has-type]
        named = {config.creds_store, *config.cred_helpers.values()} - {None, ""}
        missing = {
            each for each in named if not find_program(f"docker-credential-{each}")
        }
        if missing:
            # What is empty would be read again.
            kept: dict[str, Any] = {"auths": {"nobody.invalid": {}, **config.auths}}
            if config.creds_store not in missing:
                kept["credsStore"] = config.creds_store
            kept["credHelpers"] = {
                registry: name
                for registry, name in config.cred_helpers.items()
                if name not in missing
            }
            self._auth_configs = AuthConfig(kept)
        return sorted(missing)

    def send(self, request: Any, **settings: Any) -> requests.Response:  # noqa: ANN401 - of requests
        """Send a request; streams are read by those who asked, by their own deadline.

        Raises:
            requests.ReadTimeout: The answer was not whole in time.
        """
        seconds = settings.get("timeout")
        if not isinstance(seconds, (int, float)):
            # Of a build or a pull, which whoever asked ends.
            return super().send(request, **settings)
        answers: queue.SimpleQueue[requests.Response | BaseException]
        answers = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(super(BoundedAPI, self).send(request, **settings))
            except BaseException as error:  # noqa: BLE001 - raised in the waiting thread
                answers.put(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=seconds + _GRACE)
        except queue.Empty:
            message = f"no complete answer within {seconds + _GRACE:g} s"
            raise requests.ReadTimeout(message) from None
        if isinstance(answer, requests.ReadTimeout):
            message = f"no answer within {seconds:g} s"
            raise requests.ReadTimeout(message) from answer
        if isinstance(answer, BaseException):
            raise answer
        return answer


class BoundedClient(docker.DockerClient):
    """The library's objects, over a client whose answers end in time."""

    api: BoundedAPI

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - the library's own
        """Connect as the library would."""
        self.api = BoundedAPI(**settings)


def connect(seconds: float) -> BoundedClient:
    """Return a client of the daemon that waits at most so long for each answer.

    Raises:
        DockerException: There is no daemon, or something else answers.
        OSError: It does not answer.
        ValueError: Its address is invalid.
    """
    with warnings.catch_warnings():
        # The library leaves the socket of a failed connection to the collector.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            client = BoundedClient(timeout=seconds, **kwargs_from_env())
            if client.ping():
                return client
        except (DockerException, OSError, ValueError) as error:
            _free_sockets(error)
            raise
    client.close()
    msg = "what answers there is not a Docker daemon"
    raise DockerException(msg)


def _free_sockets(error: BaseException) -> None:
    """Close what a failed call has left open: its frames alone know of it."""
    each: BaseException | None = error
    while each is not None:
        traceback.clear_frames(each.__traceback__)
        each = each.__cause__ or each.__context__
