"""One container: what it is given, and its output while somebody waits for its end."""

from __future__ import annotations

import os
import posixpath
import re
import threading
import time
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import requests
from docker.errors import APIError
from docker.types import DeviceRequest, Ulimit
from docker.types import Mount as DockerMount

from mlcube_conformance.base.errors import MachineError, Message, Violation
from mlcube_conformance.base.files import is_no_utf8
from mlcube_conformance.base.text import visible
from mlcube_conformance.runners.common import container
from mlcube_conformance.runners.docker.about import OFFER
from mlcube_conformance.runners.work import (
    HEARTBEAT,
    heartbeat,
    log_not_kept,
    shown_variables,
)

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    import docker

    from mlcube_conformance.model import Mount
    from mlcube_conformance.runners.contract import RunRequest

__all__ = [
    "Follower",
    "command_line",
    "create_options",
    "environment",
    "host_config",
    "left_inside",
    "refuse_odd_names",
    "refuse_volumes",
    "size_in_bytes",
    "user",
]

#: Seconds for the last output to arrive after a container has ended.
_LAST_OUTPUT = 10
#: What every container changes, and files that nobody looks for.
_NOISE = re.compile(r"/(mlcube_io\d+|dev|etc|proc|run|sys)(/|$)|/__pycache__(/|$)")
#: How the daemon calls what is new in a container, and how many of it are shown.
_ADDED, _TOLD = 1, 20


class Follower:
    """Writes a container's output to files while somebody waits for its end."""

    def __init__(self, api: docker.APIClient, name: str, request: RunRequest) -> None:
        """Attach to a container that was created and not started yet."""
        self._api = api
        self._name = name
        self._request = request
        self._trouble: Exception | None = None
        # Attached before the start, so nothing said early is lost.
        self._stream = api.attach(
            name, stdout=True, stderr=True, stream=True, demux=True
        )
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        request = self._request
        try:
            with (
                request.stdout.open("wb", buffering=0) as stdout,
                request.stderr.open("wb", buffering=0) as stderr,
            ):
                for out, err in self._stream:
                    self._keep(out, stdout, request.watch.out)
                    self._keep(err, stderr, request.watch.err)
        except (requests.RequestException, OSError, ValueError) as error:
            # A ValueError is how the library says that its stream was cut.
            self._give_up(error)
            with suppress(requests.RequestException, OSError, ValueError):
                for _ in self._stream:
                    pass  # A daemon ends no container whose output waits.

    def _keep(
        self,
        piece: bytes | None,
        file: io.FileIO,
        live: Callable[[bytes], None] | None,
    ) -> None:
        """Write a piece down, and show it; after a fault, let it go."""
        if not piece or self._trouble is not None:
            return
        left = memoryview(piece)
        try:
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            self._give_up(error)
            return
        if live is not None:
            with suppress(OSError):  # nobody listens any more
                live(piece)

    def _give_up(self, error: Exception) -> None:
        """End the container: what it says from now on would be lost."""
        self._trouble = error
        threading.Thread(target=self._kill, daemon=True).start()

    def _kill(self) -> None:
        with suppress(APIError, requests.RequestException):
            self._api.kill(self._name)

    def wait(self, timeout: float) -> bool:
        """Wait for the end; kill at the deadline and say so by True."""
        started = time.monotonic()
        deadline = started + timeout
        timed_out = False
        waiting = heartbeat(
            self._request.watch,
            f"still running {self._request.case_id}",
            self._request.stdout,
        )
        while True:
            left = deadline - time.monotonic()
            if left <= 0 and not timed_out:
                timed_out = True
                with suppress(APIError):  # it may have ended by itself just now
                    self._api.kill(self._name)
            try:
                pause = HEARTBEAT if timed_out else min(HEARTBEAT, max(left, 0.01))
                self._api.wait(self._name, timeout=pause)  # type: ignore[arg-type]
                break
            except (requests.ConnectionError, requests.ReadTimeout):
                # So the library says that the time of one wait is over; a daemon
                # that is gone raises out of this look.
                self._api.inspect_container(self._name)
                waiting(time.monotonic() - started)
        self._thread.join(_LAST_OUTPUT)
        if self._trouble is not None:
            raise log_not_kept(self._request, str(self._trouble)) from self._trouble
        return timed_out


