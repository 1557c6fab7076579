"""Runs cubes in containers of a Docker daemon, through its API."""

from __future__ import annotations

import hashlib
import os
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import requests
from docker.errors import APIError, DockerException

from mlcube_conformance.base.errors import (
    MachineError,
    Message,
    PlatformUnavailable,
    Violation,
)
from mlcube_conformance.base.text import mask
from mlcube_conformance.model import Image, RunResult
from mlcube_conformance.runners.common.content import CONTENT_LABEL
from mlcube_conformance.runners.common.image_names import own_name
from mlcube_conformance.runners.common.liveness import (
    OWNER_LABEL,
    RUN_LABEL,
    Liveness,
    build_lock,
)
from mlcube_conformance.runners.common.recipes import has_recipe, not_made_for
from mlcube_conformance.runners.docker.build import build, pull
from mlcube_conformance.runners.docker.client import BoundedClient, connect
from mlcube_conformance.runners.docker.container import (
    command_line,
    counts_inside,
    create_options,
    environment,
    host_config,
    left_inside,
    look_at_outputs,
    refuse_odd_names,
    refuse_volumes,
    remove,
    user,
    why_killed,
)
from mlcube_conformance.runners.docker.context import BuildContext
from mlcube_conformance.runners.docker.faults import (
    daemon_faults,
    explain,
    is_built,
    unreadable_context,
    went_away,
)
from mlcube_conformance.runners.docker.following import Follower
from mlcube_conformance.runners.docker.made import (
    built_image,
    described,
    give_name,
    ids_of,
    image_id,
    is_image_name,
    known_as,
    made_for,
    remember_built,
    remember_made,
    remember_tag,
    tagged_image,
)
from mlcube_conformance.runners.docker.streams import ending_streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlcube_conformance.model import Cube, ImageOrigin, Platform
    from mlcube_conformance.runners.contract import ConfigureRequest, RunRequest

__all__ = ["DockerRunner"]

#: Names of build arguments whose values are not for everybody.
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL", re.IGNORECASE)
_START = "start it (`sudo systemctl start docker`), or set DOCKER_HOST"
_START_THERE = "start it (`sudo systemctl start docker`), or fix or unset DOCKER_HOST"
_JOIN_GROUP = (
    "join the group `docker` (`sudo usermod -aG docker $USER`), then log in again,\n"
    "or use a daemon of your own (rootless Docker) by DOCKER_HOST"
)
_BY_SSH = "unset DOCKER_HOST, and test there by a platform file: docs/platforms.md"
#: How the library says what is wrong, what it means if that is unclear, and what to do.
_MEANINGS = (
    (
        r"FileNotFoundError\(|ConnectionRefusedError\(|Errno 111",
        "nothing listens there",
        "",
    ),
    (r"NameResolutionError\(", "no host has this name", ""),
    (r"paramiko", "this tool does not reach a daemon by ssh://", _BY_SSH),
    (r"ermission denied", "", _JOIN_GROUP),
)
#: Exit code of a task that was killed, as also a removal does.
_KILLED = 137
#: Seconds for one answer of the daemon.
_API_TIMEOUT = 60


