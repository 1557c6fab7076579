"""Builds or pulls an image through Docker's API, with a deadline and a log."""

from __future__ import annotations

import queue
import re
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import docker
from docker.utils import parse_repository_tag

from mlcube_conformance.base.cut_log import CutLog
from mlcube_conformance.base.text import TAIL_LINES, last_lines
from mlcube_conformance.runners.common.deadlines import Progress, images_fetched
from mlcube_conformance.runners.common.recipes import recipe_text
from mlcube_conformance.runners.docker.buildkit import build_by_command, command_for
from mlcube_conformance.runners.docker.client import BoundedAPI
from mlcube_conformance.runners.docker.faults import (
    DO_WITHOUT_BUILDKIT,
    build_failure,
    build_message,
    config_file,
)
from mlcube_conformance.runners.docker.streams import ending_streams
from mlcube_conformance.runners.work import HEARTBEAT, proxies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlcube_conformance.base.errors import MachineError, Message, Violation
    from mlcube_conformance.runners.common.liveness import Liveness
    from mlcube_conformance.runners.contract import ConfigureRequest
    from mlcube_conformance.runners.docker.context import BuildContext

__all__ = ["build", "pull"]

#: How a daemon that tells no more says what it has built.
_SUCCESS = re.compile(r"Successfully built ([0-9a-f]{12,64})\s*$")


def build(
    client: docker.DockerClient,
    request: ConfigureRequest,
    context: BuildContext,
    labels: Mapping[str, str],
    liveness: Liveness,
) -> tuple[str, str]:
    """Build an image without a name; return its id, and by what it was built.

    Raises:
        Violation: The build fails, or a step of it runs past its deadline.
        MachineError: The registry, the network, the disk or the daemon fails.
    """
    arguments = {**proxies(), **context.build_args}
    command = command_for(client)
    if command:
        image = build_by_command(
            command, request, context, arguments, labels, liveness=liveness
        )
        return image, "by BuildKit"
    return _build_by_api(request, context, arguments, labels), "by the classic builder"


def _build_by_api(
    request: ConfigureRequest,
    context: BuildContext,
    arguments: Mapping[str, str],
    labels: Mapping[str, str],
) -> str:
    network = request.options.network

    def start(api: docker.APIClient) -> Iterator[dict[str, Any]]:
        with context.archive() as archive:
            return api.build(
                fileobj=archive,
                custom_context=True,
                dockerfile=context.recipe_name,
                buildargs=dict(arguments),
                labels=dict(labels),
                # A task's network may be off; a build must fetch what it installs.
                network_mode=network if network != "none" else None,
                rm=True,
                forcerm=True,
                decode=True,
            )

    recipe = recipe_text(request.cube, request.cube.docker)
    progress = Progress(tool="docker", bases=images_fetched(recipe))
    return _follow(request, start, progress)


def pull(request: ConfigureRequest) -> None:
    """Pull the platform's image.

    Raises:
        Violation: The registry does not have it.
        MachineError: The registry, the network, the disk or the daemon fails.
    """
    # Without a tag, all that there are would be pulled, and the user's own moved.
    repository, tag = parse_repository_tag(request.platform.image)

    def start(api: docker.APIClient) -> Iterator[dict[str, Any]]:
        return api.pull(  # type: ignore[no-any-return]
            repository, tag or "latest", stream=True, decode=True
        )

    _follow(request, start, Progress(tool="docker"))


def _follow(
    request: ConfigureRequest,
    start: Callable[[docker.APIClient], Iterator[dict[str, Any]]],
    progress: Progress,
) -> str:
    """Write a stream of the daemon to the log until it ends or fails.

    Returns:
        The id of the image that was built, "" where none is given.
    """
    deadline = time.monotonic() + request.options.configure_timeout
    # A client of its own, since the response has to be cut at the deadline.
    api = BoundedAPI(**docker.utils.kwargs_from_env())
    lines: queue.SimpleQueue[dict[str, Any] | Exception | None] = queue.SimpleQueue()

    for each in api.forget_missing_helpers():
        # Most images need none; a registry that wants them will say so.
        request.watch.note(
            f"warning: docker-credential-{each} is not found, which {config_file()} "
            "names: registries are asked without a password"
        )

    def read() -> None:
        try:
            for item in start(api):
                lines.put(item)
        except Exception as error:  # noqa: BLE001 - raised again in the waiting thread
            lines.put(error)
        lines.put(None)

    try:
        with ending_streams(api):
            threading.Thread(target=read, daemon=True).start()
            log = _Log(request, progress)
            log.drain(lines, deadline)
            return log.built
    finally:
        api.close()


class _Log:
    """Writes what the daemon says of a build or pull, and keeps the last lines."""

    def __init__(self, request: ConfigureRequest, progress: Progress) -> None:
        self._request = request
        self._progress = progress
        self._lines: list[str] = []
        self.built = ""
        """Id of the image that the daemon has built."""

    def drain(
        self,
        items: queue.SimpleQueue[dict[str, Any] | Exception | None],
        deadline: float,
    ) -> None:
        with self._request.log.open("ab", buffering=0) as file:
            limit = self._request.options.max_log_size
            log = CutLog(file, limit, self._request.watch.err)
            try:
                self._drain(items, deadline, log)
            finally:
                log.end()

    def _drain(
        self,
        items: queue.SimpleQueue[dict[str, Any] | Exception | None],
        deadline: float,
        log: CutLog,
    ) -> None:
        started = time.monotonic()
        while True:
            left = deadline - time.monotonic()
            try:
                item = items.get(timeout=max(0.0, min(HEARTBEAT, left)))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    raise self._too_late() from None
                self._still(time.monotonic() - started)
                continue
            if item is None:
                return
            if isinstance(item, Exception):
                said = getattr(item, "explanation", None) or str(item)
                raise self._failure(said) from item
            self.built = _built(item) or self.built
            text = _text(item)
            self._progress.hear(str(item.get("stream", "")).splitlines())
            log.add(text.encode())
            self._lines = [*self._lines, *last_lines(text)][-TAIL_LINES:]
            if "error" in item:
                raise self._failure(str(item["error"]))

    def _still(self, seconds: float) -> None:
        last = f": {self._lines[-1]}" if self._lines else ""
        self._request.watch.note(
            f"still configuring {self._request.cube.id} after {seconds:.0f} s{last}"
        )

    def _message(self) -> Message:
        return replace(build_message(self._request), tail=tuple(self._lines))

    def _too_late(self) -> Violation | MachineError:
        timeout = self._request.options.configure_timeout
        return self._progress.too_late(self._message(), timeout)

    def _failure(self, found: str) -> Violation | MachineError:
        return build_failure(
            self._request, found, self._lines, do_where_unknown=DO_WITHOUT_BUILDKIT
        )


def _built(item: Mapping[str, Any]) -> str:
    """Return the id of an image that an item of the daemon's stream tells, or ""."""
    aux = item.get("aux")
    if isinstance(aux, dict) and "ID" in aux:
        return str(aux["ID"])
    said = _SUCCESS.match(str(item.get("stream", "")))
    return said[1] if said else ""


def _text(item: Mapping[str, Any]) -> str:
    """Return what one item of the daemon's stream says, as lines of a log."""
    if "stream" in item:
        return str(item["stream"])
    if "error" in item:
        return f"{item['error']}\n"
    # A bar that moves fills the log; its first and last states say enough.
    if "status" in item and "progress" not in item:
        layer = f"{item['id']}: " if "id" in item else ""
        return f"{layer}{item['status']}\n"
    return ""