def user() -> str:
    """Return the invoking user and group, to whom outputs are to belong."""
    return f"{os.getuid()}:{os.getgid()}"


def environment(request: RunRequest) -> dict[str, str]:
    """Return the variables that a task gets beside those of its image."""
    variables = container.environment(request)
    if os.getuid() != 0:
        # The image knows no home of this user; caches need some folder.
        variables["HOME"] = "/tmp"  # noqa: S108 - inside the container
    return variables


def refuse_odd_names(request: RunRequest) -> None:
    """Refuse folders that the daemon cannot name.

    Raises:
        MachineError: The name of one is not UTF-8.
    """
    for each in container.mounts(request):
        if is_no_utf8(str(each.host)):
            raise MachineError(
                Message(
                    what="Docker cannot mount a folder whose name is not UTF-8",
                    where=visible(str(each.host)),
                    found=f"such a name, to be mounted for {request.case_id}",
                    expected="names in UTF-8",
                    do="rename the folder, or give another workspace",
                )
            )


def refuse_volumes(api: docker.APIClient, request: RunRequest) -> None:
    """Refuse an image with a volume in a folder that is mounted for the task.

    It would hide what is there, and be gone with all that the task writes to it.

    Raises:
        Violation: The image has such a volume.
    """
    image: dict[str, Any] = api.inspect_image(request.image.digest)  # type: ignore[no-untyped-call]
    config = image.get("Config") or {}
    for name in sorted(config.get("Volumes") or {}):
        volume = PurePosixPath(posixpath.normpath(name))
        for each in request.view.mounts:
            if volume.is_relative_to(each.container) and str(volume) != each.container:
                raise _hidden(request, volume, each)


def _hidden(request: RunRequest, volume: PurePosixPath, mount: Mount) -> Violation:
    place = mount.host / volume.relative_to(mount.container)
    role = "output" if mount.writable else "input"
    return Violation(
        Message(
            what=f"a VOLUME of the image hides part of an {role}",
            where=f"image {request.image.name}, case {request.case_id}",
            found=f"VOLUME {visible(str(volume))}, in the place of {place}",
            expected=f"no volume in {mount.container}, where folders are mounted",
            do="remove the VOLUME from the Dockerfile",
        )
    )


def left_inside(api: docker.APIClient, name: str) -> tuple[str, ...]:
    """Return files that a task left in its container, which go with it."""
    try:
        changes = api.diff(name) or []
    except (APIError, requests.RequestException):
        return ()
    added = {each["Path"] for each in changes if each["Kind"] == _ADDED}
    folders = {str(above) for path in added for above in PurePosixPath(path).parents}
    found = sorted(path for path in added - folders if not _NOISE.search(path))
    told = [f"{visible(path)} in the container" for path in found[:_TOLD]]
    return tuple(told)


def host_config(request: RunRequest) -> dict[str, Any]:
    """Return what the platform file and the command line ask of the daemon."""
    options = container.asked(request)
    config: dict[str, Any] = {
        "mounts": [
            DockerMount(
                each.container, str(each.host), type="bind", read_only=not each.writable
            )
            for each in container.mounts(request)
        ],
        "network_mode": container.network(request) or "default",
    }
    for key, name in _CONFIG:
        if key in options:
            config[name] = _MEANINGS.get(key, str)(options[key])
    if gpus := container.gpus(request):
        config["device_requests"] = [_device_request(gpus)]
    return config


def create_options(request: RunRequest) -> dict[str, Any]:
    """Return what is asked of a container beside that of its host."""
    options = container.asked(request)
    names = {"hostname": "hostname", "workdir": "working_dir"}
    return {name: options[key] for key, name in names.items() if key in options}