class DockerRunner:
    """Configures and runs cubes on Docker."""

    protects_inputs = True

    def __init__(self, run_id: str) -> None:
        """Prepare, without speaking to the daemon yet."""
        self._connected: BoundedClient | None = None
        self._liveness = Liveness(run_id)

    @property
    def client(self) -> BoundedClient:
        """The client of the daemon, connected on first use."""
        if self._connected is None:
            self._connected = connect(_API_TIMEOUT)
        return self._connected

    def unavailable(self) -> MachineError | None:
        """Return why the daemon does not answer, or None when it does."""
        try:
            _ = self.client
        # A ValueError tells of an address that can be none.
        except (DockerException, OSError, ValueError) as error:
            text = mask(str(error))
            rows = (each for each in _MEANINGS if re.search(each[0], text))
            _, meaning, do = next(rows, ("", "", ""))
        else:
            return None
        start = _START_THERE if os.environ.get("DOCKER_HOST") else _START
        return PlatformUnavailable(
            Message(
                what="cannot use Docker: its daemon does not answer",
                where=os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"),
                found=meaning or text,
                expected="a Docker daemon that answers `docker version`",
                do=do or start,
            )
        )

    def engine(self) -> str:
        """Return the name and version of the daemon, which may be Podman's."""
        with suppress(DockerException, OSError, ValueError, LookupError):
            told = self.client.version()
            parts = [each["Name"] for each in told.get("Components") or ()]
            podman = any("podman" in each.lower() for each in parts)
            return f"{'Podman' if podman else 'Docker'} {told['Version']}"
        return ""

    def configure(self, request: ConfigureRequest) -> Image:
        """Build the image of a cube, pull it, or find that it is up to date."""
        name = request.platform.image
        if not is_image_name(name):
            raise Violation(
                Message(
                    what="the platform file's image is not an image name",
                    where=str(request.platform.source),
                    found=name,
                    expected="NAME:TAG in lower case, such as example/mnist:1.0",
                    do="fix the key 'image'",
                )
            )
        key = f"docker-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        timeout, note = request.options.configure_timeout, request.watch.note
        with (
            build_lock(key, name, timeout, note),
            daemon_faults(f"configuring {request.cube.id}"),
        ):
            image = self._build(request) if is_built(request) else self._have(request)
            image = described(self.client, image)
            remember_made(
                request.cube.place, name, image.digest, image_id(self.client, name)
            )
        return image

    def find_image(self, cube: Cube, platform: Platform) -> Image | None:
        """Return the image that a cube was configured with, or that it names."""
        name = platform.image
        if not is_image_name(name):
            return None
        with daemon_faults(f"looking for {name}"):
            tag = image_id(self.client, name)
            made, tag_then = made_for(cube.place, name)
            # Whoever has moved the tag since, by other means, wants that image.
            moved = tag not in {"", made, tag_then, tagged_image(name)}
            if made and image_id(self.client, made) and not moved:
                return Image(
                    name=known_as(self.client, name, made),
                    digest=made,
                    origin="present",
                )
        return Image(name=name, digest=tag, origin="present") if tag else None

    def _have(self, request: ConfigureRequest) -> Image:
        """Return the image that the daemon or a registry has."""
        name, cube = request.platform.image, request.cube
        found = image_id(self.client, name)
        origin: ImageOrigin = "present"
        if found:
            there = has_recipe(cube.docker)
            recipe = cube.shown(cube.docker.file)
            reason = "build_strategy is pull" if there else f"no {recipe}"
            request.watch.note(f"{reason}: {name} is used as it is")
        elif request.platform.serves_any:
            raise not_made_for(cube, "docker")
        else:
            request.watch.begin(f"pulling {name}", request.log)
            pull(request)
            found, origin = str(self.client.images.get(name).id), "pulled"
            remember_tag(name, found)
        return Image(name=name, digest=found, origin=origin)

    def _build(self, request: ConfigureRequest) -> Image:
        """Return the image of a recipe, built unless that was done already."""
        name = request.platform.image
        try:
            context = BuildContext.of(request)
        except (OSError, ValueError, RecursionError) as error:
            raise unreadable_context(request, error) from error
        key = self._key(request, context)
        strategy = request.options.build_strategy or request.platform.strategy
        made = "" if strategy == "always" else built_image(key)
        image = image_id(self.client, made)
        origin: ImageOrigin = "up to date"
        source = ""
        if not image:
            request.watch.begin(f"building {name}", request.log)
            labels = {CONTENT_LABEL: key}
            built, source = build(self.client, request, context, labels, self._liveness)
            image, origin = str(self.client.images.get(built).id), "built"
            # A base that was not here may be now.
            for each in {key, self._key(request, context)}:
                remember_built(each, image)
            self._tell_kept_secrets(request, image)
        give_name(self.client, own_name(name), image)
        options = request.options
        if options.names_image and not give_name(
            self.client, name, image, by_force=options.retag
        ):
            request.watch.note(
                f"{name} is an image that was not made here: it is left as it is; "
                "`python -m mlcube_docker_run configure --retag` moves the name"
            )
        return Image(
            name=known_as(self.client, name, image),
            digest=image,
            origin=origin,
            source=source,
        )

    def _key(self, request: ConfigureRequest, context: BuildContext) -> str:
        """Return the hash of what an image is made of, its bases included."""
        bases = ids_of(self.client, context.bases)  # A fault here is the daemon's.
        try:
            return context.key(bases)
        except (OSError, ValueError, RecursionError) as error:
            raise unreadable_context(request, error) from error

    def run(self, request: RunRequest) -> RunResult:
        """Run a task in a container of its own, which is always removed."""
        refuse_odd_names(request)
        api = self.client.api
        started = time.monotonic()
        name = f"mlcube-{self._liveness.run_id}-{os.getpid()}-{time.monotonic_ns()}"
        try:
            refuse_volumes(api, request)
            api.create_container(
                image=request.image.digest,
                command=list(request.view.arguments),
                # Docker takes the image's own where it is None.
                entrypoint=list(request.invocation.task.entrypoint) or None,
                name=name,
                user=user(request),
                environment=environment(request),
                labels=self._liveness.labels(),
                host_config=api.create_host_config(
                    **host_config(request, limits_processes=api.limits_processes)
                ),
                **create_options(request),
            )
            before = look_at_outputs(request)
            with ending_streams(api):
                follower = Follower(api, name, request)
                api.start(name)
                timed_out = follower.wait(request.options.task_timeout)
            state = api.inspect_container(name)["State"]
            if not timed_out and int(state["ExitCode"]) == _KILLED:
                state = why_killed(api, name)
            counts = not state["ExitCode"] and counts_inside(request, before)
            elsewhere = left_inside(api, name) if counts else ()
        except APIError as error:
            explain(error, request)
        except (requests.RequestException, DockerException) as error:
            raise went_away(request, error) from error
        finally:
            if not remove(self.client.api, name):
                request.watch.note(
                    f"Docker did not remove the container {name}; the next run does"
                )
        return RunResult(
            exit_code=int(state["ExitCode"]),
            timed_out=timed_out,
            out_of_memory=bool(state["OOMKilled"]),
            seconds=time.monotonic() - started,
            stdout=request.stdout,
            stderr=request.stderr,
            command=command_line(request),
            elsewhere=elsewhere,
        )

    def _tell_kept_secrets(self, request: ConfigureRequest, image: str) -> None:
        """Say which build arguments an image keeps that look like secrets."""
        history = str(self.client.images.get(image).history())
        for name, value in request.options.build_args.items():
            if _SECRET_NAME.search(name) and value and value in history:
                request.watch.note(
                    f"warning: the image keeps the value of --build-arg {name} in its "
                    "history: whoever gets the image can read it"
                )

    def _ours(self) -> Iterator[Any]:
        yield from self.client.api.containers(all=True, filters={"label": RUN_LABEL})

    def remove_leftovers(self) -> tuple[str, ...]:
        """Remove containers and builds of runs that are over; return their names."""
        removed = []
        with daemon_faults("looking for what earlier runs left"):
            for each in self._ours():
                if self._liveness.is_left_over(each["Labels"]):
                    remove(self.client.api, each["Id"])
                    removed.append(each["Names"][0].lstrip("/"))
        return (*removed, *self._liveness.remove_noted())

    def close(self) -> None:
        """Remove the containers that this process started, and no others."""
        if self._connected is not None:
            if self._liveness.taken:
                owner = self._liveness.labels()[OWNER_LABEL]
                with suppress(DockerException, requests.RequestException):
                    for each in self._ours():
                        if each["Labels"].get(OWNER_LABEL) == owner:
                            remove(self.client.api, each["Id"])
            self._connected.close()
            self._connected = None
        self._liveness.end()
