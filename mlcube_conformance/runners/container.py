"""What any container is given, whichever engine runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcube_conformance.model import Mount
from mlcube_conformance.runners.base import CA_VARIABLES, proxies

if TYPE_CHECKING:
    from mlcube_conformance.runners.base import RunRequest

__all__ = ["CA_FILE", "environment", "gpus", "mounts", "network", "visible_devices"]

#: Where certificates of the command line lie in an image.
CA_FILE = "/usr/local/share/mlcube-conformance-ca.crt"


def network(request: RunRequest) -> str | None:
    """Return the network that a task gets; None for the engine's own default."""
    return request.options.network or request.platform.options.get("network")


def gpus(request: RunRequest) -> str:
    """Return the GPUs that a task gets: `all`, a number, `device=0,1`, or ""."""
    if request.options.gpus is not None:
        return request.options.gpus
    return request.platform.options.get("gpus", "")


def visible_devices(gpus: str) -> str:
    """Return the value of `CUDA_VISIBLE_DEVICES` for a choice of GPUs but `all`."""
    if gpus.isdecimal():
        return ",".join(str(index) for index in range(int(gpus)))
    return gpus.removeprefix("device=")


def environment(request: RunRequest) -> dict[str, str]:
    """Return the variables that a task gets beside those of its image."""
    environment = proxies()
    if request.options.ca_bundle:
        environment.update(dict.fromkeys(CA_VARIABLES, CA_FILE))
    return environment


def mounts(request: RunRequest) -> list[Mount]:
    """Return the folders and files of this machine that a task sees."""
    found = list(request.view.mounts)
    if request.options.ca_bundle:
        bundle = request.options.ca_bundle
        found.append(Mount(host=bundle, container=CA_FILE, writable=False))
    return found