def size_in_bytes(text: str) -> int:
    """Return a size as `docker` reads it: `512m`, `2gb`, `1.5g`, `1TiB`.

    https://github.com/docker/go-units, RAMInBytes: k, m, g, t and p are powers of 1024,
    with or without `b` or `ib`.
    """
    if text == "-1":
        return -1
    number, unit = re.fullmatch(r"([\d.]+) ?([a-z]*)", text.lower()).groups()  # type: ignore[union-attr]
    power = "bkmgtp".index(unit[:1] or "b")
    return int(float(number) * 1024**power)


def _ulimits(lines: str) -> list[Ulimit]:
    found = []
    for each in lines.split("\n"):
        name, _, limits = each.partition("=")
        soft, _, hard = limits.partition(":")
        found.append(Ulimit(name=name, soft=int(soft), hard=int(hard or soft)))
    return found


def _by_name(lines: str) -> dict[str, str]:
    """Return what stands behind the first colon of each line, by what is before."""
    pairs = (each.partition(":") for each in lines.split("\n"))
    return {name: value for name, _, value in pairs}


#: Each option of the platform, with what docker's library calls it.
_CONFIG = (
    ("shm_size", "shm_size"),
    ("memory", "mem_limit"),
    ("memory_swap", "memswap_limit"),
    ("ipc", "ipc_mode"),
    ("runtime", "runtime"),
    ("cpus", "nano_cpus"),
    ("cpu_shares", "cpu_shares"),
    ("cpuset_cpus", "cpuset_cpus"),
    ("pids_limit", "pids_limit"),
    ("ulimit", "ulimits"),
    ("security_opt", "security_opt"),
    ("cap_drop", "cap_drop"),
    ("init", "init"),
    ("read_only", "read_only"),
    ("tmpfs", "tmpfs"),
    ("add_host", "extra_hosts"),
    ("dns", "dns"),
)
#: What a text means there, where it is not the text itself.
_MEANINGS: dict[str, Callable[[str], object]] = {
    "shm_size": size_in_bytes,
    "memory": size_in_bytes,
    "memory_swap": size_in_bytes,
    "cpus": lambda text: int(float(text) * 1_000_000_000),
    "cpu_shares": int,
    "pids_limit": int,
    "ulimit": _ulimits,
    "security_opt": lambda text: [text],
    "cap_drop": str.splitlines,
    "init": bool,
    "read_only": bool,
    "tmpfs": _by_name,
    "add_host": _by_name,
    "dns": str.splitlines,
}


def _device_request(gpus: str) -> DeviceRequest:
    capabilities = [["gpu"]]
    if gpus == "all":
        return DeviceRequest(count=-1, capabilities=capabilities)
    if gpus.isdecimal():
        return DeviceRequest(count=int(gpus), capabilities=capabilities)
    devices = gpus.removeprefix("device=").split(",")
    return DeviceRequest(device_ids=devices, capabilities=capabilities)


def command_line(request: RunRequest) -> tuple[str, ...]:
    """Return the command line of `docker` that runs the same task by hand."""
    options = container.asked(request)
    words = ["docker", "run", "--rm", "--user", user()]
    # Variables stand below, with all others.
    chosen = {**options, "network": container.network(request) or "", "env": ""}
    words += OFFER.argv(chosen)
    if "runtime" in options:
        words += ["--runtime", options["runtime"]]
    given = request.options.environment
    for name, value in shown_variables(environment(request), given).items():
        words += ["--env", f"{name}={value}"]
    for each in container.mounts(request):
        parts = ["type=bind", f"source={each.host}", f"target={each.container}"]
        mode = [] if each.writable else ["readonly"]
        words += ["--mount", container.fields([*parts, *mode])]
    program, *first = request.invocation.task.entrypoint or ("",)
    if program:
        words += ["--entrypoint", program]
    return (*words, request.image.name, *first, *request.view.arguments)
