"""One container: what it is given, and what was left in it."""

from __future__ import annotations

import os
import posixpath
import re
import time
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import requests
from docker.errors import APIError, NotFound
from docker.types import DeviceRequest, LogConfig, Ulimit
from docker.types import Mount as DockerMount

from mlcube_conformance.base.errors import MachineError, Message, Violation
from mlcube_conformance.base.files import is_no_utf8
from mlcube_conformance.base.sizes import size_in_bytes
from mlcube_conformance.base.snapshots import snapshot
from mlcube_conformance.base.text import visible
from mlcube_conformance.plan.mounts import host_path
from mlcube_conformance.runners.common import container
from mlcube_conformance.runners.docker.about import OFFER
from mlcube_conformance.runners.work import shown_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import docker

    from mlcube_conformance.base.snapshots import Snapshot
    from mlcube_conformance.model import Mount
    from mlcube_conformance.runners.contract import RunRequest

__all__ = [
    "command_line",
    "counts_inside",
    "create_options",
    "environment",
    "host_config",
    "left_inside",
    "look_at_outputs",
    "refuse_odd_names",
    "refuse_volumes",
    "remove",
    "user",
    "why_killed",
]

#: What every container changes, and files that nobody looks for.
_NOISE = re.compile(
    r"/(mlcube_io\d+|dev|proc|run|sys|\.dockerenv)(/|$)|/__pycache__(/|$)"
    r"|/etc/(hosts|hostname|resolv\.conf|mtab)$"
)
#: Processes and threads of a task: four times as many as Podman gives, and a quarter of
#: what Linux has for all (`pid_max`), so a task that forks for ever leaves enough.
_MOST_PROCESSES = 8192
#: How often a container that cannot be removed is tried again, and seconds between.
_LOOKS, _PAUSE = 20, 0.25
#: Looks at a container that was killed, and seconds between them.
_LOOKS_AT_KILLED, _PAUSE_OF_KILLED = 10, 0.1
#: How the daemon calls what happened to a file; by its number, and in words.
_CHANGED, _HOW = (
    0,
    ("changed in the container", "in the container", "removed from the container"),
)
#: How many files are shown, and of how many it is asked whether they are folders.
_TOLD, _ASKED = 200, 50
#: The bit of a folder, as Go has it.
_FOLDER = 1 << 31


def user(request: RunRequest) -> str:
    """Return the user and group of a task: the invoking ones, who own its outputs.

    No platform file names others: only a further run of the task does.
    """
    return container.asked(request).get("user") or f"{os.getuid()}:{os.getgid()}"


def environment(request: RunRequest) -> dict[str, str]:
    """Return the variables that a task gets beside those of its image."""
    variables = container.environment(request)
    if not user(request).startswith("0:"):
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


def remove(api: docker.APIClient, name: str) -> bool:
    """Remove a container, if there is one; say whether it is gone."""
    for _ in range(_LOOKS):
        try:
            api.remove_container(name, force=True, v=True)
        except NotFound:
            return True
        except requests.RequestException:
            return False
        except APIError:
            time.sleep(_PAUSE)  # It is being started, or removed by somebody else.
        else:
            return True
    return False


def why_killed(api: docker.APIClient, name: str) -> dict[str, Any]:
    """Return the state of a container that was killed, when its cause is known.

    What ran out of memory is said a moment later, and a removal takes its time.

    Raises:
        NotFound: It was removed by somebody else.
    """
    state: dict[str, Any] = {}
    for _ in range(_LOOKS_AT_KILLED):
        state = api.inspect_container(name)["State"]
        if state["OOMKilled"]:
            break
        time.sleep(_PAUSE_OF_KILLED)
    return state


def look_at_outputs(request: RunRequest) -> dict[Path, Snapshot]:
    """Return what is in the place of each output of a task."""
    outputs = request.invocation.bound("output")
    places = [host_path(each, request.workspace) for each in outputs]
    return {each: snapshot(each) for each in places}


def counts_inside(request: RunRequest, before: Mapping[Path, Snapshot]) -> bool:
    """Say whether what a task left in its container will be shown.

    The daemon compares all files of the image for it: seconds for a large one.

    Args:
        request: The task, which has ended.
        before: What `look_at_outputs` gave before it began.
    """
    return request.looks_inside or not all(
        any(after.filled_since(before[place]))
        for place, after in look_at_outputs(request).items()
    )


def left_inside(api: docker.APIClient, name: str) -> tuple[str, ...]:
    """Return files that a task made, changed or removed in its container."""
    try:
        changes = api.diff(name) or []
    except (APIError, requests.RequestException):
        return ()
    found = {each["Path"]: int(each["Kind"]) for each in changes}
    # A folder is called changed where something in it is.
    above = {str(each) for path in found for each in PurePosixPath(path).parents}
    paths = [each for each in sorted(set(found) - above) if not _NOISE.search(each)]
    changed = [each for each in paths if found[each] == _CHANGED]
    folders = {each for each in changed[:_ASKED] if _is_folder(api, name, each)}
    told = [each for each in paths if each not in folders]
    return tuple(f"{visible(each)} {_HOW[found[each]]}" for each in told[:_TOLD])


def _is_folder(api: docker.APIClient, name: str, path: str) -> bool:
    """Say whether a path in a container is a folder, which counts by what is in it."""
    try:
        content, status = api.get_archive(name, path)
    except (APIError, requests.RequestException):
        return False
    with suppress(requests.RequestException, OSError):
        content.close()  # It is asked for its kind alone.
    return bool(int(status["mode"]) & _FOLDER)


def host_config(
    request: RunRequest, *, limits_processes: bool = True
) -> dict[str, Any]:
    """Return what the platform file and the command line ask of the daemon.

    Args:
        request: The task.
        limits_processes: Whether the daemon can limit their number.
    """
    options = container.asked(request)
    config: dict[str, Any] = {
        "mounts": [
            DockerMount(
                each.container, str(each.host), type="bind", read_only=not each.writable
            )
            for each in container.mounts(request)
        ],
        "network_mode": container.network(request) or "default",
        # The daemon would write down all that is said once more, without a limit.
        "log_config": LogConfig(type=LogConfig.types.NONE),
    }
    for key, name in _CONFIG:
        if key in options:
            config[name] = _MEANINGS.get(key, str)(options[key])
    if limits_processes:
        config.setdefault("pids_limit", _MOST_PROCESSES)
    if gpus := container.gpus(request):
        config["device_requests"] = [_device_request(gpus)]
    return config


def create_options(request: RunRequest) -> dict[str, Any]:
    """Return what is asked of a container beside that of its host."""
    options = container.asked(request)
    names = {"hostname": "hostname", "workdir": "working_dir"}
    return {name: options[key] for key, name in names.items() if key in options}


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
    words = ["docker", "run", "--rm", "--user", user(request)]
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
