"""Builds or pulls an image through Docker's API, with a deadline and a log."""

from __future__ import annotations

import queue
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import docker
from docker.utils import parse_repository_tag

from mlcube_conformance.base.errors import MachineError, Message, Violation
from mlcube_conformance.base.text import TAIL_LINES, last_lines, mask
from mlcube_conformance.runners.common.deadlines import Progress, images_fetched
from mlcube_conformance.runners.common.faults import machine_fault
from mlcube_conformance.runners.common.recipes import has_recipe, recipe_text
from mlcube_conformance.runners.docker.client import BoundedAPI
from mlcube_conformance.runners.docker.streams import ending_streams
from mlcube_conformance.runners.work import HEARTBEAT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlcube_conformance.runners.contract import ConfigureRequest
    from mlcube_conformance.runners.docker.context import BuildContext

__all__ = ["build", "is_built", "pull"]


#: How a daemon that tells no more says what it has built.
_SUCCESS = re.compile(r"Successfully built ([0-9a-f]{12,64})\s*$")


def is_built(request: ConfigureRequest) -> bool:
    """Say whether an image is built here, and not pulled."""
    strategy = request.options.build_strategy or request.platform.strategy
    return strategy != "pull" and has_recipe(request.cube.docker)


def build(
    request: ConfigureRequest,
    context: BuildContext,
    proxies: Mapping[str, str],
    labels: Mapping[str, str],
) -> str:
    """Build an image without a name, and return its id.

    Raises:
        Violation: The build fails, or a step of it runs past its deadline.
        MachineError: The registry, the network, the disk or the daemon fails.
    """
    network = request.options.network

    def start(api: docker.APIClient) -> Iterator[dict[str, Any]]:
        with context.archive() as archive:
            return api.build(
                fileobj=archive,
                custom_context=True,
                dockerfile=context.recipe_name,
                buildargs={**proxies, **context.build_args},
                labels=dict(labels),
                # A task's network may be off; a build must fetch what it installs.
                network_mode=network if network != "none" else None,
                rm=True,
                forcerm=True,
                decode=True,
            )

    recipe = recipe_text(request.cube, request.cube.docker)
    progress = Progress(tool="docker", bases=images_fetched(recipe))
    failure = f"cannot build the image of cube {request.cube.id!r}"
    return _follow(request, start, failure, progress)


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

    failure = f"cannot pull the image of cube {request.cube.id!r}"
    _follow(request, start, failure, Progress(tool="docker"))


def _follow(
    request: ConfigureRequest,
    start: Callable[[docker.APIClient], Iterator[dict[str, Any]]],
    failure: str,
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
            log.drain(lines, deadline, failure)
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
        failure: str,
    ) -> None:
        started = time.monotonic()
        with self._request.log.open("a", encoding="utf-8") as file:
            while True:
                left = deadline - time.monotonic()
                try:
                    item = items.get(timeout=max(0.0, min(HEARTBEAT, left)))
                except queue.Empty:
                    if time.monotonic() >= deadline:
                        raise self._too_late(failure) from None
                    self._still(time.monotonic() - started)
                    continue
                if item is None:
                    return
                if isinstance(item, Exception):
                    said = getattr(item, "explanation", None) or str(item)
                    raise self._failure(failure, said) from item
                self.built = _built(item) or self.built
                text = _text(item)
                self._progress.hear(str(item.get("stream", "")).splitlines())
                file.write(text)
                file.flush()
                self._remember(text)
                if "error" in item:
                    raise self._failure(failure, str(item["error"]))

    def _remember(self, text: str) -> None:
        self._lines = [*self._lines, *last_lines(text)][-TAIL_LINES:]
        if self._request.watch.err is not None:
            self._request.watch.err(text.encode())

    def _still(self, seconds: float) -> None:
        last = f": {self._lines[-1]}" if self._lines else ""
        self._request.watch.note(
            f"still configuring {self._request.cube.id} after {seconds:.0f} s{last}"
        )

    def _message(self, what: str, found: str, expected: str, do: str) -> Message:
        request = self._request
        built = is_built(request)
        return Message(
            what=what,
            where=str(request.cube.docker.file if built else request.platform.source),
            found=mask(found),
            expected=expected,
            do=do,
            tail=tuple(self._lines),
            log=str(self._request.log),
        )

    def _too_late(self, failure: str) -> Violation | MachineError:
        message = self._message(failure, "", "", "")
        timeout = self._request.options.configure_timeout
        return self._progress.too_late(message, timeout)

    @property
    def _way_out(self) -> str:
        """What else there is to do where the cube has a recipe that is not used."""
        recipe = self._request.cube.docker
        unused = not is_built(self._request) and has_recipe(recipe)
        return ",\nor build it here: --build-strategy auto" if unused else ""

    def _failure(self, failure: str, found: str) -> Violation | MachineError:
        if "BuildKit" in found or "unknown instruction" in found.lower():
            return Violation(
                self._message(
                    failure,
                    found.strip(),
                    "a recipe that the daemon's classic builder understands",
                    "write it without BuildKit's extensions (RUN --mount, heredocs)",
                )
            )
        if machine_fault("docker", found, last=found):
            return MachineError(
                self._message(
                    failure,
                    found.strip(),
                    "a registry and a disk that work",
                    "check the network, the proxy and the disk, then run again"
                    + self._way_out,
                )
            )
        return Violation(
            self._message(
                failure,
                found.strip(),
                "an image",
                "fix the recipe or the image's name; the end of the log shows the step"
                + self._way_out,
            )
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
